import { objectiveScale, scaleOf, type Scale } from '../format/metric';
import type { Report } from './report';

// What a cell has besides its levels: numbers to sort, brush and map by.

export const measureKeys = ['mean', 'test_accuracy', 'test_loss', 'train_loss', 'best_epoch', 'seconds'] as const;
export type MeasureKey = (typeof measureKeys)[number];

export interface Measure {
  key: MeasureKey;
  title: string;
  scale: Scale;
  lowIsGood: boolean;
  values: readonly (number | null)[];
}

export function isMeasure(key: string | undefined): key is MeasureKey {
  return (measureKeys as readonly string[]).includes(key ?? '');
}

export function measure(report: Report, key: MeasureKey): Measure {
  const values = report.cells[key];
  switch (key) {
    case 'mean': {
      const scale = objectiveScale(report.metric);
      return { key, title: scale.title, scale, lowIsGood: report.metric.goal === 'min', values };
    }
    case 'best_epoch':
      return {
        key,
        title: 'epoch that counts',
        scale: { ...scaleOf('epoch'), title: 'epoch that counts' },
        lowIsGood: true,
        values,
      };
    case 'seconds':
      return { key, title: 'time of a job', scale: { ...scaleOf('seconds'), title: 'time of a job' }, lowIsGood: true, values };
    default: {
      const scale = scaleOf(key);
      return { key, title: scale.title, scale, lowIsGood: !scale.share, values };
    }
  }
}

/** Those with at least one value. The objective comes first, even without. */
export function presentMeasures(report: Report): Measure[] {
  return measureKeys
    .filter((key) => key === 'mean' || report.cells[key].some((value) => value !== null))
    .filter((key) => key !== 'test_accuracy' || report.metric.name !== 'test_accuracy')
    .filter((key) => key !== 'test_loss' || report.metric.name !== 'test_loss')
    .map((key) => measure(report, key));
}
