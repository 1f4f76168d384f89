// Tests the command and its page in Chromium. With WRITE_SCREENSHOTS=1 it makes the screenshots of
// the README.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

type Point = readonly [x: number, y: number];

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
);
/** The time that a step may take on a machine that is busy, in milliseconds. */
const PATIENCE = 30_000;
const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url));
const SIZES = { phone: { width: 390, height: 844 }, wide: { width: 1_280, height: 800 } };

pageTest('tabs and processes see each other and draw, and a cut link heals', async (t) => {
  const { url, end } = await startMesh(t);
  const context = await startBrowser(t);
  const problems = watch(context, url);
  const one = await open(t, context, url);
  await draw(one, [[0.9, 0.05]]); // The other tab gets it as part of the board.
  const other = await open(t, context, url);
  const pages = [one, other];
  await sees(pages, '[data-nodes="4"][data-links="6"][data-strokes="1"]');
  // A link to process 1 is a WebSocket, and the others are WebRTC unless the machine is too busy.
  for (const path of ['ws', 'webrtc'])
    t.true((await one.locator(`#links i.${path}`).count()) > 0, path);
  await draw(other, [[0.93, 0.05]]);
  await sees(pages, '[data-strokes="2"]');

  await cut(one, '[data-own="true"]:has(.webrtc)');
  // The events stay on the page. The cut may be over before a busy test looks for it.
  await logs(pages, 'was cut', 1);
  await draw(one, [[0.96, 0.05]]);
  await sees(pages, '[data-strokes="3"]');
  await logs(pages, 'is back', 1);
  await sees(pages, '[data-links="6"]');
  await draw(one, curve(0.3));
  await draw(other, curve(0.68));
  await takeScreenshots(t, one);

  // A link between two other nodes is cut by a call to one of them.
  await cut(one, '[data-own="false"]:has(.ws)');
  await logs(pages, 'was cut', 2);
  await logs(pages, 'is back', 2);
  await other.close();
  await sees([one], '[data-nodes="3"][data-links="3"]');
  await one.close();
  t.deepEqual(problems, []);
  t.is(await end(), 0);
});

pageTest('tabs keep their link while the command is gone, and a new one joins', async (t) => {
  const { url, end } = await startMesh(t);
  const context = await startBrowser(t);
  const pages = [await open(t, context, url), await open(t, context, url)];
  await sees(pages, '[data-nodes="4"][data-links="6"]');
  t.is(await end(), 0);
  await sees(pages, '[data-nodes="2"][data-links="1"]');
  await draw(pages[0]!, [[0.2, 0.2]]);
  await sees(pages, '[data-strokes="1"]');
  const restarted = await startMesh(t, new URL(url).port);
  // The new processes have other keys, and get the board from the tabs.
  await sees(pages, '[data-nodes="4"][data-links="6"][data-strokes="1"]');
  await context.close();
  t.is(await restarted.end(), 0);
});

/** Defines a test that needs Chromium, and skips it where there is none. */
function pageTest(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (CHROMIUM !== undefined) test.serial(title, run);
  else test.skip(`${title} (no Chromium here: apt-get install chromium)`, () => {});
}

/** Starts the command. It is killed after the test, unless `end` was called. */
async function startMesh(t: ExecutionContext, port = '0') {
  const main = fileURLToPath(new URL('main.js', import.meta.url));
  const child = spawn(process.execPath, [main, '--port', port], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  const line = once(createInterface({ input: child.stdout }), 'line');
  const [, url] = /^open (\S+)/.exec(String(await Promise.race([line, exit]))) ?? [];
  if (url === undefined) throw new Error('the command printed no address');
  /** Ends the command as Ctrl-C does. Resolves to its exit code. */
  const end = async (): Promise<unknown> => {
    child.kill('SIGINT');
    return (await exit)[0];
  };
  return { url, end };
}

/** Starts Chromium with an empty profile. It is closed after the test. */
async function startBrowser(t: ExecutionContext): Promise<BrowserContext> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Without this, a page hides its addresses behind multicast DNS, which a container may lack.
    args: ['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns'],
  });
  t.teardown(() => browser.close());
  const context = await browser.newContext({ viewport: SIZES.wide });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/** Collects the errors of all pages, and their requests to other servers. */
function watch(context: BrowserContext, url: string): string[] {
  const problems: string[] = [];
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  context.on('request', (request) => {
    if (!request.url().startsWith(url)) problems.push(`a request to ${request.url()}`);
  });
  return problems;
}

/** Opens the page in a new tab, and checks that its security policy is strict. */
async function open(t: ExecutionContext, context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  const policy = (await page.goto(url))!.headers()['content-security-policy']!;
  t.regex(policy, /^default-src 'none'; script-src 'self';/);
  t.notRegex(policy, /unsafe|https?:|\*/);
  return page;
}

/** Waits for the state of the mesh as a page shows it, given as attributes of its main element. */
async function sees(pages: readonly Page[], attributes: string): Promise<void> {
  for (const page of pages) await page.locator(`main${attributes}`).waitFor();
}

/** Waits until the events of each page contain a text so many times. */
async function logs(pages: readonly Page[], text: string, times: number): Promise<void> {
  for (const page of pages) {
    const events = page.locator('#log li', { hasText: text });
    await events.nth(times - 1).waitFor();
  }
}

async function cut(page: Page, link: string): Promise<void> {
  await page.locator(`#links li${link}`).first().getByRole('button').click();
}

/** Draws a line through points of the board, given as parts of its width. */
async function draw(page: Page, points: readonly Point[]): Promise<void> {
  // Chromium delays the input of a tab in the background.
  await page.bringToFront();
  const { x: left, y: top, width } = (await page.locator('#board').boundingBox())!;
  for (const [at, [x, y]] of points.entries()) {
    await page.mouse.move(left + x * width, top + y * width);
    if (at === 0) await page.mouse.down();
  }
  await page.mouse.up();
}

/** Returns the points of an eight. */
function curve(x: number): Point[] {
  return Array.from({ length: 49 }, (_, at) => [
    x + 0.15 * Math.sin((at * Math.PI) / 12),
    0.3 + 0.15 * Math.sin((at * Math.PI) / 24),
  ]);
}

/** Checks that the page fits, and takes a picture of it in each width and color scheme. */
async function takeScreenshots(t: ExecutionContext, page: Page): Promise<void> {
  const isKept = process.env['WRITE_SCREENSHOTS'] !== undefined;
  for (const [name, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    const main = (await page.locator('main').boundingBox())!;
    t.true(main.x >= 0 && main.x + main.width <= size.width, `${name}: the page fits`);
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.screenshot(isKept ? { path: `${SCREENSHOTS}${name}-${scheme}.png` } : {});
    }
  }
}
