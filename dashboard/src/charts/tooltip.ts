import { fontFamily, type Palette } from './palette';

// Tooltips are elements filled with text, never markup: names of sweeps and levels may be anything.

/** A title and rows of a name and a value. */
export function tip(title: string, rows: readonly (readonly [string, string])[] = []): HTMLElement {
  const box = document.createElement('div');
  box.className = 'tip';
  if (title) {
    const head = document.createElement('strong');
    head.textContent = title;
    head.dir = 'auto';
    box.append(head);
  }
  if (rows.length > 0) {
    const list = document.createElement('dl');
    for (const [name, value] of rows) {
      const term = document.createElement('dt');
      term.textContent = name;
      const definition = document.createElement('dd');
      definition.textContent = value;
      list.append(term, definition);
    }
    box.append(list);
  }
  return box;
}

export function tooltipStyle(palette: Palette) {
  return {
    confine: true,
    transitionDuration: 0,
    backgroundColor: palette.paper,
    borderColor: palette.faint,
    borderWidth: 1,
    padding: [6, 9],
    textStyle: { color: palette.ink, fontSize: 12, fontFamily },
    extraCssText: 'box-shadow: none; border-radius: 2px; max-width: min(34rem, 90vw); white-space: normal;',
  };
}
