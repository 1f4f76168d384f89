// Tests the page in Chromium: the keyboard, the filters, hostile texts, and axe-core in both themes
// and widths. With WRITE_SCREENSHOTS=1 it makes the screenshots of docs/replay.md.

import { Buffer } from 'node:buffer';
import { mkdir, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { pageTest } from '../testing/chromium.ts';
import { checkedRun } from './testing/checked-run.ts';
import { failingRun, HOSTILE } from './testing/failing-run.ts';
import { openRecording } from './testing/open-recording.ts';

const BAR_ENDS_AT_LINE = `(() => {
  const [line, bar] = ['svg .violation', 'svg .culprit rect'].map((selector) =>
    document.querySelector(selector).getBoundingClientRect(),
  );
  return Math.abs(line.x + line.width / 2 - bar.right) < 4;
})()`;
const SCREENSHOTS = fileURLToPath(new URL('../../../../docs/replay/', import.meta.url));

pageTest('a failure is stepped through by keyboard, buttons, list and pointer', async (t) => {
  const recording = await failingRun();
  const { page, problems } = await openRecording(t, recording);
  const cursor = page.getByRole('slider', { name: 'Cursor' });
  const now = async () => Number(await cursor.getAttribute('aria-valuenow'));
  const last = recording.events.length - 1;
  t.is(await now(), last);
  t.true((await page.locator('header').textContent())!.includes(recording.failure!.message));

  await cursor.focus();
  await page.keyboard.press('ArrowLeft');
  t.is(await now(), last - 1);
  await page.keyboard.press('Home');
  t.is(await now(), 0);
  await page.keyboard.press('PageUp');
  t.is(await now(), 10);
  await page.keyboard.press('End');
  t.is(await now(), last);
  await page.getByRole('button', { name: 'Previous event' }).click();
  t.is(await now(), last - 1);

  const crash = recording.events.findLastIndex(({ kind }) => kind === 'crashed');
  await cursor.focus();
  await page.keyboard.press('0');
  while ((await now()) > crash) await page.keyboard.press('ArrowLeft');
  const server = page.locator('.nodes > ul > li').first();
  t.regex((await server.textContent())!, /^server down/);
  t.regex((await page.locator('.event').textContent())!, /server crashed/);
  t.true((await page.locator('svg line.fault').count()) > 0);
  t.true((await page.locator('svg line.message').count()) > 20);

  await page.getByLabel('Method').selectOption('locks/release');
  await page.locator('.event').waitFor();
  const listed = await page.locator('.events button').allInnerTexts();
  t.false(listed.join().includes('locks/acquire'));
  await page.getByText(/^Nodes \(/).click();
  await page.getByRole('checkbox', { name: 'grace' }).uncheck();
  t.false((await page.locator('svg .name').allTextContents()).includes('grace'));

  const before = await now();
  const box = (await page.locator('svg').boundingBox())!;
  await page.mouse.click(box.x + box.width * 0.3, box.y + 60);
  t.not(await now(), before);
  t.deepEqual(problems, []);
});

pageTest('a checked history opens at the violation, with the message and the bars', async (t) => {
  const { failure, events, ...rest } = await checkedRun();
  const { at, text, operations } = failure!;
  const after = [1, 2, 3].map((by) => ({ at: at + by, kind: 'note', from: 'ada', text: 'later' }));
  const recording = { ...rest, failure, events: [...events, ...after], at: at + 3 };
  const { page, problems } = await openRecording(t, recording);
  const cursor = page.getByRole('slider', { name: 'Cursor' });
  t.is(Number(await cursor.getAttribute('aria-valuenow')), events.length - 1);
  const shown = await page.locator('header .failed, header pre').allTextContents();
  t.is(`${shown[0]!.trim()}\n${shown[1]}`, `Failed: ${text!}`);
  await page.evaluate(axe.source);
  for (const [width, size] of [
    ['wide', { width: 1_440, height: 900 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    await page.setViewportSize(size);
    t.is(await page.locator('svg .operation').count(), operations!.length);
    t.regex((await page.locator('svg .culprit text').textContent())!, /^✖ get x -> 'ada/);
    t.is(await page.locator('svg .violation').count(), 1);
    // The picture follows the new size in a later frame.
    await page.waitForFunction(BAR_ENDS_AT_LINE);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      t.deepEqual(await violations(page), [], `${width}, ${colorScheme}`);
      if (
        process.env['WRITE_SCREENSHOTS'] !== undefined &&
        `${width} ${colorScheme}` === 'wide light'
      )
        await writeFile(`${SCREENSHOTS}checked-light.png`, await page.screenshot());
    }
    const scrollWidth = await page.evaluate(
      () => (globalThis as any).document.documentElement.scrollWidth as number,
    );
    t.true(scrollWidth <= size.width, `${width}: ${scrollWidth}`);
  }
  t.deepEqual(problems, []);
});

pageTest(
  'without a recording, the page opens the file of one, and says what is wrong with others',
  async (t) => {
    const recording = await failingRun();
    const { page, problems } = await openRecording(t);
    await page.evaluate(axe.source);
    t.deepEqual(await violations(page), []);
    const choose = (name: string, text: string) =>
      page.getByLabel(/^Open the recording/).setInputFiles({
        name,
        mimeType: 'application/json',
        buffer: Buffer.from(text),
      });
    await choose('notes.json', '{}');
    await page.getByText(/^notes\.json: this is no recording/).waitFor();
    await choose('failure.json', JSON.stringify(recording));
    await page.getByRole('slider', { name: 'Cursor' }).waitFor();
    t.true((await page.locator('header').textContent())!.includes(recording.failure!.message));
    t.deepEqual(problems, []);
  },
);

pageTest('names and texts with markup are shown as text', async (t) => {
  const { page, problems } = await openRecording(t, await failingRun('message', HOSTILE.node));
  t.is(await page.title(), 'Replay');
  const nodes = await page.locator('.nodes h3').allInnerTexts();
  t.true(nodes.some((name) => name.startsWith('<img')));
  t.true((await page.locator('.nodes').textContent())!.includes(HOSTILE.state.slice(0, 17)));
  t.is(await page.locator('img').count(), 0);
  t.deepEqual(problems, []);
});

pageTest('the page is accessible, and fits, in both themes and widths', async (t) => {
  const { page } = await openRecording(t, await failingRun());
  await page.evaluate(axe.source);
  for (const [width, size] of [
    ['wide', { width: 1_280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      t.deepEqual(await violations(page), [], `${width}, ${colorScheme}`);
      if (process.env['WRITE_SCREENSHOTS'] === undefined) continue;
      await mkdir(SCREENSHOTS, { recursive: true });
      await writeFile(`${SCREENSHOTS}${width}-${colorScheme}.png`, await page.screenshot());
    }
    const scrollWidth = await page.evaluate(
      () => (globalThis as any).document.documentElement.scrollWidth as number,
    );
    t.true(scrollWidth <= size.width, `${width}: ${scrollWidth}`);
  }
});

/** Returns the violations that axe finds, one line for each element. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run());
  return (violations as axe.Result[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`),
  );
}
