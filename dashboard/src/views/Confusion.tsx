import { useCallback, useContext, useMemo } from 'preact/hooks';
import { Chart, PrintContext, usePalette } from '../charts/Chart';
import { heat, heatMargins, rampOf } from '../charts/heat';
import { Ramp } from '../charts/Ramp';
import { accuracy, matrixOf, mostConfused, shareAt, shareHalfWidth, type Matrix } from '../data/confusion';
import { cellLabel } from '../data/labels';
import type { Confusions, Report } from '../data/report';
import { count, decimalsWith, fixed, plural, share } from '../format/number';
import { rankText } from '../format/rank';
import { Options, Select } from '../parts/controls';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { Empty, Section } from '../parts/Section';
import { WithSection } from '../parts/SectionState';
import { route, setParams } from '../state/route';
import { pins } from '../state/store';
import { narrow } from '../state/width';

export function Confusion({ report }: { report: Report }) {
  return (
    <Section
      id="confusion"
      title="Confusion matrices"
      caption={
        <>
          On the {count(report.sweep.test_size)} test images, summed over a cell’s seeds: share of an actual class (row, %) that
          is predicted as another (column). Right answers are the diagonal: grey, but coloured in a difference. ± is 1.96 standard
          errors of the class’ images.
        </>
      }
    >
      <WithSection
        name="confusions"
        none="There are no confusion matrices yet: they come with a job’s last epoch, for the best cells."
      >
        {(confusions) => <Matrices report={report} confusions={confusions} />}
      </WithSection>
    </Section>
  );
}

type Mode = 'one' | 'two' | 'difference';

function Matrices({ report, confusions }: { report: Report; confusions: Confusions }) {
  const print = useContext(PrintContext);
  const { params } = route.value;
  const kept = useMemo(() => [...confusions.cells].filter((cell) => cell >= 0).sort((a, b) => a - b), [confusions]);
  const ids = report.cells.cell;
  const pinned = pins.value.filter((cell) => kept.includes(cell));
  const byId = (id: string | undefined) => kept.find((cell) => String(ids[cell]) === id);
  const a = byId(params.a) ?? pinned[0] ?? kept[0];
  const b = byId(params.b) ?? pinned.find((cell) => cell !== a) ?? kept.find((cell) => cell !== a);
  const classes = report.class_names.length;
  const first = useMemo(() => (a === undefined ? null : matrixOf(confusions, a, classes)), [confusions, a, classes]);
  const second = useMemo(() => (b === undefined ? null : matrixOf(confusions, b, classes)), [confusions, b, classes]);
  if (a === undefined || !first) return <Empty>No matrix is kept for any cell of this report.</Empty>;
  const mode: Mode = second && (params.mode === 'two' || params.mode === 'difference') ? params.mode : 'one';
  const name = (cell: number) => `${rankText(report.cells.rank[cell], report.cells.tied[cell])} ${cellLabel(report, cell)}`;
  const choices = kept.map((cell) => ({ value: String(ids[cell]), text: name(cell) }));
  const lost = pins.value.length - pinned.length;
  return (
    <>
      {!print && (
        <div class="controls">
          <Options
            label="Matrices"
            value={mode}
            choices={[
              { value: 'one', text: 'one' },
              ...(second
                ? [
                    { value: 'two', text: 'two' },
                    { value: 'difference', text: 'difference' },
                  ]
                : []),
            ]}
            onChange={(next) => setParams({ mode: next === 'one' ? undefined : next })}
          />
          <Select
            label={mode === 'one' ? 'Cell' : 'A'}
            value={String(ids[a])}
            choices={choices}
            onChange={(next) => setParams({ a: next })}
          />
          {mode !== 'one' && b !== undefined && (
            <Select label="B" value={String(ids[b])} choices={choices} onChange={(next) => setParams({ b: next })} />
          )}
        </div>
      )}
      {lost > 0 && (
        <p class="hint">
          Matrices are kept for the best cells only: {plural(lost, 'pinned cell has', 'pinned cells have')} none.
        </p>
      )}
      <div class={mode === 'two' ? '' : 'matrix-beside'}>
        {mode === 'two' && second ? (
          <div class="pair">
            <MatrixFigure
              report={report}
              title={`A: ${name(a)}`}
              matrix={first}
              other={null}
              top={Math.max(greatest(first), greatest(second))}
              half
            />
            <MatrixFigure
              report={report}
              title={`B: ${name(b!)}`}
              matrix={second}
              other={null}
              top={Math.max(greatest(first), greatest(second))}
              half
            />
          </div>
        ) : (
          <MatrixFigure
            report={report}
            title={mode === 'one' ? name(a) : `A − B: ${name(a)} − ${name(b!)}`}
            matrix={first}
            other={mode === 'difference' ? second : null}
            top={greatest(first)}
            half={false}
          />
        )}
        <div>
          <h3>
            {mode === 'difference' ? 'Where they differ most' : mode === 'two' ? 'Confused most, A beside B' : 'Confused most'}
          </h3>
          <MostConfused
            report={report}
            first={first}
            second={mode === 'one' ? null : second}
            byDifference={mode === 'difference'}
          />
        </div>
      </div>
    </>
  );
}

