import { useCallback, useContext, useMemo } from 'preact/hooks';
import { Chart, PrintContext, usePalette } from '../charts/Chart';
import { widest } from '../charts/axes';
import { heat, heatMargins, rampOf } from '../charts/heat';
import { Ramp } from '../charts/Ramp';
import { gather, type Grid } from '../data/heatmap';
import { cellLabel, levelFull, levelShort } from '../data/labels';
import { isMeasure, measure, presentMeasures, type Measure } from '../data/measures';
import type { Report } from '../data/report';
import { bare, bareInterval, capital, interval, value } from '../format/metric';
import { plural, share } from '../format/number';
import { Options, Select } from '../parts/controls';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { Empty, Section } from '../parts/Section';
import { levelsPatch } from '../data/filter';
import { route, setParams } from '../state/route';
import { visible } from '../state/store';

type What = 'mean' | 'best';

export function HeatMap({ report }: { report: Report }) {
  const { params } = route.value;
  const usable = report.axes.map((axis, i) => ({ axis, i })).filter(({ axis }) => axis.levels.length > 1);
  const position = (name: string | undefined) => usable.find(({ axis }) => axis.name === name)?.i;
  // Those that matter most, unless the address says otherwise.
  const weight = new Map(
    report.effects.terms.filter((term) => term.axes.length === 1).map((term) => [term.axes[0]!, term.share ?? 0]),
  );
  const byWeight = usable.map(({ i }) => i).sort((a, b) => (weight.get(b) ?? 0) - (weight.get(a) ?? 0) || a - b);
  const first = position(params.x);
  const second = position(params.y);
  const x = first ?? byWeight.find((i) => i !== second);
  const y = second !== undefined && second !== x ? second : byWeight.find((i) => i !== x);
  const shown = measure(report, isMeasure(params.measure) ? params.measure : 'mean');
  const what: What = params.of === 'best' ? 'best' : 'mean';
  return (
    <Section
      id="heatmap"
      title="Heat map"
      caption={
        what === 'mean' ? (
          <>
            Mean {shown.title} ({shown.scale.unit || 'no unit'}) of the cells at both levels, ± one standard deviation over those
            cells.
          </>
        ) : (
          <>
            {capital(shown.title)} ({shown.scale.unit || 'no unit'}) of the best ranked cell at both levels; in the details its 95
            % confidence interval.
          </>
        )
      }
    >
      {x === undefined || y === undefined ? (
        <Empty>A heat map needs two axes that vary; this sweep has {plural(usable.length, 'such axis', 'such axes')}.</Empty>
      ) : (
        <MapFigure report={report} x={x} y={y} shown={shown} what={what} />
      )}
    </Section>
  );
}

