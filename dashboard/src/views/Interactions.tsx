import { useCallback, useMemo } from 'preact/hooks';
import { Chart, usePalette } from '../charts/Chart';
import { interaction } from '../charts/interaction';
import { gather } from '../data/heatmap';
import { levelShort } from '../data/labels';
import { measure } from '../data/measures';
import type { Report } from '../data/report';
import { interval, objectiveScale } from '../format/metric';
import { pValue, share } from '../format/number';
import { Select } from '../parts/controls';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { route, setParams } from '../state/route';

/** Whether one axis' levels rank alike within each level of another: parallel lines do. */
export function Interactions({ report }: { report: Report }) {
  const palette = usePalette();
  const pairs = useMemo(() => axisPairs(report), [report]);
  const chosen = pairs.find(({ key }) => key === route.value.params.pair) ?? pairs[0]!;
  const [a, b] = chosen.axes;
  // The axis with more levels lies along the plot.
  const [x, line] = report.axes[a]!.levels.length >= report.axes[b]!.levels.length ? [a, b] : [b, a];
  const scale = objectiveScale(report.metric);
  const all = useMemo(() => Int32Array.from(report.cells.cell.keys()), [report]);
  const grid = useMemo(() => gather(report, all, x, line, measure(report, 'mean').values), [report, all, x, line]);
  const build = useCallback(
    (width: number) => interaction(palette, width, report, grid, x, line),
    [palette, report, grid, x, line],
  );
  const width = report.axes[x]!.levels.length;
  return (
    <>
      <h3>Interactions</h3>
      <p class="caption">
        Mean {scale.title} ({scale.unit || 'no unit'}) of the cells at two levels; bars: ± one standard deviation over those
        cells. Lines that are not parallel interact{chosen.text && `: ${chosen.text}`}.
      </p>
      <div class="controls no-print">
        <Select
          label="Axes"
          value={chosen.key}
          onChange={(pair) => setParams({ pair })}
          choices={pairs.map(({ key, name }) => ({ value: key, text: name }))}
        />
      </div>
      <Figure
        table={() => (
          <DataTable
            label="Means at two levels"
            rows={[...grid.n.keys()].filter((place) => grid.n[place]! > 0)}
            columns={[
              { head: report.axes[x]!.name, rowHead: true, cell: (place) => <bdi>{levelShort(report, x, place % width)}</bdi> },
              {
                head: report.axes[line]!.name,
                cell: (place) => <bdi>{levelShort(report, line, Math.floor(place / width))}</bdi>,
              },
              { head: 'mean ± sd', number: true, cell: (place) => interval(scale, grid.mean[place], grid.sd[place]) },
              { head: 'cells', number: true, cell: (place) => grid.n[place] },
            ]}
          />
        )}
      >
        <Chart build={build} height={320} label={`Interaction of ${report.axes[a]!.name} and ${report.axes[b]!.name}`} />
      </Figure>
    </>
  );
}

interface Pair {
  axes: [number, number];
  key: string;
  name: string;
  text: string;
}

/** Analysed ones first, those with the largest share before others. */
function axisPairs(report: Report): Pair[] {
  const name = (a: number, b: number) => `${report.axes[a]!.name} × ${report.axes[b]!.name}`;
  const terms = report.effects.terms.filter((term) => term.axes.length === 2).sort((a, b) => (b.share ?? -1) - (a.share ?? -1));
  const pairs: Pair[] = terms.map((term) => ({
    axes: [term.axes[0]!, term.axes[1]!],
    key: term.axes.join('.'),
    name: term.name,
    text: `here ${share(term.share)} of the sum of squares, p ${term.p !== null && term.p >= 0.001 ? '= ' : ''}${pValue(term.p)}`,
  }));
  const known = new Set(pairs.map(({ key }) => key));
  for (let a = 0; a < report.axes.length; ++a) {
    for (let b = a + 1; b < report.axes.length; ++b) {
      if (!known.has(`${a}.${b}`)) pairs.push({ axes: [a, b], key: `${a}.${b}`, name: name(a, b), text: '' });
    }
  }
  return pairs;
}
