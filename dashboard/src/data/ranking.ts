import { scaleOf, objectiveScale, columnDecimals, bare, bareInterval, differenceUnit } from '../format/metric';
import { meanCount, pValue, share, count } from '../format/number';
import { duration } from '../format/time';
import { levelFull, levelShort } from './labels';
import type { Report } from './report';

// The columns of the ranked table, and its order.

export interface RankColumn {
  key: string;
  head: string;
  unit: string;
  help: string; // what it is, in a sentence
  number: boolean;
  width: number; // pixels
  text: (cell: number) => string;
  full?: (cell: number) => string; // where the text is shortened
  sort: (cell: number) => number | null; // ascending: what comes first
  bigFirst: boolean; // which order the first click gives
}

const characters = (text: string) => [...text].length;

function axisColumn(report: Report, axis: number): RankColumn {
  const { name, levels, short } = report.axes[axis]!;
  const of = report.cells.levels[axis]!;
  let longest = characters(name) + 2;
  for (let i = 0; i < levels.length; ++i) longest = Math.max(longest, characters(short[i] || levels[i]!));
  return {
    key: `axis.${name}`,
    head: name,
    unit: '',
    help: `level of the axis ${name}`,
    number: false,
    width: Math.min(220, Math.max(60, 18 + longest * 7.8)),
    text: (cell) => levelShort(report, axis, of[cell]!),
    full: (cell) => levelFull(report, axis, of[cell]!),
    sort: (cell) => of[cell]!,
    bigFirst: false,
  };
}

export function rankColumns(report: Report): RankColumn[] {
  const { cells, metric } = report;
  const scale = objectiveScale(metric);
  const places = columnDecimals(scale, cells.mean, cells.ci95);
  const differencePlaces = columnDecimals(scale, cells.difference, cells.difference_ci95);
  const accuracy = scaleOf('test_accuracy');
  const loss = scaleOf('test_loss');
  const has = (values: readonly (number | null)[]) => values.some((value) => value !== null);
  const column = (
    key: string,
    head: string,
    unit: string,
    width: number,
    help: string,
    values: readonly (number | null)[],
    text: (cell: number) => string,
    bigFirst = false,
  ): RankColumn => ({ key, head, unit, help, number: true, width, text, sort: (cell) => values[cell] ?? null, bigFirst });

  const columns = report.axes.map((_, axis) => axisColumn(report, axis));
  columns.push(
    column(
      'mean',
      scale.title,
      cells.ci95.some((ci) => ci !== null) ? `${scale.unit}, 95 % CI` : scale.unit,
      142,
      `mean of the ${scale.title} over seeds, at each job’s ${metric.epoch === 'best' ? 'best' : 'last'} epoch`,
      cells.mean,
      (cell) => bareInterval(scale, cells.mean[cell], cells.ci95[cell], places),
      metric.goal === 'max',
    ),
  );
  columns.push(column('n', 'n', 'seeds', 48, 'seeds with a finite result', cells.n, (cell) => count(cells.n[cell])));
  if (has(cells.test_accuracy) && metric.name !== 'test_accuracy') {
    columns.push(
      column(
        'test_accuracy',
        'test accuracy',
        '%',
        92,
        'mean over seeds, at the epoch that counts; not ranked by',
        cells.test_accuracy,
        (cell) => bare(accuracy, cells.test_accuracy[cell]),
        true,
      ),
    );
  }
  if (has(cells.difference)) {
    columns.push(
      column(
        'difference',
        'leader − cell',
        `${differenceUnit(scale)}, 95 % CI`,
        132,
        'difference to the leader over the seeds that both have; an interval that contains 0 is a tie',
        cells.difference,
        (cell) => bareInterval(scale, cells.difference[cell], cells.difference_ci95[cell], differencePlaces),
      ),
    );
  }
  if (has(cells.p)) {
    columns.push(
      column(
        'p',
        'p',
        'Holm',
        78,
        'of no difference to the leader, adjusted for the number of cells (Holm)',
        cells.p,
        (cell) => pValue(cells.p[cell]),
        true,
      ),
    );
  }
  if (has(cells.best_probability)) {
    columns.push(
      column(
        'best_probability',
        'P(best)',
        'bootstrap',
        84,
        'share of bootstrap samples in which the cell is the best',
        cells.best_probability,
        (cell) => share(cells.best_probability[cell], 1),
        true,
      ),
    );
  }
  if (has(cells.sd)) {
    columns.push(
      column('sd', 'sd', scale.unit, 68, 'standard deviation over seeds', cells.sd, (cell) => bare(scale, cells.sd[cell])),
    );
  }
  if (has(cells.test_loss) && metric.name !== 'test_loss') {
    columns.push(
      column('test_loss', 'test loss', 'nats', 84, 'mean over seeds', cells.test_loss, (cell) =>
        bare(loss, cells.test_loss[cell]),
      ),
    );
  }
  if (has(cells.train_loss)) {
    columns.push(
      column('train_loss', 'training loss', 'nats', 84, 'mean over seeds', cells.train_loss, (cell) =>
        bare(loss, cells.train_loss[cell]),
      ),
    );
  }
  columns.push(
    column('best_epoch', 'epoch', 'mean', 66, 'that counts, mean over seeds', cells.best_epoch, (cell) =>
      meanCount(round1(cells.best_epoch[cell])),
    ),
  );
  columns.push(
    column('seconds', 'time', 'a job', 92, 'of a job, mean over seeds', cells.seconds, (cell) => duration(cells.seconds[cell])),
  );
  if (cells.note.some((note) => note !== '')) {
    const length = cells.note.reduce((most, note) => Math.max(most, note.length), 0);
    columns.push({
      key: 'note',
      head: 'note',
      unit: '',
      help: 'what is out of the ordinary',
      number: false,
      width: Math.min(320, 24 + length * 7.2),
      text: (cell) => cells.note[cell]!,
      full: (cell) => cells.note[cell]!,
      sort: (cell) => (cells.note[cell] === '' ? null : -cells.diverged[cell]! - cells.failed[cell]!),
      bigFirst: false,
    });
  }
  return columns;
}

