import { choice, chooseTheme, theme } from '../state/theme';

export function ThemeButton() {
  const next = theme.value === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="theme"
      onClick={() => chooseTheme(next)}
      aria-label={`Use the ${next} theme`}
      title={`${next} theme${choice.value === 'system' ? '' : ' (now chosen by hand)'}`}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
      </svg>
    </button>
  );
}
