import { useCallback, useMemo } from 'preact/hooks';
import { Chart, usePalette } from '../charts/Chart';
import { forest, forestRowHeight, type ForestRow, type Panel } from '../charts/forest';
import { levelShort } from '../data/labels';
import type { EffectTerm, Report } from '../data/report';
import { difference, differenceUnit, interval, objectiveScale, type Scale } from '../format/metric';
import { count, pValue, share, significant } from '../format/number';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { Empty, Section } from '../parts/Section';
import { narrow } from '../state/width';
import { Interactions } from './Interactions';

export function Effects({ report }: { report: Report }) {
  const { effects } = report;
  const scale = objectiveScale(report.metric);
  return (
    <Section
      id="effects"
      title="Effects"
      notes={effects.notes}
      caption={
        <>
          What each axis does to the {scale.title} ({scale.unit || 'no unit'}), from {count(effects.observations)} jobs. ± and
          bars are 95 % confidence intervals. All cells count here, whatever the filter.
        </>
      }
    >
      {effects.terms.length > 0 && <Variance report={report} />}
      {effects.levels.length > 0 ? (
        <Levels report={report} scale={scale} />
      ) : (
        effects.terms.length === 0 && effects.notes.length === 0 && <Empty>There is nothing to analyse yet.</Empty>
      )}
      {report.axes.filter((axis) => axis.levels.length > 1).length > 1 && <Interactions report={report} />}
    </Section>
  );
}

/** The table is the figure: shares are drawn within it. */
function Variance({ report }: { report: Report }) {
  const { terms, residual_df, residual_mean_square } = report.effects;
  const ordered = useMemo(() => [...terms].sort((a, b) => (b.share ?? -1) - (a.share ?? -1)), [terms]);
  const rest = 1 - terms.reduce((sum, term) => sum + (term.share ?? 0), 0);
  const kind = (term: EffectTerm) => (term.axes.length === 1 ? '' : term.axes.length === 2 ? 'interaction' : 'other');
  const rows: (EffectTerm & { residual?: boolean })[] = [...ordered];
  if (residual_df !== null) {
    rows.push({
      axes: [],
      name: 'residual',
      df: residual_df,
      sum_of_squares: (residual_mean_square ?? 0) * residual_df,
      share: Math.max(0, rest),
      f: null,
      p: null,
      residual: true,
    });
  }
  return (
    <>
      <h3>Where the variance comes from</h3>
      <p class="caption">
        Type II analysis of variance: share of the total sum of squares (%). Main effects filled, interactions hatched, seed and
        residual grey.
      </p>
      <DataTable
        label="Analysis of variance"
        rows={rows}
        columns={[
          { head: 'term', rowHead: true, cell: (term) => <bdi>{term.name}</bdi> },
          {
            head: 'share',
            cell: (term) => (
              <span class="bar-cell">
                <i
                  class={`bar ${term.residual ? 'other' : kind(term)}`}
                  style={{ width: `${Math.max(0, (term.share ?? 0) * 100)}%` }}
                />
              </span>
            ),
          },
          { head: '%', number: true, cell: (term) => share(term.share) },
          { head: 'df', number: true, cell: (term) => count(term.df) },
          { head: <>sum of squares</>, number: true, cell: (term) => significant(term.sum_of_squares) },
          { head: 'F', number: true, cell: (term) => significant(term.f) },
          { head: 'p', number: true, cell: (term) => pValue(term.p) },
        ]}
      />
    </>
  );
}

const meanPanel = (scale: Scale): Panel => ({
  title: 'marginal mean',
  unit: `${scale.title}${scale.unit && ` (${scale.unit})`}`,
  factor: scale.factor,
  zero: false,
});
const costPanel = (scale: Scale): Panel => ({
  title: 'leader − cell',
  unit: `leader − cell${differenceUnit(scale) && ` (${differenceUnit(scale)})`}`,
  factor: scale.factor,
  zero: true,
});

