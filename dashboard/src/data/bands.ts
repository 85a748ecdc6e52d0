import type { Curves } from './report';

// Learning curves of a cell: its seeds' mean and extent by epoch.

export interface Band {
  epoch: number[];
  mean: number[];
  low: number[];
  high: number[];
  n: number[];
}

/** Which curve belongs to a job: -1 none. */
export function curveOfJob(curves: Curves, jobs: number): Int32Array {
  const of = new Int32Array(jobs).fill(-1);
  curves.job.forEach((job, k) => {
    if (job >= 0) of[job] = k;
  });
  return of;
}

/** The points of one curve that exist, from an epoch on. */
export function points(curves: Curves, metric: string, curve: number, from = 1): [number, number][] {
  const values = curves.values[metric];
  const found: [number, number][] = [];
  if (!values || curve < 0) return found;
  for (let at = curves.start[curve]!; at < curves.start[curve + 1]!; ++at) {
    if (curves.epoch[at]! >= from && Number.isFinite(values[at]!)) found.push([curves.epoch[at]!, values[at]!]);
  }
  return found;
}

/** Mean, least and greatest of the seeds that have a value at the epoch. */
export function band(curves: Curves, metric: string, of: Iterable<number>, from = 1): Band {
  const byEpoch = new Map<number, { n: number; sum: number; low: number; high: number }>();
  for (const curve of of) {
    for (const [epoch, value] of points(curves, metric, curve, from)) {
      const at = byEpoch.get(epoch);
      if (!at) byEpoch.set(epoch, { n: 1, sum: value, low: value, high: value });
      else {
        at.n += 1;
        at.sum += value;
        at.low = Math.min(at.low, value);
        at.high = Math.max(at.high, value);
      }
    }
  }
  const epochs = [...byEpoch.keys()].sort((a, b) => a - b);
  const all = epochs.map((epoch) => byEpoch.get(epoch)!);
  return {
    epoch: epochs,
    mean: all.map(({ sum, n }) => sum / n),
    low: all.map(({ low }) => low),
    high: all.map(({ high }) => high),
    n: all.map(({ n }) => n),
  };
}
