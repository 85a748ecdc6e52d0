import type { IntervalKind, MetricInfo } from '../data/report';
import {
  decimalsOf,
  decimalsWith,
  exponential,
  fixed,
  gap,
  isNumber,
  missing,
  needsExponent,
  significant,
  type Maybe,
} from './number';

// A metric's values: accuracies are shares shown as percent, losses are nats.

export interface Scale {
  name: string;
  title: string; // "validation accuracy"
  unit: string; // "%", "nats", ""
  factor: number; // from the stored value to the shown one
  share: boolean;
}

const words: Record<string, string> = { val: 'validation', lr: 'learning rate', train: 'training' };

/** "val_accuracy" → "validation accuracy". */
export function metricTitle(name: string): string {
  return name
    .split('_')
    .map((word) => words[word] ?? word)
    .join(' ');
}

export function scaleOf(name: string): Scale {
  const share = name.endsWith('accuracy') || name.endsWith('share');
  const unit = share ? '%' : name.endsWith('loss') ? 'nats' : /seconds|time/.test(name) ? 's' : '';
  return { name, title: metricTitle(name), unit, factor: share ? 100 : 1, share };
}

export function objectiveScale(metric: MetricInfo): Scale {
  return { ...scaleOf(metric.name), unit: metric.unit, factor: metric.is_share ? 100 : 1, share: metric.is_share };
}

const withUnit = (text: string, unit: string) => (unit ? `${text}${gap}${unit}` : text);

/** Without the unit, which the column's head names. */
export function bare(scale: Scale, value: Maybe, decimals?: number): string {
  if (!isNumber(value)) return missing;
  if (decimals !== undefined) return fixed(value * scale.factor, decimals);
  return significant(value * scale.factor);
}

export function value(scale: Scale, value: Maybe, decimals?: number): string {
  return isNumber(value) ? withUnit(bare(scale, value, decimals), scale.unit) : missing;
}

/** "85.0 ± 0.2 %", "84.99 ± 0.03 %": three significant digits, more where the half width needs them. */
export function interval(scale: Scale, mean: Maybe, halfWidth: Maybe, decimals?: number): string {
  if (!isNumber(mean)) return missing;
  if (!isNumber(halfWidth)) return value(scale, mean, decimals);
  return withUnit(bareInterval(scale, mean, halfWidth, decimals), scale.unit);
}

export function bareInterval(scale: Scale, mean: Maybe, halfWidth: Maybe, decimals?: number): string {
  if (!isNumber(mean)) return missing;
  if (!isNumber(halfWidth)) return bare(scale, mean, decimals);
  if (decimals === undefined && needsExponent(Math.max(Math.abs(mean), halfWidth) * scale.factor))
    return `${exponential(mean * scale.factor, 3)}${gap}±${gap}${exponential(halfWidth * scale.factor, 1)}`;
  const places = decimals ?? decimalsWith(mean * scale.factor, halfWidth * scale.factor);
  return `${fixed(mean * scale.factor, places)}${gap}±${gap}${fixed(halfWidth * scale.factor, places)}`;
}

/** "84.96 … 84.99": with the decimals that tell its ends apart. */
export function rangeText(scale: Scale, [low, high]: readonly [number, number]): string {
  const decimals = decimalsWith(high * scale.factor, (high - low) * scale.factor);
  return `${bare(scale, low, decimals)} … ${bare(scale, high, decimals)}`;
}

/** A difference of shares is in percentage points. */
export function difference(scale: Scale, mean: Maybe, halfWidth: Maybe, decimals?: number): string {
  if (!isNumber(mean)) return missing;
  return withUnit(bareInterval(scale, mean, halfWidth, decimals), scale.share ? 'pp' : scale.unit);
}

export function differenceUnit(scale: Scale): string {
  return scale.share ? 'pp' : scale.unit;
}

/** One number of decimals for a whole column, so that its points are aligned: what fits the middle one of its values. */
export function columnDecimals(scale: Scale, means: readonly Maybe[], halfWidths: readonly Maybe[]): number {
  const fitting: number[] = [];
  means.forEach((mean, at) => {
    if (!isNumber(mean)) return;
    const halfWidth = halfWidths[at];
    fitting.push(
      isNumber(halfWidth) ? decimalsWith(mean * scale.factor, halfWidth * scale.factor) : decimalsOf(mean * scale.factor),
    );
  });
  return fitting.sort((a, b) => a - b)[fitting.length >> 1] ?? 0;
}

/** What ± is, in the words of a caption. */
export function intervalMeaning(kinds: Iterable<IntervalKind>, evaluationSize: number): string {
  const present = new Set(kinds);
  const sentences: string[] = [];
  if (present.has('student_t'))
    sentences.push('± is the half width of the 95 % confidence interval of the mean over seeds (Student’s t).');
  if (present.has('binomial')) {
    const images = evaluationSize > 0 ? `${evaluationSize.toLocaleString('en')} evaluation images` : 'evaluation images';
    sentences.push(
      `${present.has('student_t') ? 'Where there is one' : 'One'} seed: ± is 1.96 standard errors of the ${images}, not of other seeds.`,
    );
  }
  if (present.has('none') && present.size === 1)
    sentences.push('One seed and no share of images: there is nothing to make an uncertainty from, so none is given.');
  return sentences.join(' ');
}

/** At the beginning of a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
