import { isMeasure, measure, type MeasureKey } from './measures';
import type { Report } from './report';

// The one filter of all views, as it stands in the address.

export interface Filter {
  levels: Map<number, Set<number>>; // axis → levels that are shown; an axis that is missing is not filtered
  ranges: Map<MeasureKey, [number, number][]>; // stored values; any of them
  onlyResults: boolean;
  text: string;
}

export type Params = Record<string, string>;

export const noFilter: Filter = { levels: new Map(), ranges: new Map(), onlyResults: false, text: '' };

export function isFiltered(filter: Filter): boolean {
  return filter.levels.size > 0 || filter.ranges.size > 0 || filter.onlyResults || filter.text !== '';
}

export function parseFilter(params: Params, report: Report): Filter {
  const filter: Filter = { levels: new Map(), ranges: new Map(), onlyResults: params.results === '1', text: params.q ?? '' };
  report.axes.forEach((axis, i) => {
    const text = params[`f.${axis.name}`];
    if (text === undefined) return;
    const levels = text
      .split('.')
      .map(Number)
      .filter((level) => Number.isInteger(level) && level >= 0 && level < axis.levels.length);
    if (levels.length > 0) filter.levels.set(i, new Set(levels));
  });
  for (const [name, text] of Object.entries(params)) {
    const key = name.startsWith('r.') ? name.slice(2) : undefined;
    if (!isMeasure(key)) continue;
    const ranges = text
      .split('_')
      .map((range) => range.split('~').map(Number))
      .filter((range): range is [number, number] => range.length === 2 && range.every(Number.isFinite));
    if (ranges.length > 0) filter.ranges.set(key, ranges);
  }
  return filter;
}

/** Undefined takes a parameter out of the address. */
export type Patch = Record<string, string | undefined>;

export function levelsPatch(report: Report, axis: number, levels: ReadonlySet<number> | null): Patch {
  const { name, levels: all } = report.axes[axis]!;
  const some = levels !== null && levels.size > 0 && levels.size < all.length;
  return { [`f.${name}`]: some ? [...levels].sort((a, b) => a - b).join('.') : undefined };
}

export function rangesPatch(key: MeasureKey, ranges: readonly (readonly [number, number])[]): Patch {
  const text = ranges.map((range) => range.map((end) => Number(end.toPrecision(6))).join('~')).join('_');
  return { [`r.${key}`]: text || undefined };
}

export function clearPatch(params: Params): Patch {
  const patch: Patch = { results: undefined, q: undefined };
  for (const name of Object.keys(params)) if (/^[fr]\./.test(name)) patch[name] = undefined;
  return patch;
}

/** Positions of the cells that pass, in the report's order: by rank. */
export function visibleCells(report: Report, filter: Filter): Int32Array {
  const { cells } = report;
  const total = cells.cell.length;
  const passes = new Uint8Array(total).fill(1);
  for (const [axis, levels] of filter.levels) {
    const of = cells.levels[axis]!;
    for (let i = 0; i < total; ++i) if (!levels.has(of[i]!)) passes[i] = 0;
  }
  for (const [key, ranges] of filter.ranges) {
    const { values } = measure(report, key);
    for (let i = 0; i < total; ++i) {
      const value = values[i];
      if (value === null || value === undefined || !ranges.some(([low, high]) => value >= low && value <= high)) passes[i] = 0;
    }
  }
  if (filter.onlyResults) for (let i = 0; i < total; ++i) if (cells.mean[i] === null) passes[i] = 0;
  if (filter.text !== '') keepMatches(report, filter.text, passes);
  let kept = 0;
  for (let i = 0; i < total; ++i) kept += passes[i]!;
  const visible = new Int32Array(kept);
  for (let i = 0, k = 0; i < total; ++i) if (passes[i]) visible[k++] = i;
  return visible;
}

/** Every word of the text must occur in one of the cell's levels or in its note. */
function keepMatches(report: Report, text: string, passes: Uint8Array): void {
  const { cells, axes } = report;
  for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const matching = axes.map((axis) => axis.levels.map((level) => level.toLowerCase().includes(word)));
    for (let i = 0; i < passes.length; ++i) {
      if (!passes[i]) continue;
      const found =
        matching.some((levels, axis) => levels[cells.levels[axis]![i]!]) || cells.note[i]!.toLowerCase().includes(word);
      if (!found) passes[i] = 0;
    }
  }
}
