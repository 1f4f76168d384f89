// Opens pages in Chromium, for tests.

import { existsSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
);
/** The time that a step may take on a machine that is busy, in milliseconds. */
const PATIENCE = 30_000;

/** The views of the dashboard's page, by the names in its address (VIEWS of page/session.ts). */
export const VIEWS = ['network', 'calls', 'topics', 'peers', 'queues', 'errors', 'node', 'compare'];

/** Defines a test that needs Chromium, and skips it if there is none. */
export function pageTest(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (CHROMIUM !== undefined) test.serial(title, run);
  else test.skip(`${title} (no Chromium here: apt-get install chromium)`, () => {});
}

/** Starts Chromium with an empty profile. It is closed after the test. */
export async function startBrowser(
  t: ExecutionContext,
  viewport: { readonly width: number; readonly height: number } = { width: 1_280, height: 800 },
): Promise<BrowserContext> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  t.teardown(() => browser.close());
  const context = await browser.newContext({ viewport });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/** Opens a page, and collects the errors of its page and its requests to other places. */
export async function openPage(
  context: BrowserContext,
  url: string,
): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const problems: string[] = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => {
    const to = request.url();
    if (to !== url && !to.startsWith(new URL(url).origin) && !/^(blob|data):/.test(to))
      problems.push(`a request to ${to}`);
  });
  await page.goto(url);
  return { page, problems };
}

/** Shows a view, and waits until the page has drawn it. */
export async function show(page: Page, view: string): Promise<void> {
  await page.locator(`nav a[href="#/${view}"]`).click();
  await page.locator(`main[data-view="${view}"]`).waitFor();
}
