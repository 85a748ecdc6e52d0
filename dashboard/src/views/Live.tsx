import { useCallback } from 'preact/hooks';
import { Chart, usePalette } from '../charts/Chart';
import { lines } from '../charts/lines';
import type { Progress, Report } from '../data/report';
import { capital, objectiveScale, value } from '../format/metric';
import { count, fixed, plural, share } from '../format/number';
import { ago, roughly } from '../format/time';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { JobBar } from '../parts/JobBar';
import { connection } from '../state/store';

const mostCurves = 8;

/** What only a running sweep has: progress, its jobs' curves so far, workers. */
export function Live({ report, progress }: { report: Report; progress: Progress }) {
  const { epochs_done, epochs_total } = progress;
  const part = epochs_total > 0 ? epochs_done / epochs_total : 0;
  const active = progress.state === 'active';
  return (
    <div class="live">
      <h3>Progress</h3>
      {progress.trouble && (
        <p class="alert" role="alert">
          <bdi>{progress.trouble}</bdi>
        </p>
      )}
      {connection.value === 'lost' && (
        <p class="alert" role="alert">
          The coordinator does not answer; what is below is the last that it said.
        </p>
      )}
      <div class="progress-line">
        <progress max={1} value={part} aria-label="Epochs done" />
        <span>
          <b>{share(part)}</b> · {count(epochs_done)} of {count(epochs_total)} epochs
          {active ? (
            <>
              {' '}
              · {fixed(progress.epochs_per_minute, 1)} epochs/min
              {progress.eta_seconds !== null && (
                <>
                  {' '}
                  · <b>about {roughly(progress.eta_seconds)} left</b> (at this pace)
                </>
              )}
            </>
          ) : (
            <> · {progress.state}</>
          )}
        </span>
      </div>
      <JobBar jobs={progress.jobs} />
      {progress.waiting_for && (
        <p class="hint">
          Waiting: <bdi>{progress.waiting_for}</bdi>
        </p>
      )}
      {progress.running.length > 0 && <Running report={report} progress={progress} />}
      {progress.recent_failures.length > 0 && (
        <>
          <h3>Recent failures</h3>
          <ul class="plain">
            {progress.recent_failures.map((text, i) => (
              <li key={i}>
                <bdi>{text}</bdi>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>Workers</h3>
      {progress.workers.length === 0 ? (
        <p class="empty">No worker is connected; “gridsweep-worker --help” says how to start one.</p>
      ) : (
        <DataTable
          label="Workers"
          rows={progress.workers}
          columns={[
            { head: 'worker', rowHead: true, cell: ({ name }) => <bdi>{name}</bdi> },
            { head: 'host', cell: ({ host }) => <bdi>{host}</bdi> },
            { head: 'state', cell: ({ state }) => <span class={`state ${state}`}>{state}</span> },
            { head: 'devices', cell: ({ devices }) => <bdi>{devices.join(', ')}</bdi> },
            { head: 'jobs', number: true, cell: ({ running, slots }) => `${running} of ${slots}` },
            { head: 'last seen', number: true, cell: ({ last_seen_us }) => ago(last_seen_us) },
            { head: 'note', wide: true, cell: ({ note }) => <bdi>{note}</bdi> },
          ]}
        />
      )}
    </div>
  );
}

function Running({ report, progress }: { report: Report; progress: Progress }) {
  const palette = usePalette();
  const scale = objectiveScale(report.metric);
  const jobs = progress.running;
  const drawn = jobs.slice(0, mostCurves);
  const build = useCallback(
    (width: number) =>
      lines(palette, width, {
        lines: drawn.map((job, color) => ({
          name: `${job.label}, seed ${job.seed}`,
          color,
          points: job.curve.flatMap((v, i) => (v === null ? [] : [[i + 1, v] as const])),
        })),
        scale,
        log: false,
        describe: (line, i) => value(scale, line.points[i]?.[1]),
      }),
    [palette, jobs],
  );
  const last = (curve: readonly (number | null)[]) => curve.reduce((found, v) => v ?? found, null);
  return (
    <>
      <h3>Running jobs</h3>
      <p class="caption">
        {capital(scale.title)}
        {scale.unit && ` (${scale.unit})`} by epoch, one seed each, so far; without interval.
        {jobs.length > drawn.length && ` The first ${mostCurves} of ${jobs.length} are drawn.`}
      </p>
      <Figure>
        {drawn.some(({ curve }) => curve.some((v) => v !== null)) && (
          <Chart build={build} height={240} label={`${scale.title} of ${plural(drawn.length, 'running job')}`} />
        )}
      </Figure>
      <DataTable
        label="Running jobs"
        rows={jobs}
        atMost={24}
        columns={[
          {
            head: <span class="hidden">colour</span>,
            cell: (_, i) => (i < mostCurves ? <i class="swatch" style={{ background: palette.series[i] }} /> : ''),
          },
          { head: 'job', number: true, rowHead: true, cell: ({ job }) => job },
          { head: 'cell', cell: ({ label }) => <bdi>{label}</bdi> },
          { head: 'seed', number: true, cell: ({ seed }) => seed },
          { head: 'epoch', number: true, cell: ({ epoch }) => `${epoch} of ${report.sweep.epochs}` },
          { head: scale.title, number: true, cell: ({ curve }) => value(scale, last(curve)) },
          { head: 'worker', cell: ({ worker }) => <bdi>{worker}</bdi> },
          { head: 'device', cell: ({ device }) => <bdi>{device}</bdi> },
        ]}
      />
    </>
  );
}
