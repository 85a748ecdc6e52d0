import type { Report } from './report';

export function levelShort(report: Report, axis: number, level: number): string {
  const found = report.axes[axis];
  return found?.short[level] || found?.levels[level] || '–';
}

export function levelFull(report: Report, axis: number, level: number): string {
  return report.axes[axis]?.levels[level] ?? '–';
}

/** A name that is written from right to left, or that turns directions, keeps that to itself: within isolates. */
export function isolated(text: string): string {
  return /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufefc]/.test(text) ? `\u2068${text}\u2069` : text;
}

/** "cnn · relu · adam": the levels that vary; "the only cell" if none does. */
export function cellLabel(report: Report, cell: number): string {
  if (report.axes.length === 0) return 'the only cell';
  return report.axes.map((_, axis) => isolated(levelShort(report, axis, report.cells.levels[axis]![cell]!))).join(' · ');
}

/** The cells' jobs lie side by side: [first, end) of `jobs` for every cell. */
export function jobRanges(report: Report): Int32Array {
  const cells = report.cells.cell.length;
  const start = new Int32Array(cells + 1);
  for (const cell of report.jobs.cell) if (cell >= 0 && cell < cells) start[cell + 1]!++;
  for (let i = 0; i < cells; ++i) start[i + 1]! += start[i]!;
  return start;
}
