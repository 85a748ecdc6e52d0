import { useMemo } from 'preact/hooks';
import { cellLabel } from '../data/labels';
import { intervalDomain } from '../data/ranking';
import type { Report } from '../data/report';
import { bareInterval, columnDecimals, objectiveScale } from '../format/metric';
import { rankText } from '../format/rank';
import { Interval } from './Interval';
import { leaderInterval, openCell } from './RankTable';

const most = 12;

/** The first ranks: what a reader looks for first. */
export function LeaderPlot({ report }: { report: Report }) {
  const cells = useMemo(
    () =>
      Int32Array.from(report.cells.cell.keys())
        .slice(0, most)
        .filter((cell) => report.cells.mean[cell] !== null),
    [report],
  );
  const domain = useMemo(() => intervalDomain({ ...report, metric: report.metric }, cells), [report, cells]);
  const scale = objectiveScale(report.metric);
  const { rank, tied, mean, ci95 } = report.cells;
  const decimals = columnDecimals(
    scale,
    [...cells].map((cell) => mean[cell]),
    [...cells].map((cell) => ci95[cell]),
  );
  const leader = leaderInterval(report);
  return (
    <ol class="leaders">
      {[...cells].map((cell) => (
        <li key={cell}>
          <span class="rank">{rankText(rank[cell], tied[cell])}</span>
          <button type="button" class="link label" onClick={() => openCell(report, cell)}>
            <bdi>{cellLabel(report, cell)}</bdi>
          </button>
          <span class="mean">{bareInterval(scale, mean[cell], ci95[cell], decimals)}</span>
          {domain && (
            <Interval mean={mean[cell]} ci={ci95[cell]} domain={domain} leader={leader} tied={rank[cell] === 1} scale={scale} />
          )}
        </li>
      ))}
    </ol>
  );
}
