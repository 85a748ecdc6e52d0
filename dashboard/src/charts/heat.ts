import type { Option } from './echarts';
import { categoryAxis, textStyle, widest } from './axes';
import { inkUpon, mix, type Palette } from './palette';
import { tip, tooltipStyle } from './tooltip';

// A heat map of any two categories; the colours' scale is ramp().

export interface HeatWish {
  x: readonly string[];
  y: readonly string[];
  xName: string;
  yName: string;
  /** [x, y, value]; a place without a value is left out. */
  data: readonly (readonly [number, number, number])[];
  low: number;
  high: number;
  diverging: boolean; // about the middle of low and high
  lowIsGood?: boolean; // the ramp is turned, so that bright is good
  text: (value: number, x: number, y: number) => string; // within a place
  tip: (x: number, y: number) => { title: string; rows: (readonly [string, string])[] };
  /** Places without colour: the diagonal of a confusion matrix. */
  plain?: (x: number, y: number) => boolean;
  columnWidth: number; // about
  rowHeight: number;
  longest?: number; // label, in pixels
  labels: boolean;
  curve?: number; // exponent of the colours' place: < 1 shows small values better
}

/** Room around the fields: for names of levels and of axes. */
export function heatMargins(x: readonly string[], y: readonly string[], width: number, columnWidth: number, longest = 240) {
  const left = Math.min(widest(y, 11, width < 500 ? Math.min(96, longest) : longest) + 14, width * 0.36);
  const turned = widest(x, 11) + 4 > columnWidth;
  const below = turned ? widest(x, 11, Math.min(110, longest)) + 14 : 24;
  return { left, right: 14, top: 24, bottom: below + 18, turned, below };
}

export function rampOf(
  palette: Palette,
  { diverging, lowIsGood }: { diverging?: boolean; lowIsGood?: boolean },
): readonly string[] {
  return diverging ? palette.diverging : lowIsGood ? [...palette.sequential].reverse() : palette.sequential;
}

export function heat(palette: Palette, width: number, wish: HeatWish): Option {
  const ramp = rampOf(palette, wish);
  const place = (value: number) => {
    const share = wish.high > wish.low ? (value - wish.low) / (wish.high - wish.low) : 0.5;
    return Math.min(1, Math.max(0, share)) ** (wish.curve ?? 1);
  };
  const { left, right, top, bottom, turned, below } = heatMargins(wish.x, wish.y, width, wish.columnWidth, wish.longest);
  const room = (width - left - right) / Math.max(1, wish.x.length);
  return {
    grid: { left, right, top, bottom },
    xAxis: categoryAxis(palette, wish.x, {
      name: wish.xName,
      nameLocation: 'middle',
      nameGap: below + 2,
      nameTextStyle: { ...textStyle(palette), color: palette.muted },
      axisLabel: {
        ...textStyle(palette, 11),
        interval: turned && room < 11 ? 'auto' : 0,
        rotate: turned ? 90 : 0,
        width: turned ? below - 12 : room,
        overflow: 'truncate',
        margin: 6,
      },
    }),
    yAxis: categoryAxis(palette, wish.y, {
      inverse: true,
      name: wish.yName,
      nameLocation: 'start',
      nameGap: 10,
      nameTextStyle: { ...textStyle(palette), color: palette.muted, align: 'right', padding: [0, 8, 0, 0] },
      axisLabel: {
        ...textStyle(palette, 11),
        interval: wish.rowHeight < 11 ? 'auto' : 0,
        width: left - 12,
        overflow: 'truncate',
        margin: 6,
      },
    }),
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'item',
      formatter: ({ data }: { data?: { value?: [number, number, number] } }) => {
        if (!data?.value) return '';
        const { title, rows } = wish.tip(data.value[0], data.value[1]);
        return tip(title, rows);
      },
    },
    series: [
      {
        type: 'heatmap',
        progressive: 0,
        emphasis: { itemStyle: { borderColor: palette.ink, borderWidth: 1.5 } },
        data: wish.data.map(([x, y, value]) => {
          const bare = wish.plain?.(x, y) ?? false;
          const color = mix(ramp, place(value));
          return {
            value: [x, y, value],
            itemStyle: { color: bare ? palette.rule : color, borderColor: palette.paper, borderWidth: room > 14 ? 1 : 0.5 },
            label: { color: bare ? palette.muted : inkUpon(color) },
          };
        }),
        label: {
          show: wish.labels,
          fontSize: 11,
          fontFamily: textStyle(palette).fontFamily,
          formatter: ({ value }: { value: [number, number, number] }) => wish.text(value[2], value[0], value[1]),
        },
      },
    ],
  };
}
