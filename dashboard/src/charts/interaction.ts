import type { Grid } from '../data/heatmap';
import { levelShort } from '../data/labels';
import type { Report } from '../data/report';
import { interval, objectiveScale } from '../format/metric';
import type { Option } from './echarts';
import { categoryAxis, scaled, textStyle, valueAxis, widest } from './axes';
import { dashes, type Palette } from './palette';
import { tip, tooltipStyle } from './tooltip';

interface Api {
  value: (dimension: number) => number;
  coord: (point: [number, number]) => [number, number];
}

const mostLines = 8;

export function interaction(palette: Palette, width: number, report: Report, grid: Grid, x: number, line: number): Option {
  const scale = objectiveScale(report.metric);
  const columns = report.axes[x]!.levels.length;
  const count = Math.min(mostLines, report.axes[line]!.levels.length);
  const labels = report.axes[x]!.levels.map((_, level) => levelShort(report, x, level));
  const names = Array.from({ length: count }, (_, level) => levelShort(report, line, level));
  const right = Math.min(widest(names, 11, 160) + 20, width * 0.3);
  const room = (width - 58 - right) / columns;
  const turned = widest(labels) + 10 > room;
  const series = names.map((name, level) => {
    const shift = columns > 12 || count === 1 ? 0 : (level - (count - 1) / 2) * Math.min(7, room / (count + 2));
    const at = Array.from({ length: columns }, (_, i) => level * columns + i);
    const color = palette.series[level]!;
    return [
      {
        type: 'line',
        name,
        data: at.map((place) => (grid.n[place]! > 0 ? grid.mean[place]! : null)),
        symbolSize: 6,
        symbol: 'circle',
        connectNulls: false,
        lineStyle: { color, width: 1.5, type: dashes[level] },
        itemStyle: { color },
        endLabel: {
          show: true,
          formatter: () => name,
          ...textStyle(palette, 11),
          color,
          width: right - 12,
          overflow: 'truncate',
        },
        labelLayout: { moveOverlap: 'shiftY' },
        emphasis: { disabled: true },
      },
      {
        type: 'custom',
        silent: true,
        data: at.map((place, i) => [i, grid.mean[place]! - (grid.sd[place] || 0), grid.mean[place]! + (grid.sd[place] || 0)]),
        encode: { x: 0, y: [1, 2] },
        renderItem: (_: unknown, api: Api) => {
          if (!(api.value(2) > api.value(1))) return null;
          const [px, low] = api.coord([api.value(0), api.value(1)]);
          const [, high] = api.coord([api.value(0), api.value(2)]);
          return {
            type: 'line',
            shape: { x1: px + shift, y1: low, x2: px + shift, y2: high },
            style: { stroke: color, lineWidth: 1, opacity: 0.55 },
          };
        },
      },
    ];
  });
  return {
    grid: { left: 58, right, top: 28, bottom: turned ? 96 : 30 },
    xAxis: categoryAxis(palette, labels, {
      boundaryGap: true,
      axisLabel: {
        ...textStyle(palette, 11),
        interval: 0,
        rotate: turned ? 60 : 0,
        width: turned ? 90 : room,
        overflow: 'truncate',
      },
      axisLine: { show: true, lineStyle: { color: palette.faint } },
    }),
    yAxis: valueAxis(palette, `${scale.title}${scale.unit && ` (${scale.unit})`}`, {
      nameLocation: 'end',
      nameGap: 12,
      nameTextStyle: { ...textStyle(palette), color: palette.muted, align: 'left', padding: [0, 0, 0, -46] },
      axisLabel: { ...textStyle(palette, 11), color: palette.muted, formatter: scaled(scale.factor) },
    }),
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: palette.faint } },
      formatter: (items: { dataIndex: number }[]) => {
        const i = items[0]?.dataIndex ?? 0;
        return tip(
          labels[i] ?? '',
          names.map((name, level) => {
            const place = level * columns + i;
            return [
              name,
              grid.n[place]! > 0 ? `${interval(scale, grid.mean[place], grid.sd[place])}, ${grid.n[place]} cells` : 'no result',
            ] as const;
          }),
        );
      },
    },
    series: series.flat(),
  };
}
