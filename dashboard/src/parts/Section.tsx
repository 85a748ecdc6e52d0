import type { ComponentChildren } from 'preact';

export interface SectionProps {
  id: string;
  title: string;
  caption: ComponentChildren;
  controls?: ComponentChildren;
  children: ComponentChildren;
}

/** Every view: a heading, a line that says what is shown, in which unit and how certain, then the thing itself. */
export function Section({ id, title, caption, controls, children }: SectionProps) {
  return (
    <section class={`view view-${id}`} aria-labelledby={`title-${id}`}>
      <h2 id={`title-${id}`}>{title}</h2>
      <p class="caption">{caption}</p>
      {controls && <div class="controls">{controls}</div>}
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Text that may be anything: in its own direction. */
export function Text({ children }: { children: string }) {
  return <bdi>{children}</bdi>;
}
