import { render } from 'preact';
import { PrintContext } from './charts/Chart';
import { moment } from './format/time';
import { embeddedSize } from './data/source';
import { loadAll, printAll } from './state/sections';
import { report } from './state/store';
import { views } from './views/all';

// Paper has no tabs: all sections one after another, in light colours, drawn when printing begins.

function Pages() {
  const shown = report.value;
  if (!shown) return null;
  return (
    <PrintContext.Provider value={true}>
      <header class="print-head">
        <h1>
          <bdi>{shown.sweep.name}</bdi>
        </h1>
        <p>gridsweep report of {moment(shown.made.at_us)}; filters and comparisons as on the screen.</p>
      </header>
      {views.map(({ name, Show }) => (
        <Show key={name} report={shown} />
      ))}
    </PrintContext.Provider>
  );
}

/** Small enough to be unpacked without being asked for. */
const fewCharacters = 4_000_000;

export function printable(): void {
  const root = document.createElement('div');
  root.id = 'print';
  document.body.append(root);
  addEventListener('beforeprint', () => render(<Pages />, root));
  addEventListener('afterprint', () => render(null, root));
  // The event of printing cannot wait for what is loaded late. The keyboard's way to it can; and so that the browser's menu has
  // everything too, a report that is not large unpacks it while nothing else is to do.
  addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'p' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void printAll();
  });
  if (report.value && embeddedSize() < fewCharacters) requestIdleCallback(() => void loadAll());
}
