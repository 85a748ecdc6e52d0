import type { ComponentChildren } from 'preact';
import { useContext } from 'preact/hooks';
import { PrintContext } from '../charts/Chart';

export interface SectionProps {
  id: string;
  title: string;
  caption: ComponentChildren;
  notes?: readonly string[]; // the coordinator's sentences
  controls?: ComponentChildren;
  children: ComponentChildren;
}

/** Every view: a heading, a line that says what is shown, in which unit and how certain, then the thing itself. */
export function Section({ id, title, caption, notes = [], controls, children }: SectionProps) {
  const titleId = `${useContext(PrintContext) ? 'print' : 'title'}-${id}`;
  return (
    <section class={`view view-${id}`} aria-labelledby={titleId}>
      <h2 id={titleId}>{title}</h2>
      <p class="caption">{caption}</p>
      {notes.length > 0 && (
        <ul class="notes">
          {notes.map((note) => (
            <li key={note}>
              <bdi>{note}</bdi>
            </li>
          ))}
        </ul>
      )}
      {controls && <div class="controls">{controls}</div>}
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
