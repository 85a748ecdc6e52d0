// Numbers as people read them; the same forms as in the command line's tables.

export const missing = '–';
/** Between a number and its unit or sign: never broken across lines. */
export const gap = '\u00a0';
const minus = '\u2212';
/** Significant digits of what is measured. */
const digits = 3;
/** Equal values have a deviation of a few rounding errors, which no digits are spent on. */
const noise = 1e-12;

export type Maybe = number | null | undefined;

export function isNumber(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/**
 * toFixed with a real minus, and no "−0.00". Halves, as decimals have them, are rounded away from zero though their double may be a
 * little below, as in the command line's tables: 81.05 is 81.1.
 */
export function fixed(value: number, decimals: number): string {
  const text = (value * (1 + Number.EPSILON)).toFixed(decimals);
  return text.startsWith('-') ? (Number(text) === 0 ? text.slice(1) : minus + text.slice(1)) : text;
}

/** 1234567 → "1,234,567". */
export function count(value: Maybe): string {
  if (!isNumber(value)) return missing;
  return fixed(Math.round(value), 0).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** "3", or one decimal if it is not whole: "8.7". */
export function meanCount(value: Maybe): string {
  if (!isNumber(value)) return missing;
  return Number.isInteger(value) ? count(value) : fixed(value, 1);
}

export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)}${gap}${value === 1 ? noun : nouns}`;
}

/** Three significant digits: 0.45123 → "0.451", 1234.5 → "1235", 0.00000123 → "1.23e−6". */
export function significant(value: Maybe): string {
  if (!isNumber(value)) return missing;
  return needsExponent(value) ? exponential(value, digits) : fixed(value, decimalsOf(value));
}

/** Where only the exponent form reads well. */
export function needsExponent(value: number): boolean {
  const size = Math.abs(value);
  return size > 0 && (size < 1e-3 || size >= 1e6);
}

export function exponential(value: number, wanted: number): string {
  return value
    .toExponential(wanted - 1)
    .replace(/-/g, minus)
    .replace('e+', 'e');
}

/** A learning rate or another free number, without trailing zeros: "0.001", "2.5e−5". */
export function plain(value: Maybe): string {
  if (!isNumber(value)) return missing;
  const text =
    Math.abs(value) < 1e-4 && value !== 0 ? value.toExponential(3).replace(/\.?0+e/, 'e') : String(Number(value.toPrecision(4)));
  return text.replace(/-/g, minus);
}

/** 0.123 → "12.3 %". */
export function share(value: Maybe, decimals = 1): string {
  return isNumber(value) ? `${fixed(value * 100, decimals)}${gap}%` : missing;
}

export function pValue(p: Maybe): string {
  if (!isNumber(p)) return missing;
  if (p < 0.001) return '<\u00a00.001';
  return p >= 0.995 ? '1.00' : fixed(p, p < 0.1 ? 3 : 2);
}

/** Decimals that show `wanted` significant digits: 84.987 → 1, 0.451 → 3, 9.996 → 1 (as 10.0). */
export function decimalsOf(value: number, wanted = digits): number {
  if (value === 0 || !Number.isFinite(value)) return 0;
  const exponent = Number(value.toExponential(wanted - 1).split('e')[1]);
  return Math.min(6, Math.max(0, wanted - 1 - exponent));
}

/**
 * Decimals of a value and its half width: the larger of the two has three significant digits, or as many more as the half
 * width needs to show its first: 84.99 ± 0.21 → 1, 84.99 ± 0.03 → 2, 0.5 ± 13.4 → 1.
 */
export function decimalsWith(value: number, halfWidth: number): number {
  if (halfWidth < noise * Math.abs(value)) return decimalsOf(value);
  return Math.max(decimalsOf(Math.max(Math.abs(value), Math.abs(halfWidth))), decimalsOf(halfWidth, 1));
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 ? value : fixed(value, 1)}${gap}${units[unit]}`;
}
