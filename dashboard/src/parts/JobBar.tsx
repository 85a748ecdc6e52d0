import type { JobState } from '../data/report';
import { count } from '../format/number';

const order: JobState[] = ['succeeded', 'diverged', 'failed', 'cancelled', 'running', 'pending'];

/** Jobs by state, as a bar and in words. */
export function JobBar({ jobs }: { jobs: Record<JobState, number> }) {
  const present = order.filter((state) => jobs[state] > 0);
  const total = present.reduce((sum, state) => sum + jobs[state], 0);
  return (
    <div class="jobs">
      <div class="job-bar" aria-hidden="true">
        {present.map((state) => (
          <i key={state} class={state} style={{ flexGrow: jobs[state] / total }} />
        ))}
      </div>
      <ul>
        {present.map((state) => (
          <li key={state}>
            <i class={`key ${state}`} aria-hidden="true" />
            {count(jobs[state])} {state}
          </li>
        ))}
      </ul>
    </div>
  );
}
