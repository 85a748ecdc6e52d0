import type { Confusions } from './report';

export interface Matrix {
  classes: number;
  counts: Float64Array; // actual × classes + predicted
  rows: Float64Array; // images of an actual class
}

/** Null: none is kept for the cell. */
export function matrixOf(confusions: Confusions, cell: number, classes: number): Matrix | null {
  const at = confusions.cells.indexOf(cell);
  if (at < 0) return null;
  const counts = new Float64Array(classes * classes);
  const rows = new Float64Array(classes);
  for (let k = confusions.start[at]!; k < confusions.start[at + 1]!; ++k) {
    const [actual, predicted, count] = [confusions.actual[k]!, confusions.predicted[k]!, confusions.count[k]!];
    if (actual >= classes || predicted >= classes) continue;
    counts[actual * classes + predicted]! += count;
    rows[actual]! += count;
  }
  return { classes, counts, rows };
}

export function shareAt(matrix: Matrix, actual: number, predicted: number): number {
  const row = matrix.rows[actual]!;
  return row > 0 ? matrix.counts[actual * matrix.classes + predicted]! / row : 0;
}

/** Half width of a 95 % interval of a share of `n`: 1.96 standard errors, smoothed as Agresti and Coull do, so that 0 of n has one. */
export function shareHalfWidth(share: number, n: number): number {
  if (n <= 0) return NaN;
  const smoothed = (share * n + 2) / (n + 4);
  return 1.96 * Math.sqrt((smoothed * (1 - smoothed)) / (n + 4));
}

export interface Confused {
  actual: number;
  predicted: number;
  share: number;
  other: number; // the second matrix's share; 0 without one
}

/** The pairs of classes that are confused most, or (with a second matrix) differ most. */
export function mostConfused(matrix: Matrix, other: Matrix | null, byDifference: boolean, atMost: number): Confused[] {
  const found: Confused[] = [];
  for (let actual = 0; actual < matrix.classes; ++actual) {
    for (let predicted = 0; predicted < matrix.classes; ++predicted) {
      if (actual === predicted) continue;
      const share = shareAt(matrix, actual, predicted);
      const second = other ? shareAt(other, actual, predicted) : 0;
      if (share > 0 || second > 0) found.push({ actual, predicted, share, other: second });
    }
  }
  const weight = (pair: Confused) => (byDifference ? Math.abs(pair.share - pair.other) : pair.share);
  return found.sort((a, b) => weight(b) - weight(a)).slice(0, atMost);
}

export function accuracy(matrix: Matrix): { share: number; n: number } {
  let right = 0;
  let n = 0;
  for (let i = 0; i < matrix.classes; ++i) {
    right += matrix.counts[i * matrix.classes + i]!;
    n += matrix.rows[i]!;
  }
  return { share: n > 0 ? right / n : NaN, n };
}
