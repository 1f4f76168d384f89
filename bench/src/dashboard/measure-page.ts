// Opens the page of a dashboard in Chromium, pans its picture, and measures the frames.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
);

export interface PageOptions {
  readonly nodes: number;
  readonly links: number;
  readonly seconds: number;
  /** Receives what is being measured, and the part that is done, 0 to 1. */
  readonly progress: (text: string, done: number) => void;
}

/** Frames in milliseconds, and the used memory of the page in MB, sampled ten times. */
export interface PageFigures {
  readonly frames: readonly number[];
  readonly memory: readonly number[];
}

/** Measures a page. Throws if there is no Chromium. */
export async function measurePage(options: PageOptions): Promise<PageFigures> {
  const { nodes, links, seconds, progress } = options;
  if (CHROMIUM === undefined) throw new Error('there is no Chromium: apt-get install chromium');
  const path = fileURLToPath(new URL('feed.child.js', import.meta.url));
  const child = spawn(process.execPath, [path, String(nodes), String(links)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
  });
  try {
    const { value: url } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
    const page = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
    page.setDefaultTimeout(120_000);
    await page.goto(url);
    progress('waiting for all nodes', 0);
    await page.locator(`main[data-up="${nodes}"]`).waitFor();
    await page.locator(`section.picture[data-links="${links}"]`).waitFor();
    // Until the layout has come to rest.
    await page.waitForTimeout(15_000);
    return await pan(page, seconds, progress);
  } finally {
    await browser.close();
    child.stdin.end();
  }
}

async function pan(
  page: Page,
  seconds: number,
  progress: PageOptions['progress'],
): Promise<PageFigures> {
  const { x, y, width, height } = (await page.locator('.graph').first().boundingBox())!;
  const [left, top] = [x + width / 2, y + height / 2];
  await page.evaluate(RECORD);
  await page.mouse.move(left, top);
  await page.mouse.down();
  const memory: number[] = [];
  const start = performance.now();
  for (let step = 0; performance.now() - start < 1_000 * seconds; step++) {
    const angle = step / 40;
    await page.mouse.move(left + 300 * Math.cos(angle), top + 150 * Math.sin(angle));
    await page.waitForTimeout(16);
    const part = (10 * (performance.now() - start)) / (1_000 * seconds);
    if (part < memory.length) continue;
    memory.push(await page.evaluate<number>(MEMORY));
    progress(`panning, ${memory.at(-1)!.toFixed(0)} MB`, memory.length / 10);
  }
  await page.mouse.up();
  return { frames: await page.evaluate<number[]>('frames'), memory };
}

/** Records the time between frames in the page. At most an hour at 60 frames a second. */
const RECORD = `globalThis.frames = [];
let last = performance.now();
requestAnimationFrame(function record(now) {
  if (frames.length < 216000) frames.push(now - last);
  last = now;
  requestAnimationFrame(record);
});`;

const MEMORY = 'gc(), performance.memory.usedJSHeapSize / 1e6';
