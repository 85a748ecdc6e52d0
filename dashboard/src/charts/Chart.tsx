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

function withDefaults(option: Option, label: string): Option {
  return { animation: false, aria: { enabled: true, label: { description: label } }, ...option };
}

const heightFor = (height: ChartProps['height'], width: number) =>
  typeof height === 'number' ? height : Math.round(height(width));

export function Chart(props: ChartProps) {
  return useContext(PrintContext) ? <PrintedChart {...props} /> : <LiveChart {...props} />;
}

/** Holds an ECharts instance: makes, feeds, resizes and disposes of it. */
function LiveChart({ build, height: wanted, maxWidth, label, on, drawn }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const handlers = useRef(on);
  handlers.current = on;
  const [width, setWidth] = useState(0);
  const height = heightFor(wanted, width || 800);

  useLayoutEffect(() => {
    const element = box.current!;
    const made = echarts.init(element, null, { renderer: 'canvas', width: element.clientWidth, height });
    chart.current = made;
    for (const name of Object.keys(handlers.current ?? {})) {
      made.on(name, (event: unknown) => handlers.current?.[name]?.(event as never, made));
    }
    setWidth(element.clientWidth);
    // Width 0: the page is hidden, for instance while it is printed.
    const observer = new ResizeObserver(() => element.clientWidth > 0 && setWidth(element.clientWidth));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current = null;
      made.dispose();
    };
  }, []);

  useLayoutEffect(() => {
    const made = chart.current;
    if (!made || width === 0) return;
    if (made.getWidth() !== width || made.getHeight() !== height) made.resize({ width, height });
    made.setOption(withDefaults(build(width), label), { notMerge: true });
    drawn?.(made);
  }, [build, height, label, width]);

  const style = { height: `${height}px`, maxWidth: maxWidth ? `${maxWidth}px` : undefined };
  return <div class="chart" ref={box} role="img" aria-label={label} style={style} />;
}

const paperWidth = 680;

/** Printing does not wait for the next frame: drawn at once, into a single canvas. */
function PrintedChart({ build, height: wanted, maxWidth, label }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.min(paperWidth, maxWidth ?? paperWidth);
  const height = heightFor(wanted, width);
  useLayoutEffect(() => {
    const made = echarts.init(document.createElement('div'), null, { renderer: 'canvas', width, height });
    made.setOption(withDefaults(build(width), label));
    const canvas = made.renderToCanvas({ pixelRatio: 2, backgroundColor: palettes.light.paper });
    canvas.style.cssText = `display: block; width: ${width}px; max-width: 100%`;
    box.current!.replaceChildren(canvas);
    made.dispose();
  }, [build, width, height, label]);
  return <div class="chart" ref={box} role="img" aria-label={label} />;
}
