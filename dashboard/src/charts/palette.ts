import type { ThemeName } from '../state/theme';

// Colours that people with any colour vision tell apart: Okabe and Ito's for categories (the yellow and the black adapted to
// the background), yellow to blue for amounts, blue to orange for differences. The page's own colours are in style/theme.css.

export interface Palette {
  ink: string;
  muted: string;
  faint: string;
  rule: string;
  paper: string;
  accent: string;
  bad: string;
  good: string;
  series: readonly string[];
  sequential: readonly string[];
  diverging: readonly string[];
}

// Even steps of lightness, so that it is read without colours too. Much is far from the background: ink on paper, light in
// the dark.
const amounts = ['#f4f2d9', '#d3e5bc', '#98cfb6', '#58b1b9', '#2f88b4', '#235c9b', '#1a3373'];

export const palettes: Record<ThemeName, Palette> = {
  light: {
    ink: '#1c1d1f',
    muted: '#595d63',
    faint: '#c9cbce',
    rule: '#e3e4e5',
    paper: '#ffffff',
    accent: '#0067a3',
    bad: '#b34700',
    good: '#00795a',
    series: ['#0072b2', '#d55e00', '#009e73', '#b4528f', '#9a6a00', '#3a9bd4', '#6f6f00', '#1c1d1f'],
    sequential: amounts,
    diverging: ['#0b4f8a', '#3f86bd', '#9cc4de', '#f2f2f0', '#f3bd83', '#dd7d24', '#9a4a00'],
  },
  dark: {
    ink: '#e7e6e2',
    muted: '#a3a7ad',
    faint: '#4a4f56',
    rule: '#2e3237',
    paper: '#16181b',
    accent: '#6cb8ec',
    bad: '#f0894a',
    good: '#3dc79c',
    series: ['#56b4e9', '#f0803c', '#1fc08f', '#dd93bf', '#e69f00', '#4f8fe0', '#f0e442', '#e7e6e2'],
    sequential: ['#20305a', '#265f9c', '#2f88b4', '#58b1b9', '#98cfb6', '#d3e5bc', '#fbf8dc'],
    diverging: ['#7fc1f2', '#4a91c9', '#2b567a', '#25282c', '#7a4a1c', '#c9762b', '#ffb066'],
  },
};

/** Told apart without colour as well: by dashes. */
export const dashes: readonly (number[] | 'solid')[] = [
  'solid',
  [7, 3],
  [2, 3],
  [9, 3, 2, 3],
  'solid',
  [7, 3],
  [2, 3],
  [9, 3, 2, 3],
];

export const fontFamily = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif';

function channels(hex: string): [number, number, number] {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** A place 0…1 on a ramp. */
export function mix(ramp: readonly string[], place: number): string {
  const at = Math.min(1, Math.max(0, place)) * (ramp.length - 1);
  const low = Math.min(Math.floor(at), ramp.length - 2);
  const [a, b] = [channels(ramp[low]!), channels(ramp[low + 1]!)];
  return `rgb(${a.map((channel, i) => Math.round(channel + (b[i]! - channel) * (at - low))).join(',')})`;
}

/** Black or white, whichever is easier to read upon the colour "rgb(r,g,b)". */
export function inkUpon(rgb: string): string {
  const [r = 0, g = 0, b = 0] = rgb.match(/\d+/g)!.map((text) => {
    const value = Number(text) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.19 ? '#000000' : '#ffffff';
}
