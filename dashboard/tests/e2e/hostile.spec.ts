import { expect, open, settled, test, views } from './page';

for (const cells of [2, 200] as const) {
  test(`hostile names stay text, ${cells} cells`, async ({ page }) => {
    await open(page, { cells, hostile: true });
    await expect(page.locator('.rail h1')).toHaveText('<script>alert(1)</script>');
    await expect(page).toHaveTitle('<script>alert(1)</script> · gridsweep');
    for (const view of views) {
      await page.locator(`nav a[href^="#/${view}"]`).click();
      await settled(page);
      await expect(page.locator('img, #app script')).toHaveCount(0);
      const charts = await page.locator('.chart').all();
      for (const chart of charts) {
        // Tooltips are made of text, too.
        const box = (await chart.boundingBox())!;
        for (const part of [0.2, 0.4, 0.6, 0.8])
          await page.mouse.move(box.x + box.width * part, box.y + Math.min(box.height, 400) * part);
      }
      await expect(page.locator('img')).toHaveCount(0);
      for (const summary of await page.getByText('Show as table').all()) await summary.click();
      await expect(page.locator('img')).toHaveCount(0);
    }
  });
}

test('hostile names do not widen the page of a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, { cells: 200, hostile: true });
  for (const view of views) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${view}`);
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBe(390);
  }
});

test('addresses that mean nothing are harmless', async ({ page }) => {
  await open(page, { cells: 200 }, '#/nowhere?f.optimizer=99.x&r.mean=a~b&pins=9999.foo&cell=77777&sort=nothing&q=%3Cimg%3E');
  await expect(page.locator('h2').first()).toHaveText('Overview');
  for (const view of views) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${view}?f.__proto__=1&metric=x&x=no&y=no&measure=toString&a=1e9&seed=-1&class=999&from=abc`);
    await settled(page);
    await expect(page.locator(`.view-${view} h2`)).toBeVisible();
  }
});
