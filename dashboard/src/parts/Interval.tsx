import { interval, type Scale } from '../format/metric';

interface Props {
  mean: number | null | undefined;
  ci: number | null | undefined;
  domain: readonly [number, number];
  leader: readonly [number, number] | null; // the leader's interval, drawn through all rows
  tied: boolean;
  scale: Scale;
}

/** A mean with its interval on the scale that all rows of the table share. Elements, as a row is: a chart per row would be slow. */
export function Interval({ mean, ci, domain, leader, tied, scale }: Props) {
  const [low, high] = domain;
  const place = (value: number) => Math.min(100, Math.max(0, ((value - low) / (high - low)) * 100));
  const span = (from: number, to: number) => ({ left: `${place(from)}%`, width: `${place(to) - place(from)}%` });
  if (mean === null || mean === undefined)
    return <div class="interval">{leader && <i class="leader" style={span(...leader)} />}</div>;
  const outside = mean < low ? ' below' : mean > high ? ' above' : '';
  return (
    <div class={`interval${tied ? ' tied' : ''}${outside}`} title={interval(scale, mean, ci)}>
      {leader && <i class="leader" style={span(...leader)} />}
      {typeof ci === 'number' && !outside && <i class="whisker" style={span(mean - ci, mean + ci)} />}
      <i class="dot" style={{ left: `${place(mean)}%` }} />
    </div>
  );
}
