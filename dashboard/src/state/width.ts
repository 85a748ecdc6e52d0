import { signal } from '@preact/signals';

/** Narrow: a phone. Tables become lists, and charts stand one above the other. */
const query = matchMedia('(max-width: 700px)');
export const narrow = signal(query.matches);
query.addEventListener('change', () => {
  narrow.value = query.matches;
});
