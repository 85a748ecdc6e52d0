import { useContext, useMemo, useRef } from 'preact/hooks';
import { PrintContext } from '../charts/Chart';
import { intervalDomain, rankColumns, sortCells, type RankColumn } from '../data/ranking';
import type { Report } from '../data/report';
import { intervalMeaning, objectiveScale } from '../format/metric';
import { count, plural } from '../format/number';
import { Options, Select } from '../parts/controls';
import { RankList } from '../parts/RankList';
import { RankTable, type RankTableProps } from '../parts/RankTable';
import { Empty, Section } from '../parts/Section';
import { route, setParams } from '../state/route';
import { visible } from '../state/store';
import { narrow } from '../state/width';

const printedRows = 60;

export function Ranking({ report }: { report: Report }) {
  const print = useContext(PrintContext);
  const box = useRef<HTMLDivElement>(null);
  const shown = visible.value;
  const order = print ? undefined : route.value.params.sort;
  const columns = useMemo(() => rankColumns(report), [report]);
  const cells = useMemo(() => sortCells(shown, columns, order), [shown, columns, order]);
  const domain = useMemo(() => intervalDomain(report, shown), [report, shown]);
  const scale = objectiveScale(report.metric);
  const kinds = useMemo(() => new Set(report.cells.interval), [report]);

  const ranked = report.cells.rank.some((rank) => rank !== null);
  const props: RankTableProps = {
    report,
    columns,
    cells: print ? cells.slice(0, printedRows) : cells,
    domain,
    scale,
    order,
    box,
    onSort: (column) => setParams({ sort: nextOrder(column, order) }),
  };
  return (
    <Section
      id="ranking"
      title="Ranking"
      notes={report.ranking_notes}
      caption={
        <>
          Cells by {report.metric.goal === 'max' ? 'highest' : 'lowest'} mean {scale.title} ({scale.unit || 'no unit'}) of each
          job’s {report.metric.epoch} epoch. {intervalMeaning(kinds, report.sweep.evaluation_size)}{' '}
          {report.cells.tied.some(Boolean) && '“1=” are tied with the leader: filled dots; the band is the leader’s interval.'}
        </>
      }
      controls={narrow.value && !print && <SortSelect columns={columns} order={order} />}
    >
      {!ranked && <Empty>There is nothing to rank yet: no job has a result.</Empty>}
      {cells.length === 0 ? (
        <Empty>No cell passes the filter.</Empty>
      ) : narrow.value && !print ? (
        <RankList {...props} />
      ) : (
        <RankTable {...props} />
      )}
      {print && cells.length > printedRows && (
        <p class="more">
          The first {printedRows} of {plural(cells.length, 'cell')}; the file shows all.
        </p>
      )}
      <p class="hidden" aria-live="polite">
        {count(cells.length)} rows
      </p>
    </Section>
  );
}

function nextOrder(column: RankColumn | null, order: string | undefined): string | undefined {
  if (!column) return undefined; // by rank
  const first = column.bigFirst ? `-${column.key}` : column.key;
  const second = column.bigFirst ? column.key : `-${column.key}`;
  return order === first ? second : order === second ? undefined : first;
}

function SortSelect({ columns, order }: { columns: RankColumn[]; order: string | undefined }) {
  const key = order?.replace(/^-/, '') ?? '';
  return (
    <>
      <Select
        label="Sort by"
        value={key}
        choices={[{ value: '', text: 'rank' }, ...columns.map((column) => ({ value: column.key, text: column.head }))]}
        onChange={(next) => setParams({ sort: nextOrder(columns.find((column) => column.key === next) ?? null, undefined) })}
      />
      {key && (
        <Options
          label="Direction"
          value={order!.startsWith('-') ? 'down' : 'up'}
          choices={[
            { value: 'up', text: '↑ small first' },
            { value: 'down', text: '↓ large first' },
          ]}
          onChange={(way) => setParams({ sort: way === 'down' ? `-${key}` : key })}
        />
      )}
    </>
  );
}
