import type { ComponentChildren } from 'preact';
import type { SectionName, Sections } from '../data/source';
import { section } from '../state/sections';
import { Empty } from './Section';

interface Props<N extends SectionName> {
  name: N;
  none: string; // why there may be nothing
  children: (data: Sections[N]) => ComponentChildren;
}

/** Loads a section's data when it comes into being, and says so meanwhile. */
export function WithSection<N extends SectionName>({ name, none, children }: Props<N>) {
  const { state, data, error } = section(name);
  if (state === 'ready' && data) return <>{children(data)}</>;
  if (state === 'loading')
    return (
      <p class="empty" aria-live="polite">
        Unpacking …
      </p>
    );
  return <Empty>{state === 'broken' ? `This part cannot be read: ${error}` : none}</Empty>;
}
