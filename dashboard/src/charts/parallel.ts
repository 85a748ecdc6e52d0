import type { Filter } from '../data/filter';
import { levelShort } from '../data/labels';
import { presentMeasures, type Measure } from '../data/measures';
import type { Report } from '../data/report';
import type { Option } from './echarts';
import { scaled, textStyle } from './axes';
import { mix, type Palette } from './palette';

// Parallel coordinates: an axis of the plot for each axis of the sweep and each measure, a line for each cell.
//
// Lines through the same level lie side by side, spread over the level's band by rank: 10,000 lines through four points would
// be four points. So a sweep's axis is a value axis, level ± spread.

export const spread = 0.32;

export interface Dimension {
  axis?: number;
  measure?: Measure;
  name: string;
}

export function dimensions(report: Report): Dimension[] {
  const axes = report.axes.map(({ name }, axis) => ({ axis, name }));
  const shown = presentMeasures(report).filter(({ key }) => key !== 'test_loss' && key !== 'train_loss');
  const [objective, ...rest] = shown;
  const title = ({ title, scale }: Measure) => twoLines(scale.unit ? `${title} (${scale.unit})` : title);
  return [...axes, ...[...rest.reverse(), objective!].map((measure) => ({ measure, name: title(measure) }))];
}

/** "validation accuracy (%)" would reach into the neighbouring axis' name. */
function twoLines(text: string): string {
  const spaces = [...text.matchAll(/ /g)].map(({ index }) => index);
  const middle = spaces.sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))[0];
  return text.length > 13 && middle !== undefined ? `${text.slice(0, middle)}\n${text.slice(middle + 1)}` : text;
}

/** Where all cells measure the same, that is the only label: those of the room around it would mean nothing. */
function onlyValue(values: readonly (number | null)[]) {
  const different = new Set(values.filter((value) => value !== null));
  return different.size === 1 ? { customValues: [...different] } : {};
}

export function extent(values: readonly (number | null)[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - Math.abs(low) * 0.01 - 1e-9, high + Math.abs(high) * 0.01 + 1e-9] : [low, high];
}

/** What a brush on a sweep's axis chooses: the levels whose bands it touches. */
export function levelsWithin(intervals: readonly (readonly [number, number])[], levels: number): Set<number> {
  const found = new Set<number>();
  for (let level = 0; level < levels; ++level) {
    if (intervals.some(([a, b]) => Math.min(a, b) <= level + spread && Math.max(a, b) >= level - spread)) found.add(level);
  }
  return found;
}

/** The other way: neighbouring levels make one interval. */
export function intervalsOf(levels: ReadonlySet<number>): [number, number][] {
  const intervals: [number, number][] = [];
  for (const level of [...levels].sort((a, b) => a - b)) {
    const last = intervals[intervals.length - 1];
    if (last && last[1] + 0.5 > level - 0.5) last[1] = level + 0.45;
    else intervals.push([level - 0.45, level + 0.45]);
  }
  return intervals;
}

/** With 100 levels not every one can be named. */
function shownLevels(levels: number): number[] {
  const step = Math.ceil(levels / 40);
  return Array.from({ length: Math.ceil(levels / step) }, (_, i) => i * step);
}

export function brushed(filter: Filter, { axis, measure }: Dimension): [number, number][] {
  if (axis !== undefined) return filter.levels.has(axis) ? intervalsOf(filter.levels.get(axis)!) : [];
  return measure ? (filter.ranges.get(measure.key) ?? []) : [];
}

/** Colours' ends: the middle 95 % of the cells, so that a few bad ones do not make all others look alike. */
export function colorDomain(report: Report): [number, number] {
  const sorted = Float64Array.from(report.cells.mean.filter((mean): mean is number => mean !== null)).sort();
  if (sorted.length === 0) return [0, 1];
  const at = (place: number) => sorted[Math.round(place * (sorted.length - 1))]!;
  return report.metric.goal === 'max' ? [at(0.05), at(1)] : [at(0), at(0.95)];
}

