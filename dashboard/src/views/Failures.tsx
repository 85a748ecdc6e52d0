import { useMemo } from 'preact/hooks';
import { byReason } from '../data/failures';
import { asMask } from '../data/cost';
import { cellLabel, levelShort } from '../data/labels';
import type { Report } from '../data/report';
import { count, plural, share } from '../format/number';
import { moment } from '../format/time';
import { DataTable } from '../parts/DataTable';
import { openCell } from '../parts/RankTable';
import { Empty, Section } from '../parts/Section';
import { visible } from '../state/store';

export function Failures({ report }: { report: Report }) {
  const cells = visible.value;
  const failures = useMemo(() => {
    const mask = asMask(cells, report.cells.cell.length);
    return report.failures.filter((failure) => mask[failure.cell]);
  }, [report, cells]);
  const { attempts } = report;
  const reasons = useMemo(() => byReason(failures), [failures]);
  const diverged = failures.filter(({ state }) => state === 'diverged').length;
  return (
    <Section
      id="failures"
      title="Failures and diverged jobs"
      caption={
        <>
          A diverged job’s loss is no longer finite; a failed one has used up its attempts. Neither counts in means. In the whole
          sweep: {plural(attempts.total, 'attempt')}, of which {count(attempts.failed)} failed, {count(attempts.lost)} were lost
          with their worker and {count(attempts.preempted)} gave way to others.
        </>
      }
    >
      {failures.length === 0 ? (
        <Empty>
          {report.failures.length === 0
            ? 'No job has failed or diverged.'
            : 'No job that passes the filter has failed or diverged.'}
        </Empty>
      ) : (
        <>
          <p class="summary">
            {plural(diverged, 'job')} diverged, {plural(failures.length - diverged, 'job')} failed.
          </p>
          <h3>By reason</h3>
          <DataTable
            label="Reasons"
            rows={reasons}
            atMost={20}
            columns={[
              { head: 'jobs', number: true, cell: ({ jobs }) => count(jobs) },
              { head: 'state', cell: ({ state }) => state },
              { head: 'reason', rowHead: true, wide: true, cell: ({ reason }) => <bdi>{reason}</bdi> },
            ]}
          />
          <h3>By level</h3>
          <p class="caption">
            Share of a level’s jobs that diverged or failed (%), ± 1.96 standard errors; levels without any are left out.
          </p>
          <ByLevel report={report} cells={cells} />
          <h3>Every job</h3>
          <DataTable
            label="Failed and diverged jobs, newest first"
            rows={failures}
            atMost={50}
            columns={[
              {
                head: 'job',
                number: true,
                rowHead: true,
                cell: ({ job, cell }) => (
                  <button type="button" class="link" onClick={() => openCell(report, cell)}>
                    {job}
                  </button>
                ),
              },
              { head: 'state', cell: ({ state }) => state },
              { head: 'cell', cell: ({ cell }) => <bdi>{cellLabel(report, cell)}</bdi> },
              { head: 'seed', number: true, cell: ({ seed }) => seed },
              { head: 'reason', wide: true, cell: ({ reason }) => <bdi>{reason}</bdi> },
              { head: 'attempts', number: true, cell: ({ attempts: n }) => n },
              { head: 'worker', cell: ({ worker }) => <bdi>{worker}</bdi> },
              { head: 'ended', cell: ({ ended_us }) => moment(ended_us) },
            ]}
          />
        </>
      )}
    </Section>
  );
}

function ByLevel({ report, cells }: { report: Report; cells: Int32Array }) {
  const rows = useMemo(() => {
    const { cells: table } = report;
    return report.axes
      .flatMap(({ name, levels }, axis) => {
        const jobs = new Int32Array(levels.length);
        const diverged = new Int32Array(levels.length);
        const failed = new Int32Array(levels.length);
        const of = table.levels[axis]!;
        for (const cell of cells) {
          const level = of[cell]!;
          jobs[level]! +=
            table.pending[cell]! +
            table.running[cell]! +
            table.succeeded[cell]! +
            table.diverged[cell]! +
            table.failed[cell]! +
            table.cancelled[cell]!;
          diverged[level]! += table.diverged[cell]!;
          failed[level]! += table.failed[cell]!;
        }
        return levels.map((_, level) => ({
          axis: name,
          level: levelShort(report, axis, level),
          jobs: jobs[level]!,
          diverged: diverged[level]!,
          failed: failed[level]!,
        }));
      })
      .filter(({ diverged, failed }) => diverged + failed > 0)
      .sort((a, b) => (b.diverged + b.failed) / b.jobs - (a.diverged + a.failed) / a.jobs);
  }, [report, cells]);
  return (
    <DataTable
      label="Failures by level"
      rows={rows}
      atMost={15}
      columns={[
        { head: 'axis', cell: ({ axis }) => <bdi>{axis}</bdi> },
        { head: 'level', rowHead: true, cell: ({ level }) => <bdi>{level}</bdi> },
        {
          head: 'share',
          number: true,
          cell: ({ jobs, diverged, failed }) => {
            const p = (diverged + failed) / jobs;
            return `${share(p).replace(/\u00a0%/, '')}\u00a0±\u00a0${share(1.96 * Math.sqrt((p * (1 - p)) / jobs))}`;
          },
        },
        {
          head: <span class="hidden">share, drawn</span>,
          cell: ({ jobs, diverged, failed }) => (
            <span class="bar-cell">
              <i class="bar bad" style={{ width: `${((diverged + failed) / jobs) * 100}%` }} />
            </span>
          ),
        },
        { head: 'diverged', number: true, cell: ({ diverged }) => count(diverged) },
        { head: 'failed', number: true, cell: ({ failed }) => count(failed) },
        { head: 'jobs', number: true, cell: ({ jobs }) => count(jobs) },
      ]}
    />
  );
}
