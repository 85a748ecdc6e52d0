import { useEffect, useRef } from 'preact/hooks';
import { cellLabel, levelFull } from '../data/labels';
import { rankColumns } from '../data/ranking';
import type { Report } from '../data/report';
import { bare, objectiveScale, scaleOf } from '../format/metric';
import { rankText } from '../format/rank';
import { duration } from '../format/time';
import { route, setParams } from '../state/route';
import { ranges } from '../state/store';
import { DataTable } from './DataTable';
import { PinBox } from './Pins';

/** Everything about one cell. The browser's own dialog: it keeps the focus and closes on Escape. */
export function CellDialog({ report }: { report: Report }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = route.value.params.cell;
  const cell = id === undefined ? -1 : report.cells.cell.indexOf(Number(id));
  const open = cell >= 0;
  useEffect(() => {
    if (open && !dialog.current!.open) dialog.current!.showModal();
    else if (!open && dialog.current!.open) dialog.current!.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="cell-dialog"
      aria-labelledby="cell-title"
      onClose={() => setParams({ cell: undefined })}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      {open && <Details report={report} cell={cell} close={() => dialog.current?.close()} />}
    </dialog>
  );
}

function Details({ report, cell, close }: { report: Report; cell: number; close: () => void }) {
  const { jobs } = report;
  const scale = objectiveScale(report.metric);
  const rows = Array.from({ length: ranges.value[cell + 1]! - ranges.value[cell]! }, (_, i) => ranges.value[cell]! + i);
  const reasons = new Map(
    report.failures.filter((failure) => failure.cell === cell).map((failure) => [failure.job, failure.reason]),
  );
  const name = (names: readonly string[], at: number | null | undefined) => (typeof at === 'number' ? (names[at] ?? '–') : '–');
  return (
    <div class="dialog-body">
      <header>
        <h2 id="cell-title">
          Rank {rankText(report.cells.rank[cell], report.cells.tied[cell])}: <bdi>{cellLabel(report, cell)}</bdi>
        </h2>
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </header>
      <label class="check">
        <PinBox report={report} cell={cell} />
        <span>compare in curves, confusion and predictions</span>
      </label>
      <dl class="facts">
        {report.axes.map((axis, a) => (
          <div key={axis.name}>
            <dt>
              <bdi>{axis.name}</bdi>
            </dt>
            <dd>
              <bdi>{levelFull(report, a, report.cells.levels[a]![cell]!)}</bdi>
            </dd>
          </div>
        ))}
        {rankColumns(report)
          .filter((column) => !column.key.startsWith('axis.'))
          .map((column) => (
            <div key={column.key}>
              <dt>
                {column.head}
                {column.unit && <small> {column.unit}</small>}
              </dt>
              <dd>{column.text(cell) || '–'}</dd>
            </div>
          ))}
      </dl>
      <h3>Jobs</h3>
      <DataTable
        label="Jobs of the cell"
        rows={rows}
        columns={[
          { head: 'job', number: true, rowHead: true, cell: (job) => jobs.job[job] },
          { head: 'seed', number: true, cell: (job) => jobs.seed[job] },
          { head: 'state', cell: (job) => <span class={`state ${jobs.state[job]}`}>{jobs.state[job]}</span> },
          {
            head: (
              <>
                {scale.title}
                {scale.unit && <small> {scale.unit}</small>}
              </>
            ),
            number: true,
            cell: (job) => bare(scale, jobs.objective[job]),
          },
          { head: 'at epoch', number: true, cell: (job) => jobs.objective_epoch[job] ?? '–' },
          {
            head: (
              <>
                test accuracy<small> %</small>
              </>
            ),
            number: true,
            cell: (job) => bare(scaleOf('test_accuracy'), jobs.test_accuracy[job]),
          },
          {
            head: (
              <>
                test loss<small> nats</small>
              </>
            ),
            number: true,
            cell: (job) => bare(scaleOf('test_loss'), jobs.test_loss[job]),
          },
          { head: 'time', number: true, cell: (job) => duration(jobs.seconds[job]) },
          { head: 'worker', cell: (job) => <bdi>{name(report.workers, jobs.worker[job])}</bdi> },
          { head: 'device', cell: (job) => <bdi>{name(report.devices, jobs.device[job])}</bdi> },
          ...(reasons.size > 0
            ? [{ head: 'reason', wide: true, cell: (job: number) => <bdi>{reasons.get(jobs.job[job]!) ?? ''}</bdi> }]
            : []),
        ]}
      />
    </div>
  );
}
