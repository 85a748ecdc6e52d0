import { useCallback, useContext, useEffect, useMemo, useRef } from 'preact/hooks';
import { Chart, PrintContext, usePalette } from '../charts/Chart';
import type { ECharts } from '../charts/echarts';
import { brushed, colorDomain, dimensions, levelsWithin, parallel } from '../charts/parallel';
import { Ramp } from '../charts/Ramp';
import { levelsPatch, rangesPatch, type Filter } from '../data/filter';
import { cellLabel } from '../data/labels';
import type { Report } from '../data/report';
import { interval, objectiveScale, value } from '../format/metric';
import { rankText } from '../format/rank';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { Empty, Section } from '../parts/Section';
import { setParams } from '../state/route';
import { filter, visible } from '../state/store';
import { narrow } from '../state/width';

interface Selected {
  parallelAxisId?: string;
  intervals?: [number, number][];
}

export function Parallel({ report }: { report: Report }) {
  const palette = usePalette();
  const print = useContext(PrintContext);
  const all = useMemo(() => dimensions(report), [report]);
  const height = narrow.value && !print ? 110 * all.length : 560;
  // Without its faintest colours: a line is thinner than a field.
  const ramp = useMemo(() => {
    const strong = palette.sequential.slice(2);
    return report.metric.goal === 'min' ? strong.reverse() : strong;
  }, [palette, report.metric.goal]);
  const build = useCallback(
    (width: number) => parallel(palette, ramp, width, height, report, all),
    [palette, ramp, report, all, height],
  );
  const chart = useRef<ECharts | null>(null);
  const current = filter.value;

  // The filter is the truth; the brushes on the plot follow it. Every change draws all lines, so only what differs is changed.
  const shown = useRef<string[]>([]);
  const mirror = (made: ECharts, to: Filter): boolean => {
    let changed = false;
    all.forEach((dimension, dim) => {
      const intervals = brushed(to, dimension);
      const text = JSON.stringify(intervals);
      if ((shown.current[dim] ?? '[]') === text) return;
      shown.current[dim] = text;
      changed = true;
      made.dispatchAction({ type: 'axisAreaSelect', parallelAxisId: `dimension${dim}`, intervals, mirrored: true });
    });
    return changed;
  };
  const drawn = (made: ECharts) => {
    chart.current = made;
    shown.current = [];
    mirror(made, filter.peek());
  };
  const follow = (to: Filter) => {
    const made = chart.current;
    // The brushes themselves are only drawn anew with their axes, which the action leaves alone.
    if (made && !made.isDisposed() && mirror(made, to)) made.resize({ silent: true });
  };
  useEffect(() => follow(current), [current]);

  const scale = objectiveScale(report.metric);
  const [low, high] = colorDomain(report);
  const results = report.cells.mean.filter((mean) => mean !== null).length;
  return (
    <Section
      id="parallel"
      title="Parallel coordinates"
      caption={
        <>
          A line is a cell; within a level, lines lie side by side by rank. Colour: mean {scale.title} over seeds
          {scale.unit && ` (${scale.unit})`}; intervals are in the ranking.{' '}
          {!narrow.value && 'The better end of the measures is up. '}
          {!print && 'Drag along an axis to filter all sections; click elsewhere on the axis to take the brush off.'}
        </>
      }
    >
      {results === 0 ? (
        <Empty>No cell has a result yet, so there are no lines to draw.</Empty>
      ) : (
        <Figure table={() => <CellsTable report={report} />}>
          <Ramp ramp={ramp} title={scale.title} low={value(scale, low)} high={value(scale, high)} />
          <Chart
            build={build}
            height={height}
            drawn={drawn}
            label={`Parallel coordinates of ${report.cells.cell.length} cells`}
            on={{
              axisareaselected: ((event: Selected & { mirrored?: boolean }) => {
                if (event.mirrored || event.parallelAxisId === undefined) return;
                const dimension = all[Number(event.parallelAxisId.replace('dimension', ''))];
                shown.current[Number(event.parallelAxisId.replace('dimension', ''))] = JSON.stringify(event.intervals ?? []);
                const intervals = (event.intervals ?? []).map(([a, b]): [number, number] => (a < b ? [a, b] : [b, a]));
                if (dimension?.axis !== undefined) {
                  const levels = report.axes[dimension.axis]!.levels.length;
                  setParams(levelsPatch(report, dimension.axis, intervals.length > 0 ? levelsWithin(intervals, levels) : null));
                } else if (dimension?.measure) setParams(rangesPatch(dimension.measure.key, intervals));
                // A brush that chose nothing new still has to be put straight.
                follow(filter.peek());
              }) as never,
            }}
          />
        </Figure>
      )}
    </Section>
  );
}

function CellsTable({ report }: { report: Report }) {
  const scale = objectiveScale(report.metric);
  const { cells } = report;
  return (
    <DataTable
      label="Cells that pass the filter"
      rows={[...visible.value]}
      columns={[
        { head: 'rank', number: true, cell: (cell) => rankText(cells.rank[cell], cells.tied[cell]) },
        { head: 'cell', rowHead: true, cell: (cell) => <bdi>{cellLabel(report, cell)}</bdi> },
        { head: scale.title, number: true, cell: (cell) => interval(scale, cells.mean[cell], cells.ci95[cell]) },
      ]}
    />
  );
}
