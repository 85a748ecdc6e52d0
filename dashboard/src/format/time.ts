import { fixed, gap, isNumber, missing, type Maybe } from './number';

const two = (value: number) => String(value).padStart(2, '0');

/** "0.52 s", "7.3 s", "42 s", "3 min 05 s", "2 h 07 min", "3 d 04 h". */
export function duration(seconds: Maybe): string {
  if (!isNumber(seconds)) return missing;
  if (seconds < 1) return `${fixed(seconds, 2)}${gap}s`;
  if (seconds < 9.95) return `${fixed(seconds, 1)}${gap}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${gap}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${gap}min${gap}${two(whole % 60)}${gap}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}${gap}h${gap}${two(minutes % 60)}${gap}min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)}${gap}d${gap}${two(hours % 24)}${gap}h`;
}

/** "2025-03-14 09:26 UTC": the same for every reader of a report. */
export function moment(microseconds: Maybe): string {
  if (!isNumber(microseconds)) return missing;
  const date = new Date(microseconds / 1000);
  return Number.isNaN(date.getTime()) ? missing : `${date.toISOString().slice(0, 16).replace('T', ' ')}${gap}UTC`;
}

export function ago(microseconds: Maybe, now = Date.now()): string {
  return isNumber(microseconds) ? `${duration(Math.max(0, Math.round(now - microseconds / 1000) / 1000))} ago` : missing;
}

/** An estimate, no more exact than it is: "40 s", "21 min", "2 h 07 min". */
export function roughly(seconds: Maybe): string {
  if (!isNumber(seconds) || seconds < 60) return isNumber(seconds) ? `${Math.max(0, Math.round(seconds))}${gap}s` : missing;
  return seconds < 3570 ? `${Math.round(seconds / 60)}${gap}min` : duration(seconds);
}
