import { useEffect } from 'preact/hooks';
import type { Report } from './data/report';
import { CellDialog } from './parts/CellDialog';
import { FilterBar } from './parts/FilterBar';
import { Rail } from './parts/Rail';
import { route } from './state/route';
import { isLive, report, signInNeeded, trouble } from './state/store';
import { views } from './views/all';
import { SignIn } from './views/SignIn';
import { SweepsList } from './views/SweepsList';

export function App() {
  const shown = report.value;
  useEffect(() => {
    document.title = shown ? `${shown.sweep.name} · gridsweep` : 'gridsweep';
  }, [shown?.sweep.name]);
  if (signInNeeded.value) return <SignIn />;
  if (isLive.value && route.value.sweep === null) return <SweepsList />;
  if (!shown) {
    return (
      <main class="alone">
        <h1>gridsweep</h1>
        {trouble.value ? (
          <p class="alert" role="alert">
            <bdi>{trouble.value}</bdi>
          </p>
        ) : (
          <p class="empty">Loading …</p>
        )}
        {isLive.value && (
          <p>
            <a href="#">All sweeps</a>
          </p>
        )}
      </main>
    );
  }
  return <Shown report={shown} />;
}

function Shown({ report: shown }: { report: Report }) {
  const name = route.value.view;
  const view = views.find((candidate) => candidate.name === name)!;
  // A view begins at its top, and what has the focus is not what has gone.
  useEffect(() => scrollTo(0, 0), [name]);
  return (
    <div class="page">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the content
      </a>
      <Rail report={shown} />
      <main id="main" tabIndex={-1} class={`main at-${name}`}>
        {isLive.value && trouble.value && (
          <p class="alert" role="alert">
            <bdi>{trouble.value}</bdi>
          </p>
        )}
        {view.filtered && <FilterBar report={shown} />}
        <view.Show key={name} report={shown} />
      </main>
      <CellDialog report={shown} />
    </div>
  );
}
