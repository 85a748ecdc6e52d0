import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  observeWindowOffset,
  observeWindowRect,
  Virtualizer,
  windowScroll,
  type VirtualItem,
} from '@tanstack/virtual-core';
import { useLayoutEffect, useMemo, useReducer, type MutableRef } from 'preact/hooks';

interface Virtual {
  items: VirtualItem[];
  before: number; // pixels above the first item
  after: number; // and below the last
}

/** The rows of `count` that are in view: of an element that scrolls, or (`page`) of the page scrolling past it. */
export function useVirtual(box: MutableRef<HTMLElement | null>, count: number, size: number, page: boolean): Virtual {
  const [, draw] = useReducer((n: number, _: void) => n + 1, 0);
  const virtualizer = useMemo(() => {
    const common = { count, estimateSize: () => size, overscan: 8, onChange: () => draw() };
    return page
      ? new Virtualizer<Window, HTMLElement>({
          ...common,
          getScrollElement: () => window,
          observeElementRect: observeWindowRect,
          observeElementOffset: observeWindowOffset,
          scrollToFn: windowScroll,
          initialOffset: () => scrollY,
          initialRect: { width: innerWidth, height: innerHeight },
        })
      : new Virtualizer<HTMLElement, HTMLElement>({
          ...common,
          getScrollElement: () => box.current,
          observeElementRect,
          observeElementOffset,
          scrollToFn: elementScroll,
          initialRect: { width: 800, height: 800 },
        });
  }, [page]) as Virtualizer<HTMLElement, HTMLElement>;

  virtualizer.setOptions({
    ...virtualizer.options,
    count,
    estimateSize: () => size,
    scrollMargin: page && box.current ? box.current.offsetTop : 0,
  });
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, size]);

  const items = virtualizer.getVirtualItems();
  const margin = virtualizer.options.scrollMargin;
  const before = items.length > 0 ? items[0]!.start - margin : 0;
  const after = items.length > 0 ? virtualizer.getTotalSize() - (items[items.length - 1]!.end - margin) : 0;
  return { items, before, after };
}
