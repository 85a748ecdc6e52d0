import { computed, signal } from '@preact/signals';

export type ThemeName = 'light' | 'dark';
export type ThemeChoice = ThemeName | 'system';

const key = 'gridsweep-theme';

// Some browsers refuse storage to files.
function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const system = signal<ThemeName>(dark.matches ? 'dark' : 'light');
dark.addEventListener('change', () => {
  system.value = dark.matches ? 'dark' : 'light';
});

export const choice = signal<ThemeChoice>(stored());
export const theme = computed<ThemeName>(() => (choice.value === 'system' ? system.value : choice.value));
theme.subscribe((name) => {
  document.documentElement.dataset.theme = name;
});

export function chooseTheme(next: ThemeChoice): void {
  choice.value = next;
  try {
    if (next === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, next);
  } catch {
    // It lasts as long as the page, then.
  }
}
