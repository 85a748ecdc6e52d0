import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Report } from '../data/report';
import { count, share } from '../format/number';
import { moment } from '../format/time';
import { Section } from '../parts/Section';

export function SweepFile({ report }: { report: Report }) {
  const { sweep, made } = report;
  const [copied, setCopied] = useState('');
  const copy = () => {
    void navigator.clipboard.writeText(sweep.yaml).then(
      () => setCopied('Copied.'),
      () => setCopied('The browser does not allow it: select the text.'),
    );
  };
  const facts: [string, ComponentChildren][] = [
    [
      'sweep',
      <>
        <bdi>{sweep.name}</bdi> ({sweep.id}), {sweep.state}
      </>,
    ],
    [
      'data set',
      <>
        <bdi>{sweep.dataset}</bdi>, {count(sweep.train_size)} training and {count(sweep.test_size)} test images
      </>,
    ],
    ['its digest', <code>{sweep.dataset_digest || 'unknown'}</code>],
    ['held out', sweep.validation > 0 ? `${share(sweep.validation)} of the training images, for validation` : 'nothing'],
    [
      'ranked by',
      `${report.metric.name}, ${report.metric.goal === 'max' ? 'highest' : 'lowest'}, ${report.metric.epoch} epoch${sweep.ranked_on_test ? '; on the test images' : ''}`,
    ],
    [
      'objective measured on',
      sweep.evaluation_size > 0 ? `${count(sweep.evaluation_size)} images` : 'an unknown number of images',
    ],
    ['a job', `${count(sweep.epochs)} epochs, batches of ${count(sweep.batch_size)}`],
    ['seeds', count(sweep.seeds)],
    [
      'constant',
      report.constants.length === 0
        ? 'nothing'
        : report.constants.map(({ axis, level }, i) => (
            <>
              {i > 0 && ', '}
              <bdi>{axis}</bdi> = <bdi>{level}</bdi>
            </>
          )),
    ],
    ['created', moment(sweep.created_us)],
    ['finished', sweep.finished_us === null ? 'not yet' : moment(sweep.finished_us)],
    [made.live ? 'as of' : 'report made', `${moment(made.at_us)} by gridsweep ${made.version}`],
  ];
  return (
    <Section id="sweepfile" title="Sweep file and environment" caption="What was run, on what: enough to run it again.">
      <dl class="facts">
        {facts.map(([term, text]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <h3>Sweep file</h3>
      <div class="controls no-print">
        <button type="button" class="button" onClick={copy}>
          Copy
        </button>{' '}
        <span role="status">{copied}</span>
      </div>
      <pre class="yaml" tabIndex={0} role="region" aria-label="Sweep file">
        <bdi>{sweep.yaml}</bdi>
      </pre>
      <h3>Environments</h3>
      {report.environments.length === 0 ? (
        <p class="empty">No job has run yet.</p>
      ) : (
        <ul class="plain">
          {report.environments.map((text) => (
            <li key={text}>
              <bdi>{text}</bdi>
            </li>
          ))}
        </ul>
      )}
      <h3>Workers and devices</h3>
      <p>
        {report.workers.length === 0 ? (
          'None yet.'
        ) : (
          <>
            {report.workers.map((name, i) => (
              <>
                {i > 0 && ', '}
                <bdi>{name}</bdi>
              </>
            ))}
            ;{' '}
            {report.devices.map((name, i) => (
              <>
                {i > 0 && ', '}
                <bdi>{name}</bdi>
              </>
            ))}
            .
          </>
        )}
      </p>
    </Section>
  );
}
