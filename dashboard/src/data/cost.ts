import type { Report } from './report';

export interface Spent {
  name: string;
  jobs: number;
  total: number; // seconds
  mean: number; // seconds a job
  sd: number; // over jobs; NaN with fewer than two
}

class Sum {
  jobs = 0;
  total = 0;
  private mean = 0;
  private squares = 0;
  add(seconds: number): void {
    ++this.jobs;
    this.total += seconds;
    const step = seconds - this.mean;
    this.mean += step / this.jobs;
    this.squares += step * (seconds - this.mean);
  }
  as(name: string): Spent {
    return {
      name,
      jobs: this.jobs,
      total: this.total,
      mean: this.jobs ? this.mean : NaN,
      sd: this.jobs > 1 ? Math.sqrt(this.squares / (this.jobs - 1)) : NaN,
    };
  }
}

/** Time of the jobs that pass, gathered by whatever `group` says (-1: not counted). */
export function spentBy(
  report: Report,
  passes: Uint8Array,
  names: readonly string[],
  group: (job: number) => number | null,
): Spent[] {
  const sums = names.map(() => new Sum());
  report.jobs.seconds.forEach((seconds, job) => {
    if (seconds === null || !passes[report.jobs.cell[job]!]) return;
    const at = group(job);
    if (at !== null) sums[at]?.add(seconds);
  });
  return sums.map((sum, i) => sum.as(names[i]!));
}

export function asMask(visible: Int32Array, cells: number): Uint8Array {
  const mask = new Uint8Array(cells);
  for (const cell of visible) mask[cell] = 1;
  return mask;
}

/** Cells that no other one beats in both time and objective, from the quickest on. */
export function frontier(report: Report, visible: Int32Array): number[] {
  const { mean, seconds } = report.cells;
  const sign = report.metric.goal === 'max' ? 1 : -1;
  const candidates = [...visible].filter((cell) => mean[cell] !== null && seconds[cell] !== null);
  candidates.sort((a, b) => seconds[a]! - seconds[b]! || sign * (mean[b]! - mean[a]!));
  const kept: number[] = [];
  let best = -Infinity;
  for (const cell of candidates) {
    if (sign * mean[cell]! <= best) continue;
    best = sign * mean[cell]!;
    kept.push(cell);
  }
  return kept;
}
