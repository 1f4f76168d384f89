// Opens the page of a recording in Chromium, from a file, for tests.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Recording } from '@trunkline/simulation';
import test, { type ExecutionContext } from 'ava';
import { chromium, type Page } from 'playwright-core';
import { replayPage } from '../../index.replay.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
);
/** The time that a step may take on a machine that is busy, in milliseconds. */
const PATIENCE = 30_000;

/** Defines a test that needs Chromium, and skips it if there is none. */
export function pageTest(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (CHROMIUM !== undefined) test.serial(title, run);
  else test.skip(`${title} (no Chromium here: apt-get install chromium)`, () => {});
}

/**
 * Opens a recording, or the page that asks for one, and collects the errors of the page and its
 * requests.
 */
export async function openRecording(
  t: ExecutionContext,
  recording?: Recording,
): Promise<{ readonly page: Page; readonly problems: string[] }> {
  t.timeout(120_000);
  const folder = await mkdtemp(join(tmpdir(), 'replay-'));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  t.teardown(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });
  const url = pathToFileURL(join(folder, 'replay.html')).href;
  await writeFile(join(folder, 'replay.html'), replayPage(recording));
  // Tests inspect the page with scripts of their own, which the page's policy would not allow.
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:'))
      problems.push(`a request to ${request.url()}`);
  });
  await page.goto(url);
  await (recording ? page.getByRole('slider') : page.locator('input[type=file]')).waitFor();
  return { page, problems };
}
