import type { Report } from './report';

export interface Grid {
  n: Int32Array; // cells with a value
  mean: Float64Array; // NaN: none
  sd: Float64Array; // over cells; NaN with fewer than two
  best: Int32Array; // position of the first such cell in the report's order, the best ranked; -1
  cells: Int32Array; // cells, with or without a value
}

/** Cells gathered by their levels on two axes; place = level on y × levels of x + level on x. One pass. */
export function gather(report: Report, visible: Int32Array, x: number, y: number, values: readonly (number | null)[]): Grid {
  const width = report.axes[x]!.levels.length;
  const size = width * report.axes[y]!.levels.length;
  const [ofX, ofY] = [report.cells.levels[x]!, report.cells.levels[y]!];
  const n = new Int32Array(size);
  const cells = new Int32Array(size);
  const best = new Int32Array(size).fill(-1);
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  for (const cell of visible) {
    const place = ofY[cell]! * width + ofX[cell]!;
    cells[place]!++;
    const value = values[cell];
    if (value === null || value === undefined) continue;
    if (best[place] === -1) best[place] = cell;
    // Welford's, so that nearly equal values keep their digits.
    const step = value - mean[place]!;
    n[place]!++;
    mean[place]! += step / n[place]!;
    squares[place]! += step * (value - mean[place]!);
  }
  const sd = squares.map((sum, place) => (n[place]! > 1 ? Math.sqrt(sum / (n[place]! - 1)) : NaN));
  for (let place = 0; place < size; ++place) if (n[place] === 0) mean[place] = NaN;
  return { n, mean, sd, best, cells };
}