function MapFigure({ report, x, y, shown, what }: { report: Report; x: number; y: number; shown: Measure; what: What }) {
  const palette = usePalette();
  const print = useContext(PrintContext);
  const cells = visible.value;
  const grid = useMemo(() => gather(report, cells, x, y, shown.values), [report, cells, x, y, shown.key]);
  const columns = report.axes[x]!.levels.length;
  const rows = report.axes[y]!.levels.length;
  const xLabels = report.axes[x]!.levels.map((_, level) => levelShort(report, x, level));
  const yLabels = report.axes[y]!.levels.map((_, level) => levelShort(report, y, level));
  const at = (place: number) =>
    what === 'mean' ? grid.mean[place]! : grid.best[place]! >= 0 ? (shown.values[grid.best[place]!] ?? NaN) : NaN;
  const values = [...grid.n.keys()].map(at).filter(Number.isFinite);
  const sorted = Float64Array.from(values).sort();
  const [low, high] = sorted.length > 0 ? [sorted[0]!, sorted[sorted.length - 1]!] : [0, 1];
  const text = (v: number) => bare(shown.scale, v);
  const ramp = rampOf(palette, { lowIsGood: shown.lowIsGood });
  const columnWidth = Math.max(13, Math.min(Math.max(110, widest(xLabels, 11, 170) + 12), 1040 / columns));
  const rowHeight = rows > 40 ? 15 : rows > 15 ? 20 : 30;
  const margins = heatMargins(xLabels, yLabels, 1200, columnWidth);
  const build = useCallback(
    (width: number) =>
      heat(palette, width, {
        columnWidth: (width - margins.left) / columns,
        rowHeight,
        x: xLabels,
        y: yLabels,
        xName: report.axes[x]!.name,
        yName: report.axes[y]!.name,
        low,
        high,
        diverging: false,
        lowIsGood: shown.lowIsGood,
        data: [...grid.n.keys()]
          .filter((place) => Number.isFinite(at(place)))
          .map((place) => [place % columns, Math.floor(place / columns), at(place)] as const),
        text: (v, i, j) =>
          what === 'mean' && (width - margins.left) / columns > 88 && Number.isFinite(grid.sd[j * columns + i])
            ? bareInterval(shown.scale, v, grid.sd[j * columns + i])
            : text(v),
        labels: (width - margins.left) / columns > 38 && rows < 60,
        tip: (i, j) => details(report, grid, x, y, i, j, shown, what),
      }),
    [palette, report, grid, x, y, shown.key, what],
  );
  const choices = report.axes.filter((axis) => axis.levels.length > 1).map((axis) => ({ value: axis.name, text: axis.name }));
  const set = (name: 'x' | 'y', next: string) => {
    const other = name === 'x' ? 'y' : 'x';
    const now = { x: report.axes[x]!.name, y: report.axes[y]!.name };
    setParams({ [name]: next, [other]: now[other] === next ? now[name] : now[other] });
  };
  return (
    <>
      {!print && (
        <div class="controls">
          <Select label="Across" value={report.axes[x]!.name} choices={choices} onChange={(next) => set('x', next)} />
          <Select label="Down" value={report.axes[y]!.name} choices={choices} onChange={(next) => set('y', next)} />
          <Select
            label="Value"
            value={shown.key}
            choices={presentMeasures(report).map(({ key, title }) => ({ value: key, text: title }))}
            onChange={(next) => setParams({ measure: next === 'mean' ? undefined : next })}
          />
          <Options
            label="Of"
            value={what}
            choices={[
              { value: 'mean', text: 'mean of cells' },
              { value: 'best', text: 'best cell' },
            ]}
            onChange={(next) => setParams({ of: next === 'best' ? 'best' : undefined })}
          />
        </div>
      )}
      {values.length === 0 ? (
        <Empty>No cell that passes the filter has a value for this.</Empty>
      ) : (
        <Figure table={() => <GridTable report={report} grid={grid} x={x} y={y} shown={shown} what={what} />}>
          <Ramp ramp={ramp} title={shown.title} low={value(shown.scale, low)} high={value(shown.scale, high)} />
          <Chart
            build={build}
            maxWidth={Math.max(320, margins.left + columns * columnWidth + 14)}
            height={(width) => {
              const { top, bottom } = heatMargins(xLabels, yLabels, width, (width - margins.left) / columns);
              return top + rows * rowHeight + bottom;
            }}
            label={`${shown.title} by ${report.axes[x]!.name} and ${report.axes[y]!.name}`}
            on={{
              click: ((event: { data?: { value?: number[] } }) => {
                const [i, j] = event.data?.value ?? [];
                if (i !== undefined && j !== undefined)
                  setParams({ ...levelsPatch(report, x, new Set([i])), ...levelsPatch(report, y, new Set([j])) });
              }) as never,
            }}
          />
          <p class="hint no-print">Click a field to keep its cells alone in the filter.</p>
        </Figure>
      )}
    </>
  );
}

function fieldText(report: Report, grid: Grid, place: number, shown: Measure, what: What): string {
  if (grid.n[place] === 0) return 'no result';
  if (what === 'mean') return interval(shown.scale, grid.mean[place], grid.sd[place]);
  const best = grid.best[place]!;
  return interval(shown.scale, shown.values[best], shown.key === 'mean' ? report.cells.ci95[best] : null);
}

function details(report: Report, grid: Grid, x: number, y: number, i: number, j: number, shown: Measure, what: What) {
  const place = j * report.axes[x]!.levels.length + i;
  const rows: [string, string][] = [
    [what === 'mean' ? 'mean ± sd' : 'best cell', fieldText(report, grid, place, shown, what)],
    ['cells', `${grid.n[place]} of ${grid.cells[place]} with a result (${share(grid.n[place]! / grid.cells[place]!, 0)})`],
  ];
  if (grid.best[place]! >= 0) rows.push(['best cell', cellLabel(report, grid.best[place]!)]);
  return { title: `${levelFull(report, x, i)} · ${levelFull(report, y, j)}`, rows };
}

function GridTable({
  report,
  grid,
  x,
  y,
  shown,
  what,
}: {
  report: Report;
  grid: Grid;
  x: number;
  y: number;
  shown: Measure;
  what: What;
}) {
  const columns = report.axes[x]!.levels.length;
  return (
    <DataTable
      label="Heat map as a table"
      rows={[...report.axes[y]!.levels.keys()]}
      columns={[
        { head: <bdi>{report.axes[y]!.name}</bdi>, rowHead: true, cell: (j) => <bdi>{levelShort(report, y, j)}</bdi> },
        ...report.axes[x]!.levels.map((_, i) => ({
          head: <bdi>{levelShort(report, x, i)}</bdi>,
          number: true,
          cell: (j: number) => fieldText(report, grid, j * columns + i, shown, what),
        })),
      ]}
    />
  );
}
