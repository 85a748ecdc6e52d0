import type { ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { PrintContext } from '../charts/Chart';
import { count } from '../format/number';

export interface Column<Row> {
  head: ComponentChildren;
  number?: boolean; // right-aligned, tabular figures
  cell: (row: Row, index: number) => ComponentChildren;
  rowHead?: boolean;
  wide?: boolean; // may be broken across lines
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  atMost?: number;
}

/** A table of moderate length. */
export function DataTable<Row>({ label, columns, rows, atMost = 200 }: Props<Row>) {
  const [all, setAll] = useState(false);
  const print = useContext(PrintContext);
  const shown = all && !print ? rows.slice(0, 5000) : rows.slice(0, print ? Math.min(40, atMost) : atMost);
  return (
    <>
      <div class="scroll" role="region" aria-label={label} tabIndex={print ? undefined : 0}>
        <table class="data">
          <thead>
            <tr>
              {columns.map((column, i) => (
                <th key={i} scope="col" class={column.number ? 'number' : undefined}>
                  {column.head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <tr key={index}>
                {columns.map((column, i) => {
                  const names = [column.number && 'number', column.wide && 'wide'].filter(Boolean).join(' ') || undefined;
                  return column.rowHead ? (
                    <th key={i} scope="row" class={names}>
                      {column.cell(row, index)}
                    </th>
                  ) : (
                    <td key={i} class={names}>
                      {column.cell(row, index)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < rows.length && (
        <p class="more">
          {count(shown.length)} of {count(rows.length)} rows.{' '}
          {!print && !all && (
            <button type="button" class="link" onClick={() => setAll(true)}>
              Show {rows.length > 5000 ? 'the first 5,000' : 'all'}
            </button>
          )}
        </p>
      )}
    </>
  );
}
