import type { ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { PrintContext } from '../charts/Chart';

interface Props {
  title?: ComponentChildren;
  children: ComponentChildren;
  /** The same in words and numbers; made when asked for. */
  table?: () => ComponentChildren;
}

export function Figure({ title, children, table }: Props) {
  const [open, setOpen] = useState(false);
  const print = useContext(PrintContext);
  return (
    <figure>
      {title && <figcaption>{title}</figcaption>}
      {children}
      {table && !print && (
        <details class="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>Show as table</summary>
          {open && table()}
        </details>
      )}
    </figure>
  );
}
