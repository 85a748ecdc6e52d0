import { effect } from '@preact/signals';
import { fetchReport, fetchSweeps, SignInNeeded } from '../data/source';
import type { Progress } from '../data/report';
import { route } from './route';
import { show } from './sections';
import { connection, isLive, progress, report, signInNeeded, sweeps, trouble } from './store';

// Follows the sweep of the address: its progress as it comes, its report when results have come.

const listPause = 5_000;
const leastPause = 2_000;

let stop = () => {};

function explain(error: unknown): void {
  if (error instanceof SignInNeeded) signInNeeded.value = true;
  else
    trouble.value =
      error instanceof TypeError ? 'The coordinator does not answer. Trying again.' : String((error as Error).message ?? error);
}

function followList(): () => void {
  let timer = 0;
  let stopped = false;
  const load = async () => {
    try {
      const list = await fetchSweeps();
      if (stopped) return;
      sweeps.value = list;
      trouble.value = '';
    } catch (error) {
      if (!stopped) explain(error);
    }
    if (!stopped && !signInNeeded.value) timer = window.setTimeout(load, listPause);
  };
  void load();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

function followSweep(id: number): () => void {
  let stopped = false;
  let timer = 0;
  let loading = false;
  let earliest = 0; // when the report may be asked for again
  let shown = ''; // the state and the results that the report on the screen has
  let wanted = '';

  const load = async () => {
    timer = 0;
    loading = true;
    const began = performance.now();
    const asked = wanted;
    try {
      const next = await fetchReport(id);
      if (stopped) return;
      if (next) await show(next);
      trouble.value = next ? '' : `There is no sweep ${id}.`;
      shown = asked;
    } catch (error) {
      if (stopped) return;
      explain(error);
      shown = 'nothing';
    } finally {
      loading = false;
    }
    // A large report takes its time: it is asked for the less often.
    earliest = performance.now() + Math.max(leastPause, 5 * (performance.now() - began));
    schedule();
  };
  const schedule = () => {
    if (stopped || loading || timer !== 0 || shown === wanted || signInNeeded.peek()) return;
    timer = window.setTimeout(load, Math.max(0, earliest - performance.now()));
  };

  const events = new EventSource(`api/v1/sweeps/${id}/events`);
  events.addEventListener('open', () => {
    connection.value = 'open';
  });
  events.addEventListener('error', () => {
    connection.value = 'lost';
  });
  events.addEventListener('progress', (event) => {
    const next = JSON.parse((event as MessageEvent<string>).data) as Progress;
    progress.value = next;
    connection.value = 'open';
    wanted = `${next.state} ${next.results}`;
    schedule();
  });
  void load();
  return () => {
    stopped = true;
    clearTimeout(timer);
    events.close();
    connection.value = 'none';
    progress.value = null;
    report.value = null;
  };
}

export function startLive(): void {
  isLive.value = true;
  let followed: number | null | undefined;
  effect(() => {
    const id = route.value.sweep;
    if (id === followed) return;
    followed = id;
    stop();
    trouble.value = '';
    stop = id === null ? followList() : followSweep(id);
  });
}