function Levels({ report, scale }: { report: Report; scale: Scale }) {
  const palette = usePalette();
  const rows = useMemo(() => levelRows(report, scale), [report, scale.name]);
  const panels = useMemo(() => [meanPanel(scale), costPanel(scale)], [scale.name]);
  const height = rows.length * forestRowHeight + 66;
  const side = !narrow.value;
  const build = useCallback((width: number) => forest(palette, width, rows, panels), [palette, rows, panels]);
  const buildOne = [0, 1].map((i) =>
    useCallback(
      (width: number) =>
        forest(
          palette,
          width,
          rows.map((row) => ({ ...row, values: [row.values[i]!], texts: [row.texts[i]!] })),
          [panels[i]!],
        ),
      [palette, rows, panels],
    ),
  );
  const table = () => <LevelTable report={report} scale={scale} />;
  const explain = (
    <p class="caption">
      {side ? 'Left' : 'First'}: mean of the level, adjusted for the other axes. {side ? 'Right' : 'Then'}: what choosing the
      level at the leader instead costs ({differenceUnit(scale) || 'in the metric’s unit'};{' '}
      {report.metric.goal === 'max' ? 'right' : 'left'} of 0 is worse). The leader’s own levels are orange.
    </p>
  );
  return (
    <>
      <h3>Levels</h3>
      {explain}
      {side ? (
        <Figure table={table}>
          <Chart build={build} height={height} label="Marginal means of levels and their cost at the leader" />
        </Figure>
      ) : (
        <>
          <Figure>
            <Chart build={buildOne[0]!} height={height} label="Marginal means of levels" />
          </Figure>
          <Figure table={table}>
            <Chart build={buildOne[1]!} height={height} label="Cost of levels at the leader" />
          </Figure>
        </>
      )}
    </>
  );
}

function levelRows(report: Report, scale: Scale): ForestRow[] {
  const rows: ForestRow[] = [];
  let axis = -1;
  for (const level of report.effects.levels) {
    if (level.axis !== axis) {
      axis = level.axis;
      rows.push({ label: report.axes[axis]?.name ?? '', head: true, values: [null, null], texts: ['', ''], own: false });
    }
    rows.push({
      label: levelShort(report, level.axis, level.level),
      head: false,
      own: level.cost === null && report.cells.levels[level.axis]?.[0] === level.level,
      values: [
        level.mean === null ? null : [level.mean, level.ci95],
        level.cost === null
          ? report.cells.levels[level.axis]?.[0] === level.level
            ? [0, null]
            : null
          : [level.cost, level.cost_ci95],
      ],
      texts: [
        level.mean === null ? 'no result' : `${interval(scale, level.mean, level.ci95)}, n = ${count(level.results)}`,
        level.cost === null
          ? 'the leader’s own level'
          : `${difference(scale, level.cost, level.cost_ci95)}, p ${pValueText(level.cost_p)}`,
      ],
    });
  }
  return rows;
}

const pValueText = (p: number | null) => (p === null ? 'unknown' : p < 0.001 ? pValue(p) : `= ${pValue(p)}`);

function LevelTable({ report, scale }: { report: Report; scale: Scale }) {
  return (
    <DataTable
      label="Levels"
      rows={report.effects.levels}
      columns={[
        { head: 'axis', cell: (level) => <bdi>{report.axes[level.axis]?.name ?? ''}</bdi> },
        {
          head: 'level',
          rowHead: true,
          wide: true,
          cell: (level) => <bdi>{report.axes[level.axis]?.levels[level.level] ?? ''}</bdi>,
        },
        { head: 'cells', number: true, cell: (level) => count(level.cells) },
        { head: 'results', number: true, cell: (level) => count(level.results) },
        { head: 'diverged', number: true, cell: (level) => count(level.diverged) },
        { head: 'failed', number: true, cell: (level) => count(level.failed) },
        { head: 'marginal mean', number: true, cell: (level) => interval(scale, level.mean, level.ci95) },
        { head: 'leader − cell', number: true, cell: (level) => difference(scale, level.cost, level.cost_ci95) },
        { head: 'p', number: true, cell: (level) => pValue(level.cost_p) },
      ]}
    />
  );
}
