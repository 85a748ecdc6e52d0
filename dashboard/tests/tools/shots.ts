import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { viewNames } from '../../src/data/views';
import { launch } from './browser';

// npm run shots -- report.html outdir [view …]: every view at two widths in both themes.

const [, , file, outdir, ...only] = process.argv;
if (!file || !outdir) throw new Error('usage: npm run shots -- report.html outdir [view …]');
// More states of a view worth seeing.
const states: Record<string, string> = {
  'confusion-difference': 'confusion?mode=difference',
  'confusion-two': 'confusion?mode=two',
  'ranking-cell': 'ranking?cell=1',
};
mkdirSync(outdir, { recursive: true });

const browser = await launch();
for (const [width, height] of [
  [1440, 900],
  [390, 844],
] as const) {
  for (const theme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme, deviceScaleFactor: 1 });
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') console.error(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => console.error(error));
    await page.goto(pathToFileURL(resolve(file)).href);
    for (const name of only.length > 0 ? only : viewNames) {
      await page.evaluate(
        (hash) => {
          location.hash = hash;
        },
        `/${states[name] ?? name}`,
      );
      await page.waitForTimeout(150);
      await page.waitForFunction(() => !document.getElementById('app')!.textContent!.includes('Unpacking'));
      await page.waitForTimeout(350);
      const path = `${outdir}/${name}-${width}-${theme}.png`;
      const tall = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.screenshot({ path, clip: { x: 0, y: 0, width, height: Math.min(tall, 2600) }, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > width) console.error(`${path}: the page is ${wide} px wide`);
    }
    await page.close();
  }
}
await browser.close();
