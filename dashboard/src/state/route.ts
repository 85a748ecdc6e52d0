import { signal } from '@preact/signals';
import type { Params, Patch } from '../data/filter';
import { viewNames, type ViewName } from '../data/views';

// The whole state that is worth sharing stands in the address: #/ranking?f.optimizer=0.2 of a report,
// #/sweep/3/ranking?… of the live view.

export interface Route {
  sweep: number | null;
  view: ViewName;
  params: Params;
}

export function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const parts = path.split('/').filter(Boolean);
  let sweep: number | null = null;
  if (parts[0] === 'sweep') {
    const id = Number(parts[1]);
    sweep = Number.isInteger(id) && id > 0 ? id : null;
    parts.splice(0, 2);
  }
  const view = viewNames.find((name) => name === parts[0]) ?? 'overview';
  return { sweep, view, params: Object.fromEntries(new URLSearchParams(query)) };
}

export function formatHash({ sweep, view, params }: Route): string {
  const query = new URLSearchParams(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  return `#${sweep === null ? '' : `/sweep/${sweep}`}/${view}${query ? `?${query}` : ''}`;
}

export const route = signal<Route>(parseHash(location.hash));

addEventListener('hashchange', () => {
  route.value = parseHash(location.hash);
});

function patched(params: Params, patch: Patch): Params {
  const next: Params = { ...params };
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined || value === '') delete next[name];
    else next[name] = value;
  }
  return next;
}

/** Changes parameters in place: filters and options make no history of their own. */
export function setParams(patch: Patch): void {
  const next = { ...route.value, params: patched(route.value.params, patch) };
  const hash = formatHash(next);
  if (hash === location.hash) return;
  history.replaceState(history.state, '', hash);
  route.value = next;
}

/** The address of a view: with the filter and the pinned cells, without the other views' options. */
export function linkTo(view: ViewName, patch: Patch = {}): string {
  const kept = Object.entries(route.value.params).filter(([name]) => /^([fr]\..*|results|q|pins)$/.test(name));
  return formatHash({ ...route.value, view, params: patched(Object.fromEntries(kept), patch) });
}
