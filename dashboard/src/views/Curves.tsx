import { useCallback, useContext, useMemo } from 'preact/hooks';
import { Chart, PrintContext, usePalette } from '../charts/Chart';
import { lines, type Line } from '../charts/lines';
import { band, curveOfJob, points, type Band } from '../data/bands';
import { cellLabel } from '../data/labels';
import type { Curves as CurvesData, Report } from '../data/report';
import { bare, metricTitle, scaleOf, type Scale, value } from '../format/metric';
import { plural } from '../format/number';
import { rankText } from '../format/rank';
import { Check, Options, Select } from '../parts/controls';
import { DataTable } from '../parts/DataTable';
import { Figure } from '../parts/Figure';
import { Compared } from '../parts/Pins';
import { Empty, Section } from '../parts/Section';
import { WithSection } from '../parts/SectionState';
import { comparedCells } from '../state/pins';
import { route, setParams } from '../state/route';
import { pins, ranges, visible } from '../state/store';

export function Curves({ report }: { report: Report }) {
  return (
    <Section
      id="curves"
      title="Learning curves"
      caption="By epoch, for the compared cells: the line is the mean over the seeds that reached the epoch, the band their least and greatest value (no confidence interval)."
    >
      <WithSection name="curves" none="No job has finished an epoch yet, so there are no curves.">
        {(curves) => <CurvesPlot report={report} curves={curves} />}
      </WithSection>
    </Section>
  );
}

interface CellBand {
  cell: number;
  name: string;
  band: Band;
}

function CurvesPlot({ report, curves }: { report: Report; curves: CurvesData }) {
  const palette = usePalette();
  const print = useContext(PrintContext);
  const { params } = route.value;
  const preferred = curves.metrics.includes(report.metric.name) ? report.metric.name : (curves.metrics[0] ?? '');
  const metric = curves.metrics.includes(params.metric ?? '') ? params.metric! : preferred;
  const scale = scaleOf(metric);
  const log = params.log === '1';
  const single = params.seeds === '1';
  const from = Number(params.from) || 1;
  const cells = comparedCells(pins.value, visible.value, 4);
  const of = useMemo(() => curveOfJob(curves, report.jobs.job.length), [curves, report]);
  const key = cells.join('.');

  const jobsOf = (cell: number) =>
    Array.from({ length: ranges.value[cell + 1]! - ranges.value[cell]! }, (_, i) => ranges.value[cell]! + i).filter(
      (job) => of[job]! >= 0,
    );
  const bands: CellBand[] = useMemo(
    () =>
      cells.map((cell) => ({
        cell,
        name: `${rankText(report.cells.rank[cell], report.cells.tied[cell])} ${cellLabel(report, cell)}`,
        band: band(
          curves,
          metric,
          jobsOf(cell).map((job) => of[job]!),
          from,
        ),
      })),
    [report, curves, metric, key, from],
  );

  const build = useCallback(
    (width: number) => {
      const all: Line[] = single
        ? cells.flatMap((cell, color) =>
            jobsOf(cell).map((job) => ({
              name: `${bands[color]!.name}, seed ${report.jobs.seed[job]}`,
              points: points(curves, metric, of[job]!, from),
              thin: true,
              color,
            })),
          )
        : bands.map(({ name, band: b }, color) => ({
            name,
            points: b.epoch.map((epoch, i) => [epoch, b.mean[i]!] as const),
            low: b.low,
            high: b.high,
            color,
          }));
      return lines(palette, width, {
        lines: all,
        scale,
        log,
        describe: (line, i) => {
          if (single) return value(scale, line.points[i]?.[1]);
          const b = bands[line.color]!.band;
          return describe(scale, b, i);
        },
      });
    },
    [palette, bands, log, single, metric],
  );

  if (curves.metrics.length === 0) return <Empty>The curves hold no metric.</Empty>;
  const diverged = cells.filter((cell) => report.cells.diverged[cell]! > 0);
  return (
    <>
      {!print && (
        <div class="controls">
          <Select
            label="Metric"
            value={metric}
            choices={curves.metrics.map((name) => ({ value: name, text: metricTitle(name) }))}
            onChange={(next) => setParams({ metric: next })}
          />
          <Options
            label="Seeds"
            value={single ? '1' : '0'}
            choices={[
              { value: '0', text: 'band over seeds' },
              { value: '1', text: 'every seed' },
            ]}
            onChange={(next) => setParams({ seeds: next === '1' ? '1' : undefined })}
          />
          {report.sweep.epochs >= 4 && (
            <Select
              label="From epoch"
              value={String(from)}
              onChange={(next) => setParams({ from: next === '1' ? undefined : next })}
              choices={[...new Set([1, 2, ...[0.25, 0.5, 0.75].map((part) => Math.round(part * report.sweep.epochs) + 1), from])]
                .sort((a, b) => a - b)
                .map((epoch) => ({ value: String(epoch), text: String(epoch) }))}
            />
          )}
          <Check checked={log} onChange={(on) => setParams({ log: on ? '1' : undefined })}>
            log scale
          </Check>
        </div>
      )}
      {cells.length === 0 ? (
        <Empty>No cell passes the filter.</Empty>
      ) : (
        <Figure table={() => <BandTable bands={bands} scale={scale} />}>
          <Compared report={report} cells={cells} />
          {bands.every(({ band: b }) => b.epoch.length === 0) ? (
            <Empty>None of these cells has a finite {scale.title} at any epoch.</Empty>
          ) : (
            <Chart build={build} height={420} label={`${scale.title} by epoch of ${plural(cells.length, 'cell')}`} />
          )}
          {diverged.length > 0 && (
            <p class="hint">
              Of these, {plural(diverged.length, 'cell has a diverged job', 'cells have diverged jobs')}: a curve ends where its
              values are no longer finite.
            </p>
          )}
        </Figure>
      )}
    </>
  );
}

function describe(scale: Scale, { mean, low, high, n }: Band, i: number): string {
  const unit = scale.unit && `\u00a0${scale.unit}`;
  return n[i]! > 1
    ? `${bare(scale, mean[i])} (${bare(scale, low[i])} to ${bare(scale, high[i])})${unit}, n = ${n[i]}`
    : `${bare(scale, mean[i])}${unit}, n = ${n[i]}`;
}

function BandTable({ bands, scale }: { bands: CellBand[]; scale: Scale }) {
  const epochs = [...new Set(bands.flatMap(({ band: b }) => b.epoch))].sort((a, b) => a - b);
  const at = bands.map(({ band: b }) => new Map(b.epoch.map((epoch, i) => [epoch, i])));
  return (
    <DataTable
      label={`${scale.title} by epoch`}
      rows={epochs}
      columns={[
        { head: 'epoch', rowHead: true, number: true, cell: (epoch) => epoch },
        ...bands.map(({ name, band: b }, k) => ({
          head: <bdi>{name}</bdi>,
          number: true,
          cell: (epoch: number) => (at[k]!.has(epoch) ? describe(scale, b, at[k]!.get(epoch)!) : '–'),
        })),
      ]}
    />
  );
}
