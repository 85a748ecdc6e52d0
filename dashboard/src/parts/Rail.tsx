import type { Report } from '../data/report';
import { share } from '../format/number';
import { roughly } from '../format/time';
import { printAll } from '../state/sections';
import type { ViewName } from '../data/views';
import { linkTo, route } from '../state/route';
import { connection, isLive, progress } from '../state/store';
import { ThemeButton } from './ThemeButton';
import { views } from '../views/all';

export function Rail({ report }: { report: Report }) {
  const { view } = route.value;
  return (
    <nav class="rail" aria-label="Sections">
      <div class="brand">
        {isLive.value ? <a href="#">gridsweep</a> : <span>gridsweep</span>}
        <ThemeButton />
      </div>
      <h1 title={report.sweep.name}>
        <bdi>{report.sweep.name}</bdi>
      </h1>
      <Status report={report} />
      <ul class="tabs">
        {views.map(({ name, title }) => (
          <li key={name}>
            <a href={linkTo(name)} aria-current={name === view ? 'page' : undefined} ref={name === view ? reveal : undefined}>
              {title}
              <Badge name={name} report={report} />
            </a>
          </li>
        ))}
      </ul>
      <button type="button" class="link print" onClick={() => void printAll()}>
        Print
      </button>
    </nav>
  );
}

/** On a narrow screen the tabs scroll: the current one must be in sight. */
function reveal(element: HTMLAnchorElement | null): void {
  const list = element?.closest('ul');
  if (!element || !list || list.scrollWidth <= list.clientWidth) return;
  list.scrollLeft = element.offsetLeft - (list.clientWidth - element.offsetWidth) / 2;
}

function Badge({ name, report }: { name: ViewName; report: Report }) {
  const text = name === 'ranking' ? report.cells.cell.length : name === 'failures' ? report.failures.length : 0;
  return text > 0 ? <small>{text.toLocaleString('en')}</small> : null;
}

function Status({ report }: { report: Report }) {
  const now = progress.value;
  if (!isLive.value || !now)
    return (
      <p class="status">
        <bdi>{report.sweep.dataset}</bdi>, {report.sweep.state}
      </p>
    );
  const done = now.epochs_total > 0 ? now.epochs_done / now.epochs_total : 0;
  return (
    <p class="status" role="status">
      <i class={`light ${connection.value}`} aria-hidden="true" />
      {connection.value === 'lost' ? (
        'no answer'
      ) : now.state === 'active' ? (
        <>
          {share(done, 0)} done{now.eta_seconds !== null && <>, {roughly(now.eta_seconds)} left</>}
        </>
      ) : (
        now.state
      )}
    </p>
  );
}
