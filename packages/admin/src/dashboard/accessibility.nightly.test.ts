// Tests every view of the page with axe-core in Chromium. With WRITE_SCREENSHOTS=1 it makes the
// screenshots of docs/dashboard.md.

import { mkdir, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { openPage, pageTest, show, startBrowser, VIEWS } from '../testing/chromium.ts';
import { startNetwork } from './testing/nodes.ts';

const SCREENSHOTS = fileURLToPath(new URL('../../../docs/dashboard/', import.meta.url));
const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1_280, height: 800 };

pageTest('every view is accessible, in both themes and widths', async (t) => {
  const { dashboard, work } = await startNetwork(t, 5, { readonly: false });
  t.timeout(300_000);
  const context = await startBrowser(t);
  const { page, problems } = await openPage(context, dashboard.url);
  await page.locator('main[data-up="5"]').waitFor();
  for (let i = 0; i < 4; i++) await work();
  await page.evaluate(axe.source);
  await page.getByRole('button', { name: 'Mark', exact: true }).click();
  await work();
  for (const view of VIEWS) {
    await show(page, view);
    for (const [width, size] of [
      ['wide', WIDE],
      ['phone', PHONE],
    ] as const) {
      await page.setViewportSize(size);
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        await work();
        t.deepEqual(await violations(page), [], `${view}, ${width}, ${scheme}`);
        if (view === 'network') await takeScreenshot(page, work, `${width}-${scheme}`);
        if (view === 'calls' && width === 'wide')
          await takeScreenshot(page, work, `calls-${scheme}`);
      }
      const { scrollWidth } = await page.evaluate(() => {
        const { scrollWidth } = (globalThis as any).document.documentElement;
        return { scrollWidth };
      });
      t.true(scrollWidth <= size.width, `${view}, ${width}: the page fits`);
    }
  }
  t.deepEqual(problems, []);
});

/** Returns the violations that axe finds, one line for each element. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run());
  return (violations as axe.Result[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`),
  );
}

async function takeScreenshot(page: Page, work: () => Promise<void>, name: string): Promise<void> {
  if (process.env['WRITE_SCREENSHOTS'] === undefined) return;
  // Meanwhile the layout settles, and the charts get a past that looks like that of a busy network.
  for (let i = 0; i < 60; i++) {
    await work();
    await page.waitForTimeout(60 + 60 * Math.abs(Math.sin(i / 5)));
  }
  await mkdir(SCREENSHOTS, { recursive: true });
  await writeFile(`${SCREENSHOTS}${name}.png`, await page.screenshot());
}