function greatest({ classes, counts, rows }: Matrix): number {
  let most = 0;
  for (let i = 0; i < counts.length; ++i) {
    const actual = Math.floor(i / classes);
    if (i % classes !== actual && rows[actual]! > 0) most = Math.max(most, counts[i]! / rows[actual]!);
  }
  return most;
}

interface FigureProps {
  report: Report;
  title: string;
  matrix: Matrix;
  other: Matrix | null; // subtracted
  top: number; // the colours' end
  half: boolean;
}

/** Small shares are the interesting ones: colours follow their square root. */
const bend = 0.5;

/** In pixels: one long name must not take the matrix’ room. */
const longestName = 84;

function MatrixFigure({ report, title, matrix, other, top, half }: FigureProps) {
  const palette = usePalette();
  const names = report.class_names;
  const { classes } = matrix;
  const all = useMemo(() => {
    const data: [number, number, number][] = [];
    let most = 0;
    for (let actual = 0; actual < classes; ++actual) {
      for (let predicted = 0; predicted < classes; ++predicted) {
        const value = shareAt(matrix, actual, predicted) - (other ? shareAt(other, actual, predicted) : 0);
        if (actual !== predicted) most = Math.max(most, Math.abs(value));
        // Nothing is drawn where nothing is confused.
        if (value !== 0) data.push([predicted, actual, value]);
      }
    }
    return { data, most };
  }, [matrix, other]);
  const high = other ? Math.max(all.most, 1e-6) : Math.max(top, 1e-6);
  const low = other ? -high : 0;
  // Fields are square.
  const field = Math.max(9, Math.min(half ? 40 : 56, (half ? 520 : 740) / classes));
  const margins = heatMargins(names, names, half ? 560 : 800, field, longestName);
  const build = useCallback(
    (width: number) =>
      heat(palette, width, {
        x: names,
        y: names,
        xName: 'predicted',
        yName: 'actual',
        data: all.data,
        low,
        high,
        diverging: other !== null,
        curve: other ? 1 : bend,
        columnWidth: (width - margins.left) / classes,
        longest: longestName,
        rowHeight: (width - margins.left) / classes,
        text: (value) => fixed(value * 100, width / classes > 44 ? 1 : 0),
        labels: classes <= 20 && !half && width > 500,
        plain: (x, y) => x === y && other === null,
        tip: (x, y) => ({
          title: `${names[y]} predicted as ${names[x]}`,
          rows: other
            ? [
                [
                  'A − B',
                  pointText(
                    shareAt(matrix, y, x) - shareAt(other, y, x),
                    Math.hypot(
                      shareHalfWidth(shareAt(matrix, y, x), matrix.rows[y]!),
                      shareHalfWidth(shareAt(other, y, x), other.rows[y]!),
                    ),
                    'pp',
                  ),
                ],
                ['A', shareText(matrix, y, x)],
                ['B', shareText(other, y, x)],
              ]
            : [
                ['share', shareText(matrix, y, x)],
                ['images', `${count(matrix.counts[y * classes + x])} of ${count(matrix.rows[y])}`],
              ],
        }),
      }),
    [palette, all, high, low, names],
  );
  const { share: right, n } = accuracy(matrix);
  const height = (width: number) => {
    const { left, right, top, bottom } = heatMargins(names, names, width, (width - margins.left) / classes, longestName);
    return top + bottom + width - left - right;
  };
  return (
    <Figure
      title={
        <>
          <bdi>{title}</bdi>
          {!other && <span class="muted">: {pointText(right, shareHalfWidth(right, n), '%')} right</span>}
        </>
      }
      table={() => <MatrixTable names={names} matrix={matrix} other={other} />}
    >
      <Ramp
        ramp={rampOf(palette, { diverging: other !== null })}
        curve={other ? 1 : bend}
        title={other ? 'A − B' : 'share of the actual class'}
        low={other ? pointText(low, null, 'pp') : '0\u00a0%'}
        high={other ? pointText(high, null, 'pp') : share(high)}
      />
      <Chart
        build={build}
        height={height}
        maxWidth={margins.left + margins.right + classes * field}
        label={`Confusion matrix of ${title}`}
      />
    </Figure>
  );
}

