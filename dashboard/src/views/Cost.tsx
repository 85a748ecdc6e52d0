import { useCallback, useMemo } from 'preact/hooks';
import { Chart, usePalette } from '../charts/Chart';
import { costScatter } from '../charts/scatter';
import { asMask, frontier, spentBy, type Spent } from '../data/cost';
import { cellLabel } from '../data/labels';
import type { Report } from '../data/report';
import { interval, objectiveScale } from '../format/metric';
import { count, decimalsOf, fixed, isNumber, meanCount, plural } from '../format/number';
import { duration, moment } from '../format/time';
import { rankText } from '../format/rank';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { Empty, Section } from '../parts/Section';
import { visible } from '../state/store';
import { narrow } from '../state/width';

export function Cost({ report }: { report: Report }) {
  const palette = usePalette();
  const cells = visible.value;
  const scale = objectiveScale(report.metric);
  const groups = useMemo(() => {
    const mask = asMask(cells, report.cells.cell.length);
    const { jobs } = report;
    const by = (title: string, names: readonly string[], group: (job: number) => number | null) => ({
      title,
      rows: spentBy(report, mask, names, group).filter((row) => row.jobs > 0),
    });
    return {
      all: spentBy(report, mask, ['all'], () => 0)[0]!,
      axes: report.axes.map((axis, a) =>
        by(
          axis.name,
          axis.short.map((short, i) => short || axis.levels[i]!),
          (job) => report.cells.levels[a]![jobs.cell[job]!]!,
        ),
      ),
      worker: by('worker', report.workers, (job) => jobs.worker[job]!),
      device: by('device', report.devices, (job) => jobs.device[job]!),
      environment: by('environment', report.environments, (job) => jobs.environment[job]!),
    };
  }, [report, cells]);
  const build = useCallback(() => costScatter(palette, report, cells), [palette, report, cells]);
  const best = useMemo(() => frontier(report, cells), [report, cells]);
  return (
    <Section
      id="cost"
      title="Cost"
      caption={
        <>
          Time that jobs ran (not waited), of the {plural(groups.all.jobs, 'job')} that pass the filter and have ended:{' '}
          {duration(groups.all.total)} in all. ± is one standard deviation over jobs. Epochs that jobs have in common are trained
          once and split among them.
        </>
      }
    >
      {groups.all.jobs === 0 ? (
        <Empty>No job that passes the filter has ended.</Empty>
      ) : (
        <>
          {best.length > 0 && (
            <>
              <h3>Time and {scale.title}</h3>
              <p class="caption">
                Every dot is a cell (means over seeds). No other cell is both quicker and better than one of the orange ones;
                their bars are 95 % confidence intervals.
              </p>
              <Figure
                table={() => (
                  <DataTable
                    label="Cells that no other one beats in both"
                    rows={best}
                    columns={[
                      { head: 'rank', number: true, cell: (cell) => rankText(report.cells.rank[cell], report.cells.tied[cell]) },
                      { head: 'cell', rowHead: true, cell: (cell) => <bdi>{cellLabel(report, cell)}</bdi> },
                      { head: 'time of a job', number: true, cell: (cell) => duration(report.cells.seconds[cell]) },
                      {
                        head: scale.title,
                        number: true,
                        cell: (cell) => interval(scale, report.cells.mean[cell], report.cells.ci95[cell]),
                      },
                    ]}
                  />
                )}
              >
                <Chart build={build} height={360} label={`Time of a job against ${scale.title}`} />
              </Figure>
            </>
          )}
          <div class="columns">
            {[...groups.axes.filter(({ rows }) => rows.length > 1), groups.worker, groups.device, groups.environment]
              .filter(({ rows }) => rows.length > 0)
              .map(({ title, rows }) => (
                <div key={title}>
                  <h3>
                    By <bdi>{title}</bdi>
                  </h3>
                  <SpentTable title={title} rows={rows} />
                </div>
              ))}
          </div>
          {report.spending.length > 0 && (
            <>
              <h3>Where additional seeds went</h3>
              <DataTable
                label="Additional seeds"
                rows={report.spending}
                columns={[
                  { head: 'when', rowHead: true, cell: ({ at_us }) => moment(at_us) },
                  { head: 'revision', number: true, cell: ({ revision }) => revision },
                  { head: 'cells', number: true, cell: (row) => count(row.cells) },
                  { head: 'jobs', number: true, cell: (row) => count(row.jobs) },
                  { head: 'why', wide: true, cell: ({ text }) => <bdi>{text}</bdi> },
                ]}
              />
            </>
          )}
        </>
      )}
    </Section>
  );
}

function SpentTable({ title, rows }: { title: string; rows: readonly Spent[] }) {
  const most = Math.max(...rows.map(({ mean }) => mean));
  const drawn = {
    head: <span class="hidden">time, drawn</span>,
    cell: ({ mean }: Spent) => (
      <span class="bar-cell short">
        <i class="bar" style={{ width: `${(mean / most) * 100}%` }} />
      </span>
    ),
  };
  return (
    <DataTable
      label={`Time by ${title}`}
      rows={rows}
      atMost={12}
      columns={[
        { head: title, rowHead: true, wide: true, cell: ({ name }) => <bdi>{name}</bdi> },
        ...(narrow.value ? [] : [drawn]),
        { head: <>s a job</>, number: true, cell: ({ mean, sd }) => secondsText(mean, sd) },
        { head: 'jobs', number: true, cell: ({ jobs }) => meanCount(jobs) },
        { head: 'in all', number: true, cell: ({ total }) => duration(total) },
      ]}
    />
  );
}

function secondsText(mean: number, sd: number): string {
  const decimals = Math.min(3, decimalsOf(mean));
  return isNumber(sd) ? `${fixed(mean, decimals)}\u00a0±\u00a0${fixed(sd, decimals)}` : fixed(mean, decimals);
}
