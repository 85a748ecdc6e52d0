import { missing } from './number';

/** "1=": shares its rank. */
export function rankText(rank: number | null | undefined, tied: boolean | undefined): string {
  return rank === null || rank === undefined ? missing : `${rank}${tied ? '=' : ''}`;
}
