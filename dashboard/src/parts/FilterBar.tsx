import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { clearPatch, isFiltered, levelsPatch, rangesPatch } from '../data/filter';
import { measure } from '../data/measures';
import type { Report } from '../data/report';
import { rangeText } from '../format/metric';
import { count } from '../format/number';
import { route, setParams } from '../state/route';
import { filter, visible } from '../state/store';
import { Check } from './controls';

/** The filter that all views share. */
export function FilterBar({ report }: { report: Report }) {
  const current = filter.value;
  const shown = visible.value.length;
  const total = report.cells.cell.length;
  const lacking = report.cells.mean.some((mean) => mean === null);
  if (total < 2) return null;
  return (
    <div class="filter" role="search" aria-label="Filter of all sections">
      <TextFilter />
      {report.axes.map(
        (axis, i) =>
          axis.levels.length > 1 && <AxisFilter key={axis.name} report={report} axis={i} chosen={current.levels.get(i)} />,
      )}
      {[...current.ranges].map(([key, ranges]) => {
        const { title, scale } = measure(report, key);
        const text = ranges.map((range) => rangeText(scale, range)).join(' or ');
        return (
          <button
            key={key}
            type="button"
            class="chip on"
            onClick={() => setParams(rangesPatch(key, []))}
            title="Remove this range"
          >
            {title} {text}
            {scale.unit && `\u00a0${scale.unit}`} <span aria-hidden="true">×</span>
            <span class="hidden">, remove</span>
          </button>
        );
      })}
      {(lacking || current.onlyResults) && (
        <Check checked={current.onlyResults} onChange={(on) => setParams({ results: on ? '1' : undefined })}>
          only with a result
        </Check>
      )}
      <output class="filter-count" aria-live="polite">
        {isFiltered(current) ? (
          <>
            <b>{count(shown)}</b> of {count(total)} cells
          </>
        ) : (
          <>{count(total)} cells</>
        )}
      </output>
      {isFiltered(current) && (
        <button type="button" class="link" onClick={() => setParams(clearPatch(route.value.params))}>
          Clear filter
        </button>
      )}
    </div>
  );
}

function TextFilter() {
  const text = filter.value.text;
  const [typed, setTyped] = useState(text);
  const timer = useRef(0);
  useEffect(() => setTyped(text), [text]);
  const changed = (value: string) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setParams({ q: value.trim() || undefined }), 150);
  };
  return (
    <input
      type="search"
      class="filter-text"
      placeholder="Filter cells"
      aria-label="Filter cells by words of their levels or notes"
      value={typed}
      onInput={(event) => changed(event.currentTarget.value)}
    />
  );
}

function AxisFilter({ report, axis, chosen }: { report: Report; axis: number; chosen: Set<number> | undefined }) {
  const { name, levels } = report.axes[axis]!;
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState('');

  // The browser closes it on Escape and on a click elsewhere; it only has to be put below its button.
  useEffect(() => {
    const element = panel.current!;
    const toggled = (event: Event) => {
      const opened = (event as ToggleEvent).newState === 'open';
      setOpen(opened);
      if (!opened) return;
      const at = button.current!.getBoundingClientRect();
      element.style.left = `${Math.max(8, Math.min(at.left, innerWidth - element.offsetWidth - 8))}px`;
      element.style.top = `${at.bottom + 4}px`;
      element.style.maxHeight = `${Math.max(160, innerHeight - at.bottom - 16)}px`;
    };
    element.addEventListener('beforetoggle', toggled);
    element.addEventListener('toggle', toggled);
    return () => {
      element.removeEventListener('beforetoggle', toggled);
      element.removeEventListener('toggle', toggled);
    };
  }, []);

  const set = (next: Set<number> | null) => setParams(levelsPatch(report, axis, next));
  const toggle = (level: number, on: boolean) => {
    const next = new Set(chosen ?? levels.keys());
    if (on) next.add(level);
    else next.delete(level);
    if (next.size > 0) set(next);
  };
  const wanted = search.toLowerCase();
  return (
    <>
      <button ref={button} type="button" class={chosen ? 'chip on' : 'chip'} popovertarget={id} aria-expanded={open}>
        <bdi>{name}</bdi>
        {chosen && (
          <span class="chip-count">
            {' '}
            {chosen.size} of {levels.length}
          </span>
        )}{' '}
        <span aria-hidden="true" class="caret">
          ▾
        </span>
      </button>
      <div ref={panel} id={id} popover="auto" class="popover" role="group" aria-label={`Levels of ${name}`}>
        <div class="popover-head">
          {levels.length > 12 && (
            <input
              type="search"
              placeholder="Find a level"
              aria-label={`Find a level of ${name}`}
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          )}
          <button type="button" class="link" disabled={!chosen} onClick={() => set(null)}>
            All {levels.length}
          </button>
        </div>
        {open && (
          <ul class="levels">
            {levels.map(
              (level, i) =>
                level.toLowerCase().includes(wanted) && (
                  <li key={i}>
                    <Check checked={!chosen || chosen.has(i)} onChange={(on) => toggle(i, on)}>
                      <bdi>{level}</bdi>
                    </Check>
                    <button type="button" class="link only" onClick={() => set(new Set([i]))}>
                      only<span class="hidden"> {level}</span>
                    </button>
                  </li>
                ),
            )}
          </ul>
        )}
      </div>
    </>
  );
}
