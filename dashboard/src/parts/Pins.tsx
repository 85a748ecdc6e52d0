import { usePalette } from '../charts/Chart';
import { dashes } from '../charts/palette';
import { cellLabel } from '../data/labels';
import type { Report } from '../data/report';
import { rankText } from '../format/rank';
import { maxPins, pinsPatch, togglePin } from '../state/pins';
import { linkTo, setParams } from '../state/route';
import { pins } from '../state/store';

export function setPins(report: Report, next: readonly number[]): void {
  setParams(pinsPatch(next, report.cells.cell));
}

/** Puts the cell among the compared ones, or takes it out. */
export function PinBox({ report, cell }: { report: Report; cell: number }) {
  const current = pins.value;
  const place = current.indexOf(cell);
  const palette = usePalette();
  return (
    <input
      type="checkbox"
      class="pin"
      checked={place >= 0}
      disabled={place < 0 && current.length >= maxPins}
      style={place >= 0 ? { accentColor: palette.series[place] } : undefined}
      aria-label={`Compare ${cellLabel(report, cell)}`}
      title={
        place < 0 && current.length >= maxPins
          ? `At most ${maxPins} cells are compared`
          : 'Compare in curves, confusion and predictions'
      }
      onChange={() => setPins(report, togglePin(current, cell))}
    />
  );
}

/** The compared cells with their colours: the legend of the comparing views. */
export function Compared({ report, cells }: { report: Report; cells: readonly number[] }) {
  const palette = usePalette();
  const pinned = pins.value.length > 0;
  return (
    <div class="compared">
      <ol>
        {cells.map((cell, i) => (
          <li key={cell}>
            <svg width="26" height="10" aria-hidden="true">
              <path d="M0 5H26" stroke={palette.series[i]} stroke-width="2.5" stroke-dasharray={dashText(i)} />
            </svg>
            <span class="rank">{rankText(report.cells.rank[cell], report.cells.tied[cell])}</span>{' '}
            <bdi>{cellLabel(report, cell)}</bdi>
            {pinned && (
              <button
                type="button"
                class="link"
                aria-label={`Do not compare ${cellLabel(report, cell)}`}
                onClick={() => setPins(report, togglePin(pins.value, cell))}
              >
                ×
              </button>
            )}
          </li>
        ))}
      </ol>
      {pinned ? (
        <button type="button" class="link no-print" onClick={() => setPins(report, [])}>
          Compare the best instead
        </button>
      ) : (
        <p class="hint no-print">
          The best that pass the filter. Tick cells in the <a href={linkTo('ranking')}>ranking</a> to compare others.
        </p>
      )}
    </div>
  );
}

const dashText = (i: number) => {
  const dash = dashes[i];
  return Array.isArray(dash) ? dash.join(' ') : undefined;
};
