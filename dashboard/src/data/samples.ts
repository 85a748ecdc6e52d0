import type { Samples } from './report';

export interface Shown {
  place: number; // of the image in the sample
  predicted: number[]; // by compared job
  confidence: number[];
  wrong: number; // how many of the jobs are wrong
}

/** Wrong ones first: those that most jobs get wrong, then the most confident errors. */
export function orderedSamples(
  samples: Samples,
  jobs: readonly number[],
  keep: (actual: number, wrong: number) => boolean,
): Shown[] {
  const images = samples.image.length;
  const shown: Shown[] = [];
  for (let place = 0; place < images; ++place) {
    const predicted = jobs.map((job) => samples.predicted[job * images + place]!);
    const confidence = jobs.map((job) => samples.confidence[job * images + place]!);
    const wrong = predicted.filter((label) => label !== samples.actual[place]).length;
    if (keep(samples.actual[place]!, wrong)) shown.push({ place, predicted, confidence, wrong });
  }
  const doubt = ({ place, predicted, confidence, wrong }: Shown) =>
    wrong > 0
      ? Math.max(...confidence.map((c, i) => (predicted[i] !== samples.actual[place] ? c : 0)))
      : 1 - Math.min(...confidence);
  return shown.sort((a, b) => b.wrong - a.wrong || doubt(b) - doubt(a) || a.place - b.place);
}
