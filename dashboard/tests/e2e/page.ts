import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test as base, type Page } from '@playwright/test';
import { assemble } from '../fixtures/assemble';
import { make, type Wishes } from '../fixtures/make';

export { viewNames as views } from '../../src/data/views';

/** A folder that goes when the worker ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gridsweep-page-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const folder = temporaryFolder();
const written = new Map<string, string>();

/** A report on disk, made once a worker. */
export function reportFile(wishes: Wishes): string {
  const key = JSON.stringify(wishes);
  let url = written.get(key);
  if (!url) {
    const path = join(folder, `report-${written.size}.html`);
    writeFileSync(path, assemble(make(wishes)));
    url = pathToFileURL(path).href;
    written.set(key, url);
  }
  return url;
}

/** Every test fails on an error in the console, and on a request to anywhere but the page's own place. */
export const test = base.extend<{ complaints: string[] }>({
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => {
        if (!/^(file|data|blob):|^http:\/\/127\.0\.0\.1/.test(request.url())) complaints.push(`request: ${request.url()}`);
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export async function open(page: Page, wishes: Wishes, hash = ''): Promise<void> {
  await page.goto(reportFile(wishes) + hash);
  await expect(page.locator('h2').first()).toBeVisible();
}

export async function settled(page: Page): Promise<void> {
  await expect(page.locator('#app')).not.toContainText('Unpacking');
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

export { expect };
