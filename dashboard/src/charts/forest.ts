import type { Option } from './echarts';
import { categoryAxis, scaled, textStyle, valueAxis, widest } from './axes';
import type { Palette } from './palette';
import { tip, tooltipStyle } from './tooltip';

// Means with their intervals, one below the other: as many panels side by side as there are things to tell of a row.

export interface ForestRow {
  label: string;
  head: boolean; // an axis' name, without values
  values: (readonly [number, number | null] | null)[]; // by panel: mean and half width; null: none
  texts: string[]; // the same in words
  own: boolean; // the leader's
}

export interface Panel {
  title: string;
  unit: string;
  factor: number;
  zero: boolean; // a line at 0
}

export const forestRowHeight = 19;

interface Api {
  value: (dimension: number) => number;
  coord: (point: [number, number]) => [number, number];
}

export function forest(palette: Palette, width: number, rows: readonly ForestRow[], panels: readonly Panel[]): Option {
  const labels = Math.min(
    widest(
      rows.map(({ label }) => label),
      12.8,
    ) + 16,
    width * 0.36,
  );
  const room = (width - labels - 16 - (panels.length - 1) * 48) / panels.length;
  const left = (i: number) => labels + i * (room + 48);
  return {
    grid: panels.map((_, i) => ({ left: left(i), width: room, top: 26, bottom: 40, containLabel: false })),
    xAxis: panels.map((panel, i) =>
      valueAxis(palette, panel.unit, {
        gridIndex: i,
        nameGap: 22,
        axisLabel: { ...textStyle(palette, 11), color: palette.muted, hideOverlap: true, formatter: scaled(panel.factor) },
        scale: !panel.zero,
        axisLine: { show: false },
        splitNumber: room < 260 ? 3 : 5,
      }),
    ),
    yAxis: panels.map((_, i) =>
      categoryAxis(
        palette,
        rows.map(({ label }) => label),
        {
          gridIndex: i,
          inverse: true,
          axisLabel:
            i > 0
              ? { show: false }
              : {
                  interval: 0,
                  width: labels - 8,
                  overflow: 'truncate',
                  margin: 8,
                  formatter: (label: string, at: number) => (rows[at]?.head ? `{head|${label}}` : label),
                  rich: { head: { ...textStyle(palette, 12), fontWeight: 600, color: palette.ink } },
                  ...textStyle(palette, 12),
                  color: palette.ink,
                },
        },
      ),
    ),
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'item',
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const row = rows[dataIndex];
        return row
          ? tip(
              row.label,
              panels.map((panel, i) => [panel.title, row.texts[i] ?? '']),
            )
          : '';
      },
    },
    title: undefined,
    series: panels.map((panel, i) => ({
      type: 'custom',
      xAxisIndex: i,
      yAxisIndex: i,
      clip: true,
      // Every row is an item, so that an item's index is its row's.
      data: rows.map((row, at) => {
        const value = row.values[i];
        return value ? [value[0], at, value[0] - (value[1] ?? 0), value[0] + (value[1] ?? 0)] : [NaN, at, NaN, NaN];
      }),
      encode: { x: [0, 2, 3], y: 1 },
      renderItem: (params: { dataIndex: number }, api: Api) => {
        const row = rows[params.dataIndex];
        if (!row || Number.isNaN(api.value(0))) return null;
        const [x, y] = api.coord([api.value(0), api.value(1)]);
        const [from] = api.coord([api.value(2), api.value(1)]);
        const [to] = api.coord([api.value(3), api.value(1)]);
        const color = row.own ? palette.bad : palette.accent;
        return {
          type: 'group',
          children: [
            {
              type: 'rect',
              shape: { x: from - 4, y: y - forestRowHeight / 2, width: to - from + 8, height: forestRowHeight },
              style: { fill: 'transparent' },
            },
            { type: 'line', shape: { x1: from, y1: y, x2: to, y2: y }, style: { stroke: color, lineWidth: 1.5 } },
            { type: 'circle', shape: { cx: x, cy: y, r: 3.5 }, style: { fill: color } },
          ],
        };
      },
      markLine: panel.zero
        ? {
            silent: true,
            symbol: 'none',
            label: { show: false },
            lineStyle: { color: palette.muted, type: 'solid', width: 1 },
            data: [{ xAxis: 0 }],
          }
        : undefined,
    })),
  };
}
