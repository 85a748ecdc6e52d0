import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch } from './browser';

// npm run measure -- report.html: how long a reader waits, in milliseconds; the middle of five.

const file = process.argv[2];
if (!file) throw new Error('usage: npm run measure -- report.html');
const url = pathToFileURL(resolve(file)).href;
const middle = (values: number[]) => Math.round(values.sort((a, b) => a - b)[values.length >> 1]!);

const browser = await launch();
const figures: Record<string, number[]> = {};
const note = (name: string, value: number) => (figures[name] ??= []).push(value);

for (let run = 0; run < 5; ++run) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  // Counted from the navigation's start; painted: the frame after the one that has the rows.
  await page.addInitScript(() => {
    const look = () => {
      if (document.querySelector('.rank tbody .row-head'))
        requestAnimationFrame(() =>
          setTimeout(() => {
            (window as unknown as { painted: number }).painted = performance.now();
          }),
        );
      else setTimeout(look, 4);
    };
    look();
  });
  await page.goto(`${url}#/ranking`);
  await page.waitForFunction(() => (window as unknown as { painted?: number }).painted !== undefined);
  note('navigation to the ranked table painted', await page.evaluate(() => (window as unknown as { painted: number }).painted));

  // Until the frame after the change has been handed over.
  const time = (action: string) =>
    page.evaluate(async (code) => {
      const began = performance.now();
      const targets: Record<string, () => void> = {
        only: () => document.querySelectorAll<HTMLButtonElement>('.popover:popover-open .only')[1]!.click(),
        clear: () =>
          [...document.querySelectorAll<HTMLButtonElement>('.filter .link')]
            .find((button) => button.textContent === 'Clear filter')!
            .click(),
        sort: () =>
          [...document.querySelectorAll<HTMLButtonElement>('.sort')]
            .find((button) => button.textContent!.includes('time'))!
            .click(),
        scroll: () => {
          document.querySelector('.rank-scroll')!.scrollTop += 100_000;
        },
        parallel: () => {
          location.hash = '#/parallel';
        },
        heatmap: () => {
          location.hash = '#/heatmap';
        },
        cost: () => {
          location.hash = '#/cost';
        },
        ranking: () => {
          location.hash = '#/ranking';
        },
      };
      targets[code]!();
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      return performance.now() - began;
    }, action);
  await page.locator('.filter .chip').nth(1).click();
  note('click on a level of the filter', await time('only'));
  await page.keyboard.press('Escape');
  note('click on clear filter', await time('clear'));
  note('click on a column head', await time('sort'));
  note('jump of the scroll bar', await time('scroll'));
  // A second of scrolling: the longest frame.
  note(
    'longest frame while scrolling',
    await page.evaluate(async () => {
      const box = document.querySelector('.rank-scroll')!;
      let longest = 0;
      let before = performance.now();
      for (let i = 0; i < 60; ++i) {
        box.scrollTop += 200;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        longest = Math.max(longest, now - before);
        before = now;
      }
      return longest;
    }),
  );
  note('to the heat map', await time('heatmap'));
  note('to cost', await time('cost'));
  note('to parallel coordinates, first frame', await time('parallel'));
  const began = Date.now();
  await page.evaluate(() => {
    location.hash = '#/curves';
  });
  await page.waitForFunction(() => document.querySelector('.view-curves canvas') !== null);
  note('to curves, unpacked and drawn', Date.now() - began);
  await page.close();
}
await browser.close();
console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
for (const [name, values] of Object.entries(figures)) console.log(`${String(middle(values)).padStart(6)} ms  ${name}`);
