import { createContext } from 'preact';
import { useContext, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { theme, type ThemeName } from '../state/theme';
import { echarts, type ECharts, type Option } from './echarts';
import { palettes, type Palette } from './palette';

/** Print is always light and at its own width. */
export const PrintContext = createContext(false);

export function useTheme(): ThemeName {
  const print = useContext(PrintContext);
  return print ? 'light' : theme.value;
}

export function usePalette(): Palette {
  return palettes[useTheme()];
}

export interface Events {
  [name: string]: (event: never, chart: ECharts) => void;
}

export interface ChartProps {
  /** The option for a width in pixels. Its identity says whether to draw anew: memoize it. */
  build: (width: number) => Option;
  /** A number, or what gives one for a width. */
  height: number | ((width: number) => number);
  maxWidth?: number;
  label: string; // for those who do not see it
  on?: Events;
  /** After every drawing: to restore what is not part of the option. */
  drawn?: (chart: ECharts) => void;
}

/** The only place that holds an ECharts instance: makes, feeds, resizes and disposes of it. */
export function Chart({ build, height: wanted, maxWidth, label, on, drawn }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const handlers = useRef(on);
  handlers.current = on;
  const print = useContext(PrintContext);
  const paper = Math.min(680, maxWidth ?? 680);
  const [width, setWidth] = useState(0);
  const height = typeof wanted === 'number' ? wanted : Math.round(wanted(width || 800));

  useLayoutEffect(() => {
    const element = box.current!;
    const made = echarts.init(element, null, { renderer: 'canvas', width: print ? paper : undefined, height, devicePixelRatio: print ? 2 : undefined });
    chart.current = made;
    for (const name of Object.keys(handlers.current ?? {})) {
      made.on(name, (event: unknown) => handlers.current?.[name]?.(event as never, made));
    }
    setWidth(print ? paper : element.clientWidth);
    const observer = new ResizeObserver(() => {
      if (!print && element.clientWidth > 0) setWidth(element.clientWidth);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current = null;
      made.dispose();
    };
  }, [print]);

  useLayoutEffect(() => {
    const made = chart.current;
    if (!made) return;
    const to = print ? paper : box.current!.clientWidth;
    if (to === 0) return;
    if (made.getWidth() !== to || made.getHeight() !== height) made.resize({ width: to, height });
    const option = build(to);
    made.setOption({ animation: false, aria: { enabled: true, label: { description: label } }, ...option }, { notMerge: true });
    drawn?.(made);
    if (print) made.getZr().flush();
  }, [build, height, label, width, print]);

  return <div class="chart" ref={box} role="img" style={{ height: `${height}px`, maxWidth: maxWidth ? `${maxWidth}px` : undefined }} />;
}
