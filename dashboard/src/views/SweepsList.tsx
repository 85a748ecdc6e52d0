import { count, share } from '../format/number';
import { moment } from '../format/time';
import { DataTable } from '../parts/DataTable';
import { ThemeButton } from '../parts/ThemeButton';
import { formatHash } from '../state/route';
import { sweeps, trouble } from '../state/store';

export function SweepsList() {
  const list = sweeps.value?.sweeps;
  return (
    <main class="alone wide">
      <header class="list-head">
        <h1>gridsweep</h1>
        <ThemeButton />
      </header>
      <h2>Sweeps</h2>
      <p class="caption">All sweeps of this coordinator, newest first.</p>
      {trouble.value && (
        <p class="alert" role="alert">
          <bdi>{trouble.value}</bdi>
        </p>
      )}
      {!list ? (
        <p class="empty">Loading …</p>
      ) : list.length === 0 ? (
        <p class="empty">There are no sweeps yet. Submit one with “gridsweep submit FILE”.</p>
      ) : (
        <DataTable
          label="Sweeps"
          rows={list}
          atMost={500}
          columns={[
            { head: 'id', number: true, cell: ({ id }) => id },
            {
              head: 'name',
              rowHead: true,
              cell: ({ id, name }) => (
                <a href={formatHash({ sweep: id, view: 'overview', params: {} })}>
                  <bdi>{name || `sweep ${id}`}</bdi>
                </a>
              ),
            },
            { head: 'state', cell: ({ state }) => state },
            { head: 'data set', cell: ({ dataset }) => <bdi>{dataset}</bdi> },
            { head: 'cells', number: true, cell: ({ cells }) => count(cells) },
            { head: 'seeds', number: true, cell: ({ seeds }) => seeds },
            {
              head: 'jobs ended',
              number: true,
              cell: ({ jobs }) => {
                const all = Object.values(jobs).reduce((sum, n) => sum + n, 0);
                const ended = all - jobs.pending - jobs.running;
                return `${count(ended)} of ${count(all)} (${share(all > 0 ? ended / all : 0, 0)})`;
              },
            },
            { head: 'diverged or failed', number: true, cell: ({ jobs }) => count(jobs.diverged + jobs.failed) },
            { head: 'created', cell: ({ created_us }) => moment(created_us) },
          ]}
        />
      )}
    </main>
  );
}