export function parallel(
  palette: Palette,
  ramp: readonly string[],
  width: number,
  height: number,
  report: Report,
  all: readonly Dimension[],
): Option {
  const { cells } = report;
  const total = cells.cell.length;
  const [low, high] = colorDomain(report);
  const vertical = width < 640;
  const rows: { value: (number | string)[]; lineStyle: object }[] = [];
  // The best are drawn last, above the others.
  for (let cell = total - 1; cell >= 0; --cell) {
    const mean = cells.mean[cell];
    const offset = total > 1 ? (1 - (2 * cell) / (total - 1)) * spread : 0;
    rows.push({
      value: all.map(({ axis, measure }) =>
        axis !== undefined ? cells.levels[axis]![cell]! + offset : (measure!.values[cell] ?? '-'),
      ),
      lineStyle: { color: typeof mean === 'number' ? mix(ramp, (mean - low) / (high - low || 1)) : palette.muted },
    });
  }
  const gapPx = (vertical ? height - 60 : width - 120) / Math.max(1, all.length - 1);
  return {
    parallel: vertical
      ? { layout: 'vertical', left: 24, right: 24, top: 34, bottom: 34 }
      : { left: 56, right: 76, top: 58, bottom: 26 },
    parallelAxis: all.map(({ axis, measure, name }, dim) => ({
      dim,
      id: `dimension${dim}`,
      type: 'value',
      name: vertical ? name.replace('\n', ' ') : name,
      nameLocation: vertical || axis !== undefined || measure!.lowIsGood ? 'start' : 'end', // at the top, or left
      nameGap: vertical ? 0 : 14,
      nameMoveOverlap: false,
      nameTextStyle: {
        ...textStyle(palette),
        fontWeight: 600,
        align: vertical ? 'left' : 'center',
        lineHeight: 14,
        ...(vertical ? { padding: [0, 0, 26, 0], textBorderColor: palette.paper, textBorderWidth: 4 } : {}),
      },
      ...(axis !== undefined
        ? { min: -0.5, max: report.axes[axis]!.levels.length - 0.5, inverse: !vertical }
        : {
            min: extent(measure!.values)[0],
            max: extent(measure!.values)[1],
            scale: true,
            inverse: !vertical && measure!.lowIsGood,
          }),
      axisLine: { lineStyle: { color: palette.muted, width: 1 } },
      axisTick: { show: false },
      axisLabel: {
        ...textStyle(palette, 11),
        color: palette.ink,
        width: Math.max(40, gapPx - 14),
        overflow: 'truncate',
        hideOverlap: true,
        textBorderColor: palette.paper,
        textBorderWidth: 4,
        ...(axis !== undefined
          ? {
              customValues: shownLevels(report.axes[axis]!.levels.length),
              formatter: (value: number) => levelShort(report, axis, Math.round(value)),
            }
          : {
              formatter: scaled(measure!.scale.factor),
              showMinLabel: false,
              showMaxLabel: false,
              ...onlyValue(measure!.values),
            }),
      },
      areaSelectStyle: { width: 18, borderWidth: 1, borderColor: palette.bad, color: palette.bad, opacity: 0.18 },
      realtime: false,
    })),
    series: [
      {
        type: 'parallel',
        data: rows,
        smooth: false,
        progressive: 2000,
        progressiveThreshold: 4000,
        large: false,
        lineStyle: {
          width: total > 1000 ? 0.7 : total > 100 ? 1 : 1.6,
          opacity: total > 3000 ? 0.1 : total > 1000 ? 0.2 : total > 100 ? 0.5 : 0.9,
        },
        inactiveOpacity: total > 1000 ? 0 : 0.05,
        activeOpacity: total > 3000 ? 0.3 : total > 1000 ? 0.4 : 0.85,
        silent: true,
      },
    ],
  };
}
