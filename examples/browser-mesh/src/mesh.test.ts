// Tests the command and its page in Chromium: two tabs and two processes. With WRITE_SCREENSHOTS=1
// it makes the screenshots of the README.

import { mkdir, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import {
  draw,
  logs,
  moveTo,
  type Point,
  pageTest,
  sees,
  startBrowser,
  startMesh,
} from './testing/pages.ts';

const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url));
const WIDE = { width: 1_280, height: 800 };
const PHONE = { width: 390, height: 844 };

pageTest(
  'two tabs and two processes see each other, a stroke reaches all, and a cut link heals',
  async (t) => {
    const { url, end } = await startMesh(t);
    const context = await startBrowser(t);
    const problems = watch(context, url);
    const one = await open(t, context, url);
    await draw(one, [[0.9, 0.05]]); // The other tab gets it as part of the board.
    const other = await open(t, context, url);
    const pages = [one, other];
    await sees(pages, '[data-nodes="4"][data-links="6"][data-strokes="1"]');
    // A link to process 1 is a WebSocket, and the others are WebRTC unless the machine is too busy.
    t.true((await countOf(one, 'ws')) > 0);
    t.true((await countOf(one, 'webrtc')) > 0);

    await draw(other, [[0.93, 0.05]]);
    await sees(pages, '[data-strokes="2"]');

    await cut(one, '[data-own="true"]:has(.webrtc)');
    // The events stay on the page. The cut may be over before a busy test looks for it.
    await logs(pages, 'was cut', 1);
    await draw(one, [[0.96, 0.05]]);
    await sees(pages, '[data-strokes="3"]');
    await logs(pages, 'is back after', 1);
    await sees(pages, '[data-links="6"]');

    await draw(one, heart(0.3, 0.3));
    await draw(other, star(0.68, 0.32));
    await takeScreenshots(t, one, other);
    // A link between two other nodes is cut by a call to one of them.
    await cut(one, '[data-own="false"]:has(.ws)');
    await logs(pages, 'was cut', 2);
    await takeScreenshot(one, 'wide-dark');
    await logs(pages, 'is back after', 2);

    await other.close();
    await sees([one], '[data-nodes="3"][data-links="3"]');
    await one.close();
    t.deepEqual(problems, []);
    t.is(await end(), 0);
  },
);

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

/** Counts the links on a transport. */
function countOf(page: Page, path: string): Promise<number> {
  return page.locator(`#links i.${path}`).count();
}

async function cut(page: Page, link: string): Promise<void> {
  await page.locator(`#links li${link}`).first().getByRole('button').click();
}

function heart(x: number, y: number): Point[] {
  return Array.from({ length: 49 }, (_, step) => {
    const at = (step / 24) * Math.PI;
    const height = 13 * Math.cos(at) - 5 * Math.cos(2 * at) - 2 * Math.cos(3 * at);
    return [x + 0.16 * Math.sin(at) ** 3, y - 0.01 * height];
  });
}

function star(x: number, y: number): Point[] {
  return Array.from({ length: 6 }, (_, step) => {
    const at = step * 0.8 * Math.PI;
    return [x + 0.15 * Math.sin(at), y - 0.15 * Math.cos(at)];
  });
}

/** Checks that the page fits, and takes a picture of it in each width and color scheme. */
async function takeScreenshots(t: ExecutionContext, page: Page, other: Page): Promise<void> {
  for (const [name, size] of [
    ['phone', PHONE],
    ['wide', WIDE],
  ] as const) {
    await page.setViewportSize(size);
    const main = (await page.locator('main').boundingBox())!;
    t.true(main.x >= 0 && main.x + main.width <= size.width, `${name}: the page fits`);
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await moveTo(other, [0.55, 0.5]);
      await takeScreenshot(page, `${name}-${scheme}`);
    }
  }
}

async function takeScreenshot(page: Page, name: string): Promise<void> {
  const picture = await page.screenshot();
  if (process.env['WRITE_SCREENSHOTS'] === undefined) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await writeFile(`${SCREENSHOTS}${name}.png`, picture);
}
