import { cellLabel, levelFull } from '../data/labels';
import { bareInterval, columnDecimals } from '../format/metric';
import { rankText } from '../format/rank';
import { useVirtual } from '../state/virtual';
import { Interval } from './Interval';
import { PinBox } from './Pins';
import { leaderInterval, openCell, type RankTableProps } from './RankTable';

const rowHeight = 62;

/** The ranked table on a narrow screen: two lines a cell, the page itself scrolls. */
export function RankList({ report, cells, domain, scale, box, columns, order }: RankTableProps) {
  const virtual = useVirtual(box, cells.length, rowHeight, true);
  const leader = leaderInterval(report);
  const decimals = columnDecimals(scale, report.cells.mean, report.cells.ci95);
  const sorted = columns.find((column) => column.key === order?.replace(/^-/, ''));
  const extra = sorted && sorted.key !== 'mean' && !sorted.key.startsWith('axis.') ? sorted : null;
  return (
    <div class="rank-list" ref={box} role="list" aria-label="Ranked cells">
      <div style={{ height: `${virtual.before}px` }} />
      {virtual.items.map(({ index }) => {
        const cell = cells[index]!;
        const { rank, tied, mean, ci95, note } = report.cells;
        return (
          <div
            key={cell}
            class={tied[cell] && rank[cell] === 1 ? 'rank-item tied' : 'rank-item'}
            role="listitem"
            aria-setsize={cells.length}
            aria-posinset={index + 1}
          >
            <PinBox report={report} cell={cell} />
            <button type="button" class="rank-open" onClick={() => openCell(report, cell)}>
              <span class="rank-line">
                <b>{rankText(rank[cell], tied[cell])}</b>
                <span class="rank-mean">
                  {bareInterval(scale, mean[cell], ci95[cell], decimals)}
                  {mean[cell] !== null && scale.unit && `\u00a0${scale.unit}`}
                </span>
                {extra && (
                  <span class="rank-extra">
                    {extra.head}
                    {'\u00a0'}
                    {extra.text(cell)}
                  </span>
                )}
                {domain && (
                  <Interval
                    mean={mean[cell]}
                    ci={ci95[cell]}
                    domain={domain}
                    leader={leader}
                    tied={rank[cell] === 1}
                    scale={scale}
                  />
                )}
              </span>
              <span
                class="rank-levels"
                title={report.axes.map((_, axis) => levelFull(report, axis, report.cells.levels[axis]![cell]!)).join(' · ')}
              >
                <bdi>{cellLabel(report, cell)}</bdi>
                {note[cell] && <em> {note[cell]}</em>}
              </span>
            </button>
          </div>
        );
      })}
      <div style={{ height: `${virtual.after}px` }} />
    </div>
  );
}
