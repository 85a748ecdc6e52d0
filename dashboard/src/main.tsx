import { render } from 'preact';
import './style/theme.css';
import './style/base.css';
import './style/layout.css';
import './style/parts.css';
import './style/ranking.css';
import './style/views.css';
import './style/print.css';
import { App } from './App';
import { embeddedReport } from './data/source';
import { printable } from './Print';
import { startLive } from './state/live';
import { report, trouble } from './state/store';
import './state/theme';

try {
  const embedded = embeddedReport();
  if (embedded && embedded.format !== 1) {
    trouble.value = 'This report was written by another version of gridsweep than the page that shows it.';
  } else if (embedded) report.value = embedded;
  else startLive();
} catch (error) {
  trouble.value = `The report in this file cannot be read: ${(error as Error).message}`;
}
render(<App />, document.getElementById('app')!);
printable();
