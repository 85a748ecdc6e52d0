import { expect, open, settled, test, views } from './page';

test('every section of a report opens, from disk, without errors', async ({ page }) => {
  await open(page, { cells: 200 });
  for (const view of views) {
    await page.locator(`nav a[href^="#/${view}"]`).click();
    await settled(page);
    await expect(page.locator(`.view-${view} h2`)).toBeVisible();
    await expect(page.locator(`.view-${view} .empty`)).toHaveCount(0);
  }
});

test('the overview says who leads, how certainly, and how many tie', async ({ page }) => {
  await open(page, { cells: 200 });
  await expect(page.locator('.lead')).toHaveText(/3\scells tie for the lead; the best mean is \d\d\.\d\s±\s0\.\d\s% n = 3/);
  await expect(page).toHaveTitle('emnist-regularization · gridsweep');
});

test('one seed: the caption says what ± is', async ({ page }) => {
  await open(page, { cells: 2 }, '#/ranking');
  await expect(page.locator('.caption').first()).toContainText(
    'One seed: ± is 1.96 standard errors of the 11,280 evaluation images, not of other seeds.',
  );
});

test('the table is sorted by its heads, and a deep link brings the order back', async ({ page }) => {
  await open(page, { cells: 200 }, '#/ranking');
  await expect(page.locator('.rank tbody .fixed-rank').first()).toHaveText('1=');
  await page.getByRole('button', { name: 'test accuracy' }).click();
  await expect(page.locator('th[aria-sort="descending"]')).toContainText('test accuracy');
  expect(page.url()).toContain('sort=-test_accuracy');
  const first = await page.locator('.rank tbody tr').first().textContent();
  await page.reload();
  await expect(page.locator('.rank tbody tr').first()).toHaveText(first!);
  await page.getByRole('button', { name: 'test accuracy' }).click();
  await page.getByRole('button', { name: 'test accuracy' }).click();
  expect(page.url()).not.toContain('sort=');
});

test('a level filter holds for all sections and stands in the address', async ({ page }) => {
  await open(page, { cells: 200 }, '#/ranking');
  await page
    .getByRole('button', { name: /^optimizer/ })
    .first()
    .click();
  await page.getByRole('button', { name: 'only rmsprop' }).click();
  await page.keyboard.press('Escape');
  await expect(page.locator('.filter-count')).toHaveText('40 of 200 cells');
  expect(page.url()).toContain('f.optimizer=3');
  await page.locator('nav a', { hasText: 'Cost' }).click();
  await expect(page.locator('.filter-count')).toHaveText('40 of 200 cells');
  await page.getByRole('button', { name: 'Clear filter' }).click();
  await expect(page.locator('.filter-count')).toHaveText('200 cells');
});

test('words filter, and nothing found is said', async ({ page }) => {
  await open(page, { cells: 200 }, '#/ranking');
  await page.getByRole('searchbox').fill('cnn dropout');
  await expect(page.locator('.filter-count')).toHaveText('25 of 200 cells');
  await page.getByRole('searchbox').fill('no such thing');
  await expect(page.getByText('No cell passes the filter.')).toBeVisible();
});

test('a brush on a parallel axis filters, snaps to levels, and is taken off by a click beside it', async ({ page }) => {
  await open(page, { cells: 200 }, '#/parallel');
  await settled(page);
  const box = (await page.locator('.chart').boundingBox())!;
  // The first axis, model, stands 56 px from the left; mlp is its upper half.
  const x = box.x + 56;
  await page.mouse.move(x, box.y + 120);
  await page.mouse.down();
  await page.mouse.move(x, box.y + 180, { steps: 5 });
  await page.mouse.up();
  await expect(page.locator('.filter-count')).toHaveText('100 of 200 cells');
  expect(page.url()).toContain('f.model=0');
  await page.mouse.click(x, box.y + 450);
  await expect(page.locator('.filter-count')).toHaveText('200 cells');
});

