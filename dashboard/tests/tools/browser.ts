import { chromium, type Browser } from '@playwright/test';

/** The distribution's browser: none is downloaded. */
export const executable = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const launchOptions = { executablePath: executable, args: ['--no-sandbox', '--disable-gpu'] };

export function launch(): Promise<Browser> {
  return chromium.launch(launchOptions);
}
