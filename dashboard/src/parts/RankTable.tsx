import type { RefObject } from 'preact';
import { useContext } from 'preact/hooks';
import { PrintContext } from '../charts/Chart';
import { cellLabel } from '../data/labels';
import type { RankColumn } from '../data/ranking';
import type { Report } from '../data/report';
import { ticks } from '../data/ticks';
import { decimalsOf, fixed } from '../format/number';
import type { Scale } from '../format/metric';
import { rankText } from '../format/rank';
import { setParams } from '../state/route';
import { useVirtual } from '../state/virtual';
import { Interval } from './Interval';
import { PinBox } from './Pins';

export interface RankTableProps {
  report: Report;
  columns: RankColumn[];
  cells: Int32Array;
  domain: [number, number] | null;
  scale: Scale;
  order: string | undefined;
  box: RefObject<HTMLDivElement>;
  onSort: (column: RankColumn | null) => void; // null: by rank
}

const rowHeight = 29;
const printed = new Set(['mean', 'n', 'test_accuracy', 'difference', 'p']);

export function leaderInterval(report: Report): [number, number] | null {
  const mean = report.cells.mean[0];
  const ci = report.cells.ci95[0];
  return typeof mean === 'number' && typeof ci === 'number' ? [mean - ci, mean + ci] : null;
}

/** Only the rows in view exist; the rest is two spacers. Column widths come from the texts of all rows, so nothing jumps. */
export function RankTable(props: RankTableProps) {
  const print = useContext(PrintContext);
  const { report, cells, domain, scale, order, box, onSort } = props;
  const columns = print
    ? props.columns.filter((column) => column.key.startsWith('axis.') || printed.has(column.key))
    : props.columns;
  const virtual = useVirtual(box, cells.length, rowHeight, false);
  const rows = print ? [...cells.keys()] : virtual.items.map((item) => item.index);
  const leader = leaderInterval(report);
  const intervalAfter = columns.findIndex((column) => column.key === 'mean');
  const width = columns.reduce((sum, column) => sum + column.width, 34 + 62 + 250);

  const head = (column: RankColumn) => {
    const sorted = order === column.key ? 'ascending' : order === `-${column.key}` ? 'descending' : undefined;
    return (
      <th key={column.key} scope="col" class={column.number ? 'number' : undefined} aria-sort={sorted}>
        <button type="button" class="sort" title={`${column.head}: ${column.help}`} onClick={() => onSort(column)}>
          <bdi>{column.head}</bdi>
          {column.unit && <small>{column.unit}</small>}
        </button>
      </th>
    );
  };
  return (
    <div
      class={print ? 'rank-print' : 'rank-scroll'}
      ref={box}
      tabIndex={print ? undefined : 0}
      role="region"
      aria-label="Ranked table"
    >
      <table class="rank" style={print ? undefined : { width: `max(100%, ${width}px)` }} aria-rowcount={cells.length + 1}>
        {!print && (
          <colgroup>
            <col style={{ width: '34px' }} />
            <col style={{ width: '62px' }} />
            {columns.map((column, i) => [
              <col key={column.key} style={{ width: `${column.width}px` }} />,
              i === intervalAfter && <col key="interval" />,
            ])}
          </colgroup>
        )}
        <thead>
          <tr aria-rowindex={1}>
            {!print && (
              <th scope="col" class="fixed-pin">
                <span class="hidden">compare</span>
              </th>
            )}
            <th scope="col" class="number fixed-rank" aria-sort={order === undefined ? 'ascending' : undefined}>
              <button type="button" class="sort" title="Sort by rank" onClick={() => onSort(null)}>
                rank
              </button>
            </th>
            {columns.map((column, i) => [
              head(column),
              i === intervalAfter && domain && (
                <th key="interval" scope="col" class="interval-head">
                  <span class="hidden">interval drawn</span>
                  <Ticks domain={domain} factor={scale.factor} />
                </th>
              ),
            ])}
          </tr>
        </thead>
        <tbody>
          {virtual.before > 0 && !print && <tr aria-hidden="true" style={{ height: `${virtual.before}px` }} />}
          {rows.map((index) => {
            const cell = cells[index]!;
            const tied = report.cells.tied[cell]! && report.cells.rank[cell] === 1;
            return (
              <tr key={cell} aria-rowindex={index + 2} class={tied ? 'tied' : undefined} onClick={() => openCell(report, cell)}>
                {!print && (
                  <td class="fixed-pin" onClick={(event) => event.stopPropagation()}>
                    <PinBox report={report} cell={cell} />
                  </td>
                )}
                <th scope="row" class="number fixed-rank">
                  <button
                    type="button"
                    class="row-head"
                    aria-label={`Details of ${cellLabel(report, cell)}, rank ${rankText(report.cells.rank[cell], report.cells.tied[cell])}`}
                  >
                    {rankText(report.cells.rank[cell], report.cells.tied[cell])}
                  </button>
                </th>
                {columns.map((column, i) => [
                  <td key={column.key} class={column.number ? 'number' : undefined} title={column.full?.(cell)}>
                    {column.number ? column.text(cell) : <bdi>{column.text(cell)}</bdi>}
                  </td>,
                  i === intervalAfter && domain && (
                    <td key="interval" class="interval-cell">
                      <Interval
                        mean={report.cells.mean[cell]}
                        ci={report.cells.ci95[cell]}
                        domain={domain}
                        leader={leader}
                        tied={tied || report.cells.rank[cell] === 1}
                        scale={scale}
                      />
                    </td>
                  ),
                ])}
              </tr>
            );
          })}
          {virtual.after > 0 && !print && <tr aria-hidden="true" style={{ height: `${virtual.after}px` }} />}
        </tbody>
      </table>
    </div>
  );
}

function Ticks({ domain, factor }: { domain: [number, number]; factor: number }) {
  const [low, high] = [domain[0] * factor, domain[1] * factor];
  const places = ticks(low, high, 5);
  const step = places.length > 1 ? places[1]! - places[0]! : high - low;
  const decimals = decimalsOf(step, 1);
  return (
    <div class="ticks" aria-hidden="true">
      {places.map((place) => (
        <span key={place} style={{ left: `${((place - low) / (high - low)) * 100}%` }}>
          {fixed(place, decimals)}
        </span>
      ))}
    </div>
  );
}

export function openCell(report: Report, cell: number): void {
  setParams({ cell: String(report.cells.cell[cell]) });
}
