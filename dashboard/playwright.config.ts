import { defineConfig } from '@playwright/test';
import { launchOptions } from './tests/tools/browser';

export default defineConfig({
  testDir: 'tests/e2e',
  workers: 2,
  timeout: 60_000,
  reporter: [['list']],
  use: { launchOptions, viewport: { width: 1440, height: 900 } },
});
