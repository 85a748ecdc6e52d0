import type { Failure } from './report';

export interface Reason {
  state: Failure['state'];
  reason: string;
  jobs: number;
}

/** Failures by reason, the frequent ones first. Numbers within a reason do not make it another one. */
export function byReason(failures: readonly Failure[]): Reason[] {
  const found = new Map<string, Reason>();
  for (const { state, reason } of failures) {
    const key = `${state} ${reason.replace(/\d+(\.\d+)?/g, '#')}`;
    const same = found.get(key);
    if (same) {
      same.jobs += 1;
      if (same.reason !== reason) same.reason = generalized(same.reason, reason);
    } else found.set(key, { state, reason, jobs: 1 });
  }
  return [...found.values()].sort((a, b) => b.jobs - a.jobs);
}

const number = /\d+(?:\.\d+)?|…/g; // or what stands for several already

/** "loss is nan in epoch 2", "… 3" → "loss is nan in epoch …". */
function generalized(a: string, b: string): string {
  const others = b.match(number) ?? [];
  let i = 0;
  return a.replace(number, (digits) => (others[i++] === digits ? digits : '…'));
}
