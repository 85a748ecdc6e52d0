// The page as the programs write and serve it. GRIDSWEEP_BIN is the folder with the programs and the fake trainer; without it
// these tests are skipped.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { writeTinyDataset } from '../fixtures/idx';
import { expect, settled, temporaryFolder, test, views } from './page';

const bin = process.env.GRIDSWEEP_BIN ?? '';
const sweep = 'program-sweep';
const folder = temporaryFolder();
const db = join(folder, 'sweeps.db');
let coordinator: ChildProcess | undefined;

function gridsweep(...args: string[]): string {
  return execFileSync(join(bin, 'gridsweep'), args, {
    encoding: 'utf8',
    env: { ...process.env, GRIDSWEEP_FAKE_TRAINER: JSON.stringify({ state_dir: join(folder, 'state') }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test.skip(bin === '', 'GRIDSWEEP_BIN is not set');
test.describe.configure({ mode: 'serial' });

test.beforeAll(() => {
  mkdirSync(join(folder, 'state'));
  writeTinyDataset(folder, 'tiny');
  writeFileSync(
    join(folder, 'sweep.yaml'),
    [
      `name: ${sweep}`,
      'dataset: tiny',
      'training: { epochs: 3, validation: 0.1 }',
      'seeds: 3',
      'grid:',
      '  model: [mlp, cnn]',
      '  activation: [relu, tanh]',
      '  optimizer: [adam, sgd]',
      '',
    ].join('\n'),
  );
  gridsweep(
    ...['run', join(folder, 'sweep.yaml'), '--db', db, '--data-dir', folder, '--devices', 'cpu', '--slots', '2'],
    ...['--trainer', join(bin, 'fake-trainer')],
  );
});

test.afterAll(() => {
  coordinator?.kill();
});

test('a report that the program has written', async ({ page }) => {
  const file = join(folder, 'report.html');
  gridsweep('report', '1', '--db', db, '-o', file);
  await page.goto(pathToFileURL(file).href);
  await expect(page.locator('h2').first()).toBeVisible();
  await expect(page.locator('body')).toContainText(sweep);
  for (const view of views) {
    await page.locator(`nav a[href*="${view}"]`).first().click();
    await settled(page);
    await expect(page.locator(`.view-${view} h2`)).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations).toEqual([]);
  }
  await page.locator('nav a[href*="ranking"]').first().click();
  await expect(page.locator('.rank tbody tr')).toHaveCount(8);
});

test('the live view that the coordinator serves', async ({ page }) => {
  coordinator = spawn(join(bin, 'gridsweep-coordinator'), ['--db', db, '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = await new Promise<string>((resolve) =>
    coordinator!.stdout!.once('data', (data: Buffer) => resolve(data.toString())),
  );
  await page.goto((JSON.parse(line) as { live_view: string }).live_view);
  await page.getByRole('link', { name: sweep }).click();
  for (const view of views) {
    await page.locator(`nav a[href^="#/sweep/1/${view}"]`).click();
    await settled(page);
    await expect(page.locator(`.view-${view} h2`)).toBeVisible();
  }
});
