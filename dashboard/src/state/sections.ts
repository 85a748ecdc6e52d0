import { batch, signal, type Signal } from '@preact/signals';
import { hasEmbedded, loadSection, type SectionName, type Sections } from '../data/source';
import type { Report } from '../data/report';
import { isLive, report } from './store';

// Sections are loaded when first looked at. They name cells and jobs by their position in one report, so a newer report is
// shown together with newer sections, not before them.

export interface Loaded<T> {
  state: 'loading' | 'ready' | 'none' | 'broken';
  data: T | null;
  error: string;
}

type Slots = { [N in SectionName]: Signal<Loaded<Sections[N]>> };
const nothing = { state: 'loading', data: null, error: '' } as const;
const slots: Slots = { curves: signal(nothing), confusions: signal(nothing), samples: signal(nothing) };
const loadedFor = new Map<SectionName, Report>();

async function load<N extends SectionName>(name: N): Promise<void> {
  const current = report.peek();
  if (!current || loadedFor.get(name) === current) return;
  loadedFor.set(name, current);
  const slot = slots[name] as Signal<Loaded<Sections[N]>>;
  try {
    const data = await loadSection(name, isLive.peek() ? current.sweep.id : null, current);
    if (loadedFor.get(name) === current) slot.value = { state: data ? 'ready' : 'none', data, error: '' };
  } catch (error) {
    if (loadedFor.get(name) === current)
      slot.value = { state: 'broken', data: null, error: String((error as Error).message ?? error) };
  }
}

/** Reading it loads it. */
export function section<N extends SectionName>(name: N): Loaded<Sections[N]> {
  report.value; // another sweep's report, another section
  void load(name);
  return (slots[name] as Signal<Loaded<Sections[N]>>).value;
}

/** For print: everything must be there before the page is drawn. */
export async function loadAll(): Promise<void> {
  await Promise.all(
    (['curves', 'confusions', 'samples'] as const).filter((name) => isLive.peek() || hasEmbedded(name)).map(load),
  );
}

export async function printAll(): Promise<void> {
  await loadAll();
  window.print();
}

/** Shows a report, with whatever sections of the one before had been loaded. */
export async function show(next: Report): Promise<void> {
  const before = report.peek();
  const names = before?.sweep.id === next.sweep.id ? [...loadedFor.keys()] : [];
  const sections = await Promise.all(names.map((name) => loadSection(name, isLive.peek() ? next.sweep.id : null, next)));
  batch(() => {
    report.value = next;
    loadedFor.clear();
    for (const slot of Object.values(slots)) (slot as Signal<unknown>).value = nothing;
    names.forEach((name, i) => {
      loadedFor.set(name, next);
      (slots[name] as Signal<unknown>).value = { state: sections[i] ? 'ready' : 'none', data: sections[i], error: '' };
    });
  });
}
