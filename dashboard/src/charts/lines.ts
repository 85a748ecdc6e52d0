import type { Option } from './echarts';
import { scaled, textStyle, valueAxis } from './axes';
import { dashes, type Palette } from './palette';
import { tip, tooltipStyle } from './tooltip';

// Lines over epochs, each with a band if it stands for several seeds.

export interface Line {
  name: string;
  points: readonly (readonly [number, number])[];
  low?: readonly number[]; // as many as points
  high?: readonly number[];
  thin?: boolean; // one of several seeds
  color: number; // place in the palette
}

interface Scale {
  title: string;
  unit: string;
  factor: number;
}

export interface LinesWish {
  lines: readonly Line[];
  scale: Scale;
  log: boolean;
  describe: (line: Line, index: number) => string; // a point in words
}

interface Api {
  coord: (point: [number, number]) => [number, number];
}

export function lines(palette: Palette, width: number, { lines: all, scale, log, describe }: LinesWish): Option {
  const usable = (value: number) => Number.isFinite(value) && (!log || value > 0);
  const bands = all
    .filter((line) => line.low && line.high)
    .map((line) => ({
      type: 'custom',
      silent: true,
      z: 1,
      clip: true,
      data: [[line.points[0]?.[0] ?? 1, line.points[0]?.[1] ?? 1]],
      tooltip: { show: false },
      renderItem: (_: unknown, api: Api) => {
        const kept = line.points.map((_, i) => i).filter((i) => usable(line.low![i]!) && usable(line.high![i]!));
        const above = kept.map((i) => api.coord([line.points[i]![0], line.high![i]!]));
        const below = kept.map((i) => api.coord([line.points[i]![0], line.low![i]!])).reverse();
        return above.length > 1
          ? {
              type: 'polygon',
              shape: { points: [...above, ...below] },
              style: { fill: palette.series[line.color], opacity: 0.16 },
            }
          : null;
      },
    }));
  // The axis must hold the bands as well as the lines.
  const extents = all
    .flatMap((line) => [...(line.low ?? []), ...(line.high ?? []), ...line.points.map(([, value]) => value)])
    .filter(usable);
  const [least, most] =
    extents.length > 0 ? [extents.reduce((a, b) => Math.min(a, b)), extents.reduce((a, b) => Math.max(a, b))] : [0, 1];
  const epochs = all.flatMap(({ points }) => (points.length > 0 ? [points[0]![0], points[points.length - 1]![0]] : []));
  const [first, last] = epochs.length > 0 ? [Math.min(...epochs), Math.max(...epochs)] : [1, 1];
  const unit = scale.unit ? `${scale.title} (${scale.unit})` : scale.title;
  return {
    grid: { left: 58, right: 14, top: 30, bottom: 46 },
    xAxis: valueAxis(palette, 'epoch', {
      min: first,
      max: Math.max(first + 1, last),
      minInterval: 1,
      splitLine: { show: false },
      nameGap: 26,
      splitNumber: width < 500 ? 5 : 10,
    }),
    yAxis: valueAxis(palette, unit, {
      type: log ? 'log' : 'value',
      nameLocation: 'end',
      nameGap: 12,
      nameTextStyle: { ...textStyle(palette), color: palette.muted, align: 'left', padding: [0, 0, 0, -46] },
      min: log ? least : undefined,
      max: log ? most : undefined,
      scale: true,
      axisLabel: { ...textStyle(palette, 11), color: palette.muted, hideOverlap: true, formatter: scaled(scale.factor) },
    }),
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: palette.muted, type: 'solid' }, label: { show: false } },
      formatter: (items: { seriesIndex: number; dataIndex: number; axisValue: number }[]) => {
        const shown = items.filter((item) => item.seriesIndex < all.length).slice(0, 16);
        return tip(
          `epoch ${shown[0]?.axisValue ?? ''}`,
          shown.map((item) => {
            const line = all[item.seriesIndex]!;
            return [line.name, describe(line, item.dataIndex)] as const;
          }),
        );
      },
    },
    series: [
      ...all.map((line) => ({
        type: 'line',
        name: line.name,
        showSymbol: line.points.length < 3,
        symbolSize: 5,
        z: line.thin ? 2 : 3,
        data: line.points.map(([x, y]) => [x, usable(y) ? y : NaN]),
        lineStyle: {
          width: line.thin ? 1 : 2,
          opacity: line.thin ? 0.6 : 1,
          color: palette.series[line.color],
          type: dashes[line.color],
        },
        itemStyle: { color: palette.series[line.color] },
        emphasis: { disabled: true },
      })),
      // Nothing to see: it makes the axis hold the bands, which it does not know of.
      {
        type: 'line',
        silent: true,
        showSymbol: false,
        lineStyle: { opacity: 0 },
        data: [
          [first, least],
          [first, most],
        ],
      },
      ...bands,
    ],
  };
}
