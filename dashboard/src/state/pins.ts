import type { Patch } from '../data/filter';

// Pinned cells are compared in the curves, the confusion matrices and the predictions. The address has their ids, because
// positions change while a sweep runs.

export const maxPins = 8;

/** Ids "12.5.7" → positions in `cells`, unknown ones left out. */
export function parsePins(text: string, cells: readonly number[]): number[] {
  return [...new Set(text.split('.').filter(Boolean).map(Number))]
    .map((id) => cells.indexOf(id))
    .filter((cell) => cell >= 0)
    .slice(0, maxPins);
}

export function pinsPatch(pins: readonly number[], cells: readonly number[]): Patch {
  return { pins: pins.map((cell) => cells[cell]).join('.') || undefined };
}

/** With the cell, or without it if it was among them. A ninth is refused. */
export function togglePin(pins: readonly number[], cell: number): number[] {
  if (pins.includes(cell)) return pins.filter((other) => other !== cell);
  return pins.length < maxPins ? [...pins, cell] : [...pins];
}

/** What a comparing view shows: the pinned cells, else the best of those that pass the filter. */
export function comparedCells(pins: readonly number[], visible: Int32Array, atMost: number): number[] {
  return pins.length > 0 ? [...pins] : [...visible.subarray(0, atMost)];
}
