import { mix } from './palette';

interface Props {
  ramp: readonly string[];
  low: string;
  high: string;
  title: string;
  curve?: number;
}

/** The scale of colours, from the value at its left end to that at its right. */
export function Ramp({ ramp, low, high, title, curve = 1 }: Props) {
  const steps = Array.from({ length: 40 }, (_, i) => mix(ramp, ((i + 0.5) / 40) ** curve));
  return (
    <div class="ramp">
      <span class="ramp-title">{title}</span>
      <span class="ramp-scale">
        <span>{low}</span>
        <svg width="160" height="9" viewBox="0 0 160 9" preserveAspectRatio="none" aria-hidden="true">
          {steps.map((fill, i) => (
            <rect key={i} x={i * 4} width="4.3" height="9" fill={fill} />
          ))}
        </svg>
        <span>{high}</span>
      </span>
    </div>
  );
}
