import AxeBuilder from '@axe-core/playwright';
import { make } from '../fixtures/make';
import { startCoordinator, type Coordinator } from '../fixtures/server';
import { expect, settled, test, views } from './page';

const running = make({ cells: 200, live: true });
const finished = make({ cells: 200 });
let coordinator: Coordinator;

test.afterEach(async () => {
  await coordinator.close();
});

test('from the list of sweeps to one that runs', async ({ page }) => {
  coordinator = await startCoordinator(running);
  await page.goto(coordinator.url);
  await expect(page.getByRole('table')).toContainText('emnist-regularization');
  await page.getByRole('link', { name: 'emnist-regularization' }).click();
  await expect(page.locator('.progress-line')).toContainText('epochs/min');
  expect(page.url()).toContain('#/sweep/3/overview');
  await expect(page.getByRole('region', { name: 'Running jobs' }).locator('tbody tr')).toHaveCount(11);
  await expect(page.getByRole('region', { name: 'Workers' })).toContainText('has not answered for 95 s');
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations).toEqual([]);
  for (const view of views) {
    await page.locator(`nav a[href^="#/sweep/3/${view}"]`).click();
    await settled(page);
    await expect(page.locator(`.view-${view} h2`)).toBeVisible();
  }
  await page.getByRole('link', { name: 'gridsweep' }).click();
  await expect(page.getByRole('heading', { name: 'Sweeps' })).toBeVisible();
});

test('progress and ranking follow the coordinator, and the filter stays', async ({ page }) => {
  coordinator = await startCoordinator(running);
  await page.goto(`${coordinator.url}#/sweep/3/ranking?f.model=1`);
  await expect(page.locator('.filter-count')).toHaveText('100 of 200 cells');
  await expect(page.locator('.status')).toContainText('done');
  coordinator.send({ epochs_done: 1, epochs_total: 2, eta_seconds: 125 });
  await expect(page.locator('.status')).toHaveText(/50\s% done, 2\smin left/);
  const before = await page.locator('.rank tbody').textContent();
  coordinator.serve(finished);
  coordinator.send({ state: 'finished', results: 535 });
  await expect(page.locator('.rank tbody')).not.toHaveText(before!, { timeout: 10_000 });
  await expect(page.locator('.filter-count')).toHaveText('100 of 200 cells');
  await expect(page.locator('.status')).toHaveText('finished');
});

test('sections are loaded anew with the report', async ({ page }) => {
  coordinator = await startCoordinator(running);
  await page.goto(`${coordinator.url}#/sweep/3/curves`);
  await expect(page.locator('.chart')).toBeVisible();
  expect(coordinator.requests.filter((request) => request.endsWith('/samples'))).toEqual([]);
  const asked = coordinator.requests.filter((request) => request.endsWith('/curves')).length;
  coordinator.serve(finished);
  coordinator.send({ results: 999 });
  await expect
    .poll(() => coordinator.requests.filter((request) => request.endsWith('/curves')).length, { timeout: 10_000 })
    .toBeGreaterThan(asked);
  await expect(page.locator('.chart')).toBeVisible();
});

test('trouble and an unknown sweep are told', async ({ page }) => {
  coordinator = await startCoordinator(running);
  await page.goto(`${coordinator.url}#/sweep/3/overview`);
  await expect(page.locator('.progress-line')).toBeVisible();
  coordinator.send({ trouble: 'the disk is full' });
  await expect(page.getByRole('alert')).toHaveText('the disk is full');
});

test.describe('with a token', () => {
  test('sign in', async ({ page, complaints }) => {
    coordinator = await startCoordinator(running, 'secret');
    await page.goto(coordinator.url);
    await page.getByLabel('access token').fill('wrong');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('status')).toHaveText('This is not the access token.');
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await page.getByLabel('access token').fill('secret');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('link', { name: 'emnist-regularization' })).toBeVisible();
    // The browser itself reports a refusal in the console.
    for (let i = complaints.length - 1; i >= 0; --i) if (complaints[i]!.includes('401')) complaints.splice(i, 1);
  });
});
