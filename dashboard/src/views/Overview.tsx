import { useContext, useMemo } from 'preact/hooks';
import { PrintContext } from '../charts/Chart';
import { levelFull } from '../data/labels';
import type { JobState, Report } from '../data/report';
import { capital, difference, interval, intervalMeaning, objectiveScale, scaleOf, value } from '../format/metric';
import { count, plural, pValue, share } from '../format/number';
import { duration, moment } from '../format/time';
import { openCell } from '../parts/RankTable';
import { Empty, Section } from '../parts/Section';
import { LeaderPlot } from '../parts/LeaderPlot';
import { JobBar } from '../parts/JobBar';
import { linkTo } from '../state/route';
import { progress } from '../state/store';
import { Live } from './Live';

export function Overview({ report }: { report: Report }) {
  const { cells, sweep, metric } = report;
  const ahead = metric.goal === 'max' ? 1 : -1;
  const print = useContext(PrintContext);
  const scale = objectiveScale(metric);
  const ranked = cells.mean[0] !== null && cells.mean[0] !== undefined;
  const ties = cells.tied.filter((tied, i) => tied && cells.rank[i] === 1).length;
  const jobs = useMemo(() => countStates(report), [report]);
  const total = useMemo(() => report.jobs.seconds.reduce<number>((sum, s) => sum + (s ?? 0), 0), [report]);
  const live = report.made.live && !print ? progress.value : null;
  const kinds = new Set(cells.interval.slice(0, 1));
  const others = cells.mean.filter((mean) => mean !== null).length - 1;
  return (
    <Section
      id="overview"
      title="Overview"
      caption={
        ranked ? (
          <>
            {capital(scale.title)}
            {scale.unit && ` in ${scale.unit}`} of each job’s {metric.epoch} epoch
            {sweep.ranked_on_test
              ? ', on the test images'
              : sweep.validation > 0
                ? `, on ${share(sweep.validation, 0)} of the training images held out`
                : ''}
            . {intervalMeaning(kinds, sweep.evaluation_size)}
          </>
        ) : (
          'No job has a result yet; the ranking forms as jobs end.'
        )
      }
    >
      {ranked ? (
        <div class="headline">
          <p class="lead">
            {ties > 1 ? (
              <>{plural(ties, 'cell')} tie for the lead; the best mean is </>
            ) : others > 0 ? (
              <>The leader, clear of {others === 1 ? 'the other cell' : `the ${plural(others, 'other cell')}`}, has </>
            ) : (
              <>The only cell{cells.cell.length > 1 && ' with a result'} has </>
            )}
            <strong>{interval(scale, cells.mean[0], cells.ci95[0])}</strong> <span class="muted">n = {cells.n[0]}</span>
          </p>
          <dl class="leader-levels">
            {report.axes.map((axis, a) => (
              <div key={axis.name}>
                <dt>
                  <bdi>{axis.name}</bdi>
                </dt>
                <dd>
                  <bdi>{levelFull(report, a, cells.levels[a]![0]!)}</bdi>
                </dd>
              </div>
            ))}
          </dl>
          <p class="beside">
            {cells.test_accuracy[0] !== null && metric.name !== 'test_accuracy' && (
              <>
                Its test accuracy at the same epochs: {value(scaleOf('test_accuracy'), cells.test_accuracy[0])} (mean over seeds,
                not ranked by).{' '}
              </>
            )}
            {typeof cells.difference[1] === 'number' && (
              <>
                Ahead of the second by {difference(scale, ahead * cells.difference[1], cells.difference_ci95[1])}
                {cells.p[1] !== null && (
                  <>
                    , p {cells.p[1]! < 0.001 ? '' : '= '}
                    {pValue(cells.p[1])}
                  </>
                )}
                .{' '}
              </>
            )}
            <button type="button" class="link no-print" onClick={() => openCell(report, 0)}>
              Its jobs and all its figures
            </button>
          </p>
        </div>
      ) : (
        <Empty>There is no leader yet.</Empty>
      )}
      {live && <Live report={report} progress={live} />}
      {ranked && cells.cell.length > 1 && (
        <>
          <h3>The best cells</h3>
          <p class="caption">
            Mean {scale.title}
            {scale.unit && ` (${scale.unit})`} with its interval; filled: tied with the leader.{' '}
            <a class="no-print" href={linkTo('ranking')}>
              All {count(cells.cell.length)}
            </a>
          </p>
          <LeaderPlot report={report} />
        </>
      )}
      <h3>Key facts</h3>
      <dl class="facts">
        <div>
          <dt>grid</dt>
          <dd>
            {report.axes.length > 0
              ? report.axes.map((axis, i) => (
                  <>
                    {i > 0 && ' × '}
                    {axis.levels.length} <bdi>{axis.name}</bdi>
                  </>
                ))
              : 'one cell'}
            : {plural(cells.cell.length, 'cell')}, {plural(sweep.seeds, 'seed')} each
          </dd>
        </div>
        {report.constants.length > 0 && (
          <div>
            <dt>constant</dt>
            <dd>
              {report.constants.map(({ axis, level }, i) => (
                <>
                  {i > 0 && ', '}
                  <bdi>{axis}</bdi> <bdi>{level}</bdi>
                </>
              ))}
            </dd>
          </div>
        )}
        <div>
          <dt>data</dt>
          <dd>
            <bdi>{sweep.dataset}</bdi>: {count(sweep.train_size)} training images, {count(sweep.test_size)} test images
            {report.class_names.length > 0 && `, ${report.class_names.length} classes`}
          </dd>
        </div>
        <div>
          <dt>a job</dt>
          <dd>
            {plural(sweep.epochs, 'epoch')}, batches of {sweep.batch_size}
          </dd>
        </div>
        {!live && (
          <div>
            <dt>jobs</dt>
            <dd>
              <JobBar jobs={jobs} />
            </dd>
          </div>
        )}
        <div>
          <dt>time</dt>
          <dd>
            {duration(total)} of jobs on {plural(report.workers.length, 'worker')}; {moment(sweep.created_us)} to{' '}
            {sweep.finished_us === null ? 'now' : moment(sweep.finished_us)}
          </dd>
        </div>
        {largest(report) && (
          <div>
            <dt>matters most</dt>
            <dd>{largest(report)}</dd>
          </div>
        )}
      </dl>
    </Section>
  );
}

function countStates(report: Report): Record<JobState, number> {
  const jobs: Record<JobState, number> = { succeeded: 0, diverged: 0, failed: 0, running: 0, pending: 0, cancelled: 0 };
  for (const state of report.jobs.state) ++jobs[state];
  return jobs;
}

function largest(report: Report) {
  const main = report.effects.terms
    .filter((term) => term.axes.length === 1 && term.share !== null)
    .sort((a, b) => b.share! - a.share!);
  const first = main[0];
  return (
    first && (
      <>
        <bdi>{first.name}</bdi>, {share(first.share, 0)} of the variance
        {main[1] && (
          <>
            ; then <bdi>{main[1].name}</bdi>, {share(main[1].share, 0)}
          </>
        )}
      </>
    )
  );
}
