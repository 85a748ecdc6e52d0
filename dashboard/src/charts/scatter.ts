import { frontier } from '../data/cost';
import { cellLabel } from '../data/labels';
import type { Report } from '../data/report';
import { interval, objectiveScale } from '../format/metric';
import { duration } from '../format/time';
import type { Option } from './echarts';
import { scaled, textStyle, valueAxis } from './axes';
import type { Palette } from './palette';
import { tip, tooltipStyle } from './tooltip';

interface Api {
  value: (dimension: number) => number;
  coord: (point: [number, number]) => [number, number];
}

/** Time of a job against the objective; the cells that no other one beats in both are joined. */
export function costScatter(palette: Palette, report: Report, visible: Int32Array): Option {
  const { mean, seconds, ci95 } = report.cells;
  const scale = objectiveScale(report.metric);
  const all = [...visible].filter((cell) => mean[cell] !== null && seconds[cell] !== null);
  const high = report.metric.goal === 'max';
  // Bad outliers would squeeze the rest against an edge.
  const sorted = Float64Array.from(all, (cell) => mean[cell]!).sort();
  const cut = sorted[Math.round((high ? 0.05 : 0.95) * (sorted.length - 1))];
  const best = frontier(report, visible).filter((cell) => all.length <= 20 || (high ? mean[cell]! >= cut! : mean[cell]! <= cut!));
  const isCut = all.length > 20 && cut !== undefined;
  const room = sorted.length > 1 ? (sorted[sorted.length - 1]! - sorted[0]!) * 0.05 : 0;
  return {
    grid: { left: 58, right: 18, top: 30, bottom: 44 },
    xAxis: valueAxis(palette, 'time of a job (s)', { splitLine: { show: false } }),
    yAxis: valueAxis(palette, `${scale.title}${scale.unit && ` (${scale.unit})`}`, {
      nameLocation: 'end',
      nameGap: 12,
      nameTextStyle: { ...textStyle(palette), color: palette.muted, align: 'left', padding: [0, 0, 0, -46] },
      axisLabel: {
        ...textStyle(palette, 11),
        color: palette.muted,
        formatter: scaled(scale.factor),
        ...(isCut && (high ? { showMinLabel: false } : { showMaxLabel: false })),
      },
      ...(isCut &&
        (high ? { min: Math.max(sorted[0]!, cut - room) } : { max: Math.min(sorted[sorted.length - 1]!, cut + room) })),
    }),
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'item',
      formatter: ({ data }: { data?: number[] }) => {
        const cell = data?.[2];
        return cell === undefined
          ? ''
          : tip(cellLabel(report, cell), [
              [scale.title, interval(scale, mean[cell], ci95[cell])],
              ['time of a job', duration(seconds[cell])],
              ['n', `${report.cells.n[cell]}`],
            ]);
      },
    },
    series: [
      {
        type: 'scatter',
        clip: true,
        symbolSize: all.length > 1000 ? 4 : 7,
        progressive: 2000,
        data: all.map((cell) => [seconds[cell]!, mean[cell]!, cell]),
        itemStyle: { color: palette.muted, opacity: all.length > 1000 ? 0.35 : 0.6 },
      },
      {
        type: 'custom',
        clip: true,
        silent: true,
        data: best.map((cell) => [seconds[cell]!, mean[cell]! - (ci95[cell] ?? 0), mean[cell]! + (ci95[cell] ?? 0)]),
        encode: { x: 0, y: [1, 2] },
        renderItem: (_: unknown, api: Api) => {
          const [x, low] = api.coord([api.value(0), api.value(1)]);
          const [, top] = api.coord([api.value(0), api.value(2)]);
          return { type: 'line', shape: { x1: x, y1: low, x2: x, y2: top }, style: { stroke: palette.bad, lineWidth: 1.5 } };
        },
      },
      {
        type: 'line',
        clip: true,
        step: 'end',
        data: best.map((cell) => [seconds[cell]!, mean[cell]!, cell]),
        symbol: 'circle',
        symbolSize: 8,
        lineStyle: { color: palette.bad, width: 1.5 },
        itemStyle: { color: palette.bad },
      },
    ],
  };
}
