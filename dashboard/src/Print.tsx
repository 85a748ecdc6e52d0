import { render } from 'preact';
import { PrintContext } from './charts/Chart';
import { moment } from './format/time';
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

export function printable(): void {
  const root = document.createElement('div');
  root.id = 'print';
  document.body.append(root);
  addEventListener('beforeprint', () => render(<Pages />, root));
  addEventListener('afterprint', () => render(null, root));
}
