// Opens the page of a recording in Chromium, from a file, for tests.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Recording } from '@trunkline/simulation';
import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { replayPage } from '../../index.replay.ts';
import { openPage, startBrowser } from '../../testing/chromium.ts';

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
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'replay.html');
  await writeFile(file, replayPage(recording));
  // Tests inspect the page with scripts of their own, which the page's policy would not allow.
  const { page, problems } = await openPage(await startBrowser(t), pathToFileURL(file).href);
  await (recording ? page.getByRole('slider') : page.locator('input[type=file]')).waitFor();
  return { page, problems };
}