const round1 = (value: number | null | undefined) => (value === null || value === undefined ? null : Math.round(value * 10) / 10);

/** "mean", "-mean": descending. Cells without a value stay last in either order; equals stay in order of rank. */
export function sortCells(visible: Int32Array, columns: readonly RankColumn[], order: string | undefined): Int32Array {
  const descending = order?.startsWith('-') ?? false;
  const column = columns.find(({ key }) => key === order?.replace(/^-/, ''));
  if (!column) return visible;
  const keys = new Map<number, number>();
  for (const cell of visible) {
    const value = column.sort(cell);
    keys.set(cell, value === null || Number.isNaN(value) ? Infinity : descending ? -value : value);
  }
  return visible.slice().sort((a, b) => keys.get(a)! - keys.get(b)! || a - b || 0);
}

/** Ends of an axis that holds the middle of the intervals: one diverging cell must not squeeze all others. */
export function intervalDomain(report: Report, cells: Int32Array): [number, number] | null {
  const means: number[] = [];
  for (const cell of cells) {
    const mean = report.cells.mean[cell];
    if (mean !== null && mean !== undefined) means.push(mean);
  }
  if (means.length === 0) return null;
  const sorted = Float64Array.from(means).sort();
  const at = (place: number) => sorted[Math.round(place * (sorted.length - 1))]!;
  const high = report.metric.goal === 'max';
  // As far below the middle as the best is above it: the table is about the better half.
  let low = high ? Math.max(at(0.25), 2 * at(0.5) - at(1)) : at(0);
  let top = high ? at(1) : Math.min(at(0.75), 2 * at(0.5) - at(0));
  const widths: number[] = [];
  for (const cell of cells) {
    const ci = report.cells.ci95[cell];
    if (ci !== null && ci !== undefined) widths.push(ci);
    if (widths.length === 200) break;
  }
  const width = widths.length > 0 ? Float64Array.from(widths).sort()[widths.length >> 1]! : 0;
  const room = Math.max(width * 1.5, (top - low) * 0.04, Math.abs(top) * 1e-4, 1e-9);
  low -= room;
  top += room;
  if (report.metric.is_share) {
    low = Math.max(0, low);
    top = Math.min(1, top);
  }
  return [low, top];
}