test('a brush on a measure makes a range that can be removed', async ({ page }) => {
  await open(page, { cells: 200 }, '#/parallel');
  await settled(page);
  const box = (await page.locator('.chart').boundingBox())!;
  const x = box.x + box.width - 76;
  await page.mouse.move(x, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(x, box.y + 140, { steps: 5 });
  await page.mouse.up();
  await expect(page.locator('.chip.on')).toContainText('validation accuracy');
  expect(page.url()).toContain('r.mean=');
  const count = await page.locator('.filter-count').textContent();
  await page.reload();
  await expect(page.locator('.filter-count')).toHaveText(count!);
  await page.locator('.chip.on').click();
  await expect(page.locator('.filter-count')).toHaveText('200 cells');
});

test('pinned cells are compared in curves and predictions', async ({ page }) => {
  await open(page, { cells: 200 }, '#/ranking');
  await page.locator('.rank tbody .pin').nth(1).check();
  await page.locator('.rank tbody .pin').nth(4).check();
  await page.locator('nav a', { hasText: 'Curves' }).click();
  await settled(page);
  await expect(page.locator('.compared li')).toHaveCount(2);
  await page.getByLabel('log scale').check();
  await page.getByLabel('Metric').selectOption('train_loss');
  expect(page.url()).toMatch(/log=1.*metric=train_loss.*pins=\d+\.\d+/);
  await page.getByText('Show as table').click();
  await expect(page.locator('.as-table tbody tr')).toHaveCount(12);
  await page.locator('nav a', { hasText: 'Predictions' }).click();
  await settled(page);
  await expect(page.locator('.samples.several li').first().locator('.answer')).toHaveCount(2);
  await expect(page.locator('.samples li').first()).toHaveClass('wrong');
});

test('confusion: two beside each other, and their difference', async ({ page }) => {
  await open(page, { cells: 200 }, '#/confusion');
  await settled(page);
  await expect(page.locator('.view .chart')).toHaveCount(1);
  await page.getByRole('button', { name: 'two' }).click();
  await expect(page.locator('.view .chart')).toHaveCount(2);
  await page.getByRole('button', { name: 'difference' }).click();
  await expect(page.locator('figcaption')).toContainText('A − B');
});

test('a field of the heat map filters', async ({ page }) => {
  await open(page, { cells: 200 }, '#/heatmap?x=optimizer&y=model');
  await settled(page);
  await expect(page.getByLabel('Across')).toHaveValue('optimizer');
  await page.locator('.chart').click({ position: { x: 100, y: 40 } });
  await expect(page.locator('.filter-count')).toHaveText('20 of 200 cells');
});

test('a row opens everything about the cell; Escape closes it and the focus returns', async ({ page }) => {
  await open(page, { cells: 200 }, '#/ranking');
  const head = page.locator('.rank tbody .row-head').first();
  await head.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('Rank 1=');
  await expect(page.getByRole('dialog').getByRole('table').locator('tbody tr')).toHaveCount(3);
  expect(page.url()).toContain('cell=');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  expect(page.url()).not.toContain('cell=');
  await expect(head).toBeFocused();
});

test('diverged and failed jobs with their reason', async ({ page }) => {
  await open(page, { cells: 200 }, '#/failures');
  await expect(page.getByRole('region', { name: 'Reasons' })).toContainText('loss is nan in epoch …');
  await expect(page.getByRole('region', { name: 'Failed and diverged jobs' })).toContainText('signal 9');
});

test('the theme follows the system until chosen, and is kept', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await open(page, { cells: 2 });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.getByRole('button', { name: 'Use the light theme' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
});

test('losses are ranked by the lowest, in nats', async ({ page }) => {
  await open(page, { cells: 200, goal: 'min' }, '#/ranking');
  await expect(page.locator('.caption').first()).toContainText('Cells by lowest mean validation loss (nats)');
  for (const view of views) {
    await page.locator(`nav a[href^="#/${view}"]`).click();
    await settled(page);
  }
});

test('paper has every section and no controls', async ({ page }) => {
  await open(page, { cells: 200 });
  await page.evaluate(() => {
    window.print = () => document.body.append('PRINTED');
  });
  await page.keyboard.press('Control+p');
  await expect(page.locator('body')).toContainText('PRINTED');
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  await page.emulateMedia({ media: 'print' });
  for (const view of views) await expect(page.locator(`#print .view-${view} h2`)).toBeVisible();
  await expect(page.locator('#print')).not.toContainText('Unpacking');
  await expect(page.locator('#print select:visible, #print input:visible')).toHaveCount(0);
  const pdf = await page.pdf({ format: 'A4' });
  expect(pdf.byteLength).toBeGreaterThan(50_000);
});
