import AxeBuilder from '@axe-core/playwright';
import { expect, open, settled, test, views } from './page';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`axe finds nothing, ${colorScheme}, ${width} px`, async ({ page }) => {
      test.setTimeout(240_000); // thirteen analyses, seconds each on a busy machine
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 844 });
      await open(page, { cells: 200 });
      for (const view of [...views, 'ranking?cell=1', 'confusion?mode=difference']) {
        await page.evaluate((hash) => {
          location.hash = hash;
        }, `#/${view}`);
        await settled(page);
        for (const summary of await page.getByText('Show as table').all()) await summary.click();
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(
          violations.map(
            ({ id, nodes }) =>
              `${view}: ${id}: ${nodes
                .slice(0, 3)
                .map((node) => node.html.slice(0, 160))
                .join(' | ')}`,
          ),
        ).toEqual([]);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth),
          `${view} is not wider than the window`,
        ).toBeLessThanOrEqual(width);
        await page.keyboard.press('Escape');
      }
    });
  }
}

test('the keyboard reaches content, filter, rows', async ({ page }) => {
  await open(page, { cells: 200 }, '#/ranking');
  await page.keyboard.press('Tab');
  await expect(page.locator('.skip')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#main')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('group', { name: 'Levels of model' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('group', { name: 'Levels of model' })).toBeHidden();
});
