// Starts the command, and opens its page in Chromium, for tests.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

export type Point = readonly [x: number, y: number];

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
);
/** The time that a step may take on a machine that is busy, in milliseconds. */
const PATIENCE = 30_000;

/** Defines a test that needs Chromium, and skips it where there is none. */
export function pageTest(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (CHROMIUM !== undefined) test.serial(title, run);
  else test.skip(`${title} (no Chromium here: apt-get install chromium)`, () => {});
}

/** Starts the command. It is killed after the test, unless `end` was called. */
export async function startMesh(t: ExecutionContext, port = '0') {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const child = spawn(process.execPath, [main, '--port', port], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^open (\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    /** Ends the command as Ctrl-C does. Resolves to its exit code. */
    const end = async (): Promise<unknown> => {
      child.kill('SIGINT');
      return (await exit)[0];
    };
    return { url, end };
  }
  throw new Error('the command ended without an address');
}

/** Starts Chromium with an empty profile. It is closed after the test. */
export async function startBrowser(t: ExecutionContext): Promise<BrowserContext> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Without this, a page hides its addresses behind multicast DNS, which a container may lack.
    args: ['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns'],
  });
  t.teardown(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/** Waits for the state of the mesh as a page shows it, given as attributes of its main element. */
export async function sees(pages: readonly Page[], attributes: string): Promise<void> {
  await Promise.all(pages.map((page) => page.locator(`main${attributes}`).waitFor()));
}

/** Waits until the events of each page contain a text so many times. */
export async function logs(pages: readonly Page[], text: string, times: number): Promise<void> {
  const lines = pages.map((page) => page.locator('#log li', { hasText: text }).nth(times - 1));
  await Promise.all(lines.map((line) => line.waitFor()));
}

/** Moves the pointer through points of the board, given as parts of the board's width. */
export async function moveTo(page: Page, ...points: readonly Point[]): Promise<void> {
  // Chromium delays the input of a tab in the background.
  await page.bringToFront();
  const { x: left, y: top, width } = (await page.locator('#board').boundingBox())!;
  for (const [x, y] of points) await page.mouse.move(left + x * width, top + y * width);
}

/** Draws a line through points. A single point is one stroke, and a line may be several. */
export async function draw(page: Page, [first, ...rest]: readonly Point[]): Promise<void> {
  await moveTo(page, first!);
  await page.mouse.down();
  await moveTo(page, ...rest);
  await page.mouse.up();
}
