import { plain } from '../format/number';
import { fontFamily, type Palette } from './palette';

// Axes look alike in every chart: thin, without ticks, names at the end.

export function textStyle(palette: Palette, size = 12) {
  return { fontFamily, fontSize: size, color: palette.ink };
}

export function valueAxis(palette: Palette, name: string, more: object = {}) {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: 28,
    nameTextStyle: { ...textStyle(palette), color: palette.muted },
    scale: true,
    axisLine: { show: true, lineStyle: { color: palette.faint } },
    axisTick: { show: false },
    axisLabel: { ...textStyle(palette, 11), color: palette.muted, hideOverlap: true },
    splitLine: { lineStyle: { color: palette.rule } },
    ...more,
  };
}

export function categoryAxis(palette: Palette, data: readonly string[], more: object = {}) {
  return {
    type: 'category',
    data: [...data],
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...textStyle(palette, 11), color: palette.ink },
    splitLine: { show: false },
    ...more,
  };
}

/** An axis of stored shares labelled in percent: 0.85 → "85". */
export function scaled(factor: number) {
  return (value: number) => plain(Number((value * factor).toPrecision(6)));
}

let context: CanvasRenderingContext2D | null = null;

/** Width of the widest label in pixels, so that a chart can leave it room. */
export function widest(labels: readonly string[], size = 11, atMost = 240): number {
  context ??= document.createElement('canvas').getContext('2d');
  if (!context) return atMost;
  context.font = `${size}px ${fontFamily}`;
  let width = 0;
  for (const label of labels.length > 400 ? labels.slice(0, 400) : labels)
    width = Math.max(width, context.measureText(label).width);
  return Math.min(atMost, Math.ceil(width));
}
