import { useContext, useMemo } from 'preact/hooks';
import { PrintContext, usePalette } from '../charts/Chart';
import { cellLabel } from '../data/labels';
import type { Report, Samples } from '../data/report';
import { orderedSamples, type Shown } from '../data/samples';
import { plural, share } from '../format/number';
import { rankText } from '../format/rank';
import { Check, Select } from '../parts/controls';
import { Picture } from '../parts/Picture';
import { Compared } from '../parts/Pins';
import { Empty, Section } from '../parts/Section';
import { WithSection } from '../parts/SectionState';
import { comparedCells } from '../state/pins';
import { route, setParams } from '../state/route';
import { pins, visible } from '../state/store';

export function Predictions({ report }: { report: Report }) {
  return (
    <Section
      id="predictions"
      title="Sample predictions"
      caption="The same sample of test images for every job; wrong ones first, then the least certain. Percent: the softmax probability that the network gives its answer, which is no measure of how often it is right."
    >
      <WithSection
        name="samples"
        none="There are no sample predictions yet: they come with a job’s last epoch, for the best cells."
      >
        {(samples) => <Images report={report} samples={samples} />}
      </WithSection>
    </Section>
  );
}

function Images({ report, samples }: { report: Report; samples: Samples }) {
  const palette = usePalette();
  const print = useContext(PrintContext);
  const { params } = route.value;
  const seeds = useMemo(
    () => [...new Set([...samples.jobs].filter((job) => job >= 0).map((job) => report.jobs.seed[job]!))].sort((a, b) => a - b),
    [samples, report],
  );
  const seed = seeds.includes(Number(params.seed)) ? Number(params.seed) : seeds[0];
  const onlyWrong = params.wrong === '1';
  const label = params.class !== undefined && params.class !== '' ? Number(params.class) : null;

  // By cell, the place in `samples.jobs` of its job with the seed, or else of any.
  const jobOfCell = useMemo(() => {
    const found = new Map<number, number>();
    samples.jobs.forEach((job, place) => {
      if (job < 0) return;
      const cell = report.jobs.cell[job]!;
      if (!found.has(cell) || report.jobs.seed[job] === seed) found.set(cell, place);
    });
    return found;
  }, [samples, report, seed]);
  const known = comparedCells(
    pins.value,
    visible.value.filter((cell) => jobOfCell.has(cell)),
    1,
  ).filter((cell) => jobOfCell.has(cell));
  const lost = pins.value.length - (pins.value.length > 0 ? known.length : 0);
  const jobs = known.map((cell) => jobOfCell.get(cell)!);
  const key = jobs.join('.');
  const shown = useMemo(
    () => orderedSamples(samples, jobs, (actual, wrong) => (label === null || actual === label) && (!onlyWrong || wrong > 0)),
    [samples, key, label, onlyWrong],
  );
  const size = samples.height * samples.width;
  const drawn = size > 0 && samples.pixels.length >= size * samples.image.length;
  const name = (at: number) => report.class_names[at] ?? `class ${at}`;
  // Digits and letters stand beside the image in large type; "Ankle boot" needs more room and less height.
  const words = report.class_names.some((text) => text.length > 3);
  const images = samples.image.length;
  const wrong = (job: number) => {
    let sum = 0;
    for (let i = 0; i < images; ++i) if (samples.predicted[job * images + i] !== samples.actual[i]) ++sum;
    return sum;
  };
  if (known.length === 0)
    return (
      <Empty>
        Predictions are kept for the best cells only, and none of them {pins.value.length > 0 ? 'is pinned' : 'passes the filter'}
        .
      </Empty>
    );
  return (
    <>
      {!print && (
        <div class="controls">
          {seeds.length > 1 && (
            <Select
              label="Seed"
              value={String(seed)}
              choices={seeds.map((s) => ({ value: String(s), text: String(s) }))}
              onChange={(next) => setParams({ seed: next })}
            />
          )}
          <Select
            label="Actual class"
            value={label === null ? '' : String(label)}
            onChange={(next) => setParams({ class: next })}
            choices={[
              { value: '', text: 'all' },
              ...[...new Set(samples.actual)].sort((a, b) => a - b).map((at) => ({ value: String(at), text: name(at) })),
            ]}
          />
          <Check checked={onlyWrong} onChange={(on) => setParams({ wrong: on ? '1' : undefined })}>
            only wrong ones
          </Check>
        </div>
      )}
      <Compared report={report} cells={known} />
      {lost > 0 && (
        <p class="hint">
          {plural(lost, 'pinned cell has', 'pinned cells have')} no predictions: they are kept for the best cells only.
        </p>
      )}
      <p class="summary">
        {known
          .map(
            (cell, i) =>
              `${known.length > 1 ? `${rankText(report.cells.rank[cell], report.cells.tied[cell])} ${cellLabel(report, cell)}: ` : ''}${wrong(jobs[i]!)} of ${images} wrong (${share(wrong(jobs[i]!) / images, 0)})`,
          )
          .join('; ')}
        .{!drawn && ' The images themselves are not at hand: the data set was not found when this was made.'}
      </p>
      {shown.length === 0 ? (
        <Empty>No image of the sample is like that.</Empty>
      ) : (
        <ol class={`samples${known.length > 1 ? ' several' : ''}${words ? ' words' : ''}`}>
          {shown.slice(0, print ? 48 : 1000).map((item) => (
            <li key={item.place} class={item.wrong > 0 ? 'wrong' : 'right'}>
              {drawn && (
                <Picture
                  pixels={samples.pixels.subarray(item.place * size, (item.place + 1) * size)}
                  height={samples.height}
                  width={samples.width}
                />
              )}
              <span class="actual">
                <span class="hidden">test image {samples.image[item.place]}, actual class </span>
                <bdi>{name(samples.actual[item.place]!)}</bdi>
              </span>
              <Answers item={item} samples={samples} name={name} colors={known.length > 1 ? palette.series : null} />
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function Answers({
  item,
  samples,
  name,
  colors,
}: {
  item: Shown;
  samples: Samples;
  name: (at: number) => string;
  colors: readonly string[] | null;
}) {
  return (
    <span class="answers">
      {item.predicted.map((label, i) => {
        const right = label === samples.actual[item.place];
        return (
          <span key={i} class={right ? 'answer' : 'answer no'}>
            {colors && <i class="swatch" style={{ background: colors[i] }} />}
            <span aria-hidden="true">{right ? '✓' : '✗'}</span>
            <span class="hidden">{right ? 'right' : 'wrong'}, predicted </span> <bdi>{name(label)}</bdi>{' '}
            <small>{share(item.confidence[i], 0)}</small>
          </span>
        );
      })}
    </span>
  );
}