function pointText(value: number, halfWidth: number | null, unit: string): string {
  const decimals = halfWidth === null ? 1 : Math.min(3, decimalsWith(value * 100, halfWidth * 100));
  return `${fixed(value * 100, decimals)}${halfWidth === null ? '' : `\u00a0±\u00a0${fixed(halfWidth * 100, decimals)}`}\u00a0${unit}`;
}

function shareText(matrix: Matrix, actual: number, predicted: number): string {
  const value = shareAt(matrix, actual, predicted);
  return pointText(value, shareHalfWidth(value, matrix.rows[actual]!), '%');
}

function MostConfused({
  report,
  first,
  second,
  byDifference,
}: {
  report: Report;
  first: Matrix;
  second: Matrix | null;
  byDifference: boolean;
}) {
  const rows = useMemo(() => mostConfused(first, second, byDifference, 15), [first, second, byDifference]);
  const names = report.class_names;
  return (
    <DataTable
      label="Most confused classes"
      rows={rows}
      columns={[
        { head: 'actual', rowHead: true, cell: ({ actual }) => <bdi>{names[actual]!}</bdi> },
        { head: 'predicted', cell: ({ predicted }) => <bdi>{names[predicted]!}</bdi> },
        ...(second
          ? [
              {
                head: 'A − B',
                number: true,
                cell: ({
                  actual,
                  predicted,
                  share: a,
                  other: b,
                }: {
                  actual: number;
                  predicted: number;
                  share: number;
                  other: number;
                }) =>
                  pointText(
                    a - b,
                    Math.hypot(
                      shareHalfWidth(shareAt(first, actual, predicted), first.rows[actual]!),
                      shareHalfWidth(b, second.rows[actual]!),
                    ),
                    'pp',
                  ),
              },
              {
                head: 'A',
                number: true,
                cell: ({ actual, predicted }: { actual: number; predicted: number }) => shareText(first, actual, predicted),
              },
              {
                head: 'B',
                number: true,
                cell: ({ actual, predicted }: { actual: number; predicted: number }) => shareText(second, actual, predicted),
              },
            ]
          : [
              {
                head: 'share',
                number: true,
                cell: ({ actual, predicted }: { actual: number; predicted: number }) => shareText(first, actual, predicted),
              },
              {
                head: 'images',
                number: true,
                cell: ({ actual, predicted }: { actual: number; predicted: number }) =>
                  `${count(first.counts[actual * first.classes + predicted])}${narrow.value ? '' : ` of ${count(first.rows[actual])}`}`,
              },
            ]),
      ]}
    />
  );
}

function MatrixTable({ names, matrix, other }: { names: readonly string[]; matrix: Matrix; other: Matrix | null }) {
  const rows = mostConfused(matrix, other, other !== null, matrix.classes * matrix.classes);
  return (
    <DataTable
      label="All confused classes"
      rows={rows}
      columns={[
        { head: 'actual', rowHead: true, cell: ({ actual }) => <bdi>{names[actual]!}</bdi> },
        { head: 'predicted', cell: ({ predicted }) => <bdi>{names[predicted]!}</bdi> },
        { head: other ? 'A' : 'share', number: true, cell: ({ actual, predicted }) => shareText(matrix, actual, predicted) },
        ...(other
          ? [
              {
                head: 'B',
                number: true,
                cell: ({ actual, predicted }: { actual: number; predicted: number }) => shareText(other, actual, predicted),
              },
            ]
          : []),
      ]}
    />
  );
}
