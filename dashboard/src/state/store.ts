import { computed, signal } from '@preact/signals';
import { parseFilter, noFilter, visibleCells } from '../data/filter';
import { jobRanges } from '../data/labels';
import type { Progress, Report, SweepList } from '../data/report';
import { parsePins } from './pins';
import { route } from './route';

// What is shown. The report is replaced as a whole when a newer one arrives; it is never changed.

export const report = signal<Report | null>(null);
export const sweeps = signal<SweepList | null>(null);
export const isLive = signal(false);
export const signInNeeded = signal(false);
export const trouble = signal(''); // why there is nothing (new) to see

export const progress = signal<Progress | null>(null);
export const connection = signal<'none' | 'open' | 'lost'>('none');

// The filter's own text decides when cells are filtered anew, not every change of the address.
const filterText = computed(() => {
  const kept = Object.entries(route.value.params).filter(([name]) => /^([fr]\..*|results|q)$/.test(name));
  return JSON.stringify(Object.fromEntries(kept));
});
export const filter = computed(() => (report.value ? parseFilter(JSON.parse(filterText.value), report.value) : noFilter));
export const visible = computed(() => (report.value ? visibleCells(report.value, filter.value) : new Int32Array()));
export const ranges = computed(() => (report.value ? jobRanges(report.value) : new Int32Array(1)));

const pinsText = computed(() => route.value.params.pins ?? '');
/** Positions of the pinned cells. */
export const pins = computed(() => (report.value ? parsePins(pinsText.value, report.value.cells.cell) : []));
