// Tests the page in Chromium: its views, its slider, and hostile names.

import { createTransport } from '@trunkline/transport-core';
import type { Page } from 'playwright-core';
import { serveDashboard } from '../index.dashboard.ts';
import { openPage, pageTest, show, startBrowser, VIEWS } from '../testing/chromium.ts';
import { greeter, startHostile, startNetwork } from './testing/nodes.ts';

pageTest('the page shows a network live, in the past, and two moments compared', async (t) => {
  const { dashboard, work } = await startNetwork(t, 4, { readonly: false });
  const context = await startBrowser(t);
  const { page, problems } = await openPage(context, dashboard.url);
  t.false(page.url().includes('token'));
  await page.locator('main[data-up="4"]').waitFor();
  await work();
  await page.locator('section.picture:not([data-links="0"])').waitFor();
  await page.locator('tbody tr', { hasText: 'inmem://node-4' }).first().waitFor();
  const moments = await momentsOf(page);
  await show(page, 'calls');
  await row(page, 'greeter/greet').first().waitFor();
  await work();
  await page.getByRole('img', { name: /^Latency histogram .*: .*up to/ }).waitFor();
  await show(page, 'topics');
  await row(page, 'news').first().waitFor();
  await show(page, 'peers');
  await row(page, 'asserted').first().waitFor();
  await show(page, 'queues');
  await row(page, 'memory of messages').first().waitFor();
  await row(page, /: streams.*0\.8 %/)
    .first()
    .waitFor();
  await show(page, 'errors');
  await row(page, 'the printer is out of paper for node').first().waitFor();
  await page.getByLabel('Node', { exact: true }).selectOption('inmem://node-2');
  await show(page, 'node');
  await page.getByText('"state": "open"').waitFor();

  // The slider by keyboard: the first moment, before the calls.
  await page.getByRole('slider', { name: 'Time' }).focus();
  await page.keyboard.press('Home');
  await page.getByRole('status').filter({ hasText: 'paused' }).waitFor();
  await page.getByRole('button', { name: 'Mark', exact: true }).click();
  await page.getByRole('button', { name: 'Live' }).click();
  await show(page, 'compare');
  await row(page, 'totals › served').waitFor();
  t.true((await momentsOf(page)) > moments);
  await page.getByRole('button', { name: 'Unmark' }).click();

  // A change of a node.
  await show(page, 'node');
  await page.getByRole('button', { name: 'Disconnect' }).first().click();
  await page.getByText('disconnect: done').waitFor();
  await page.getByLabel('Node', { exact: true }).selectOption('');

  // A reload keeps the token; a page without it asks for it.
  await page.reload();
  await page.locator('main[data-up="4"]').waitFor();
  const other = await openPage(context, new URL('/', dashboard.url).href);
  await other.page.getByRole('alert').waitFor();
  await other.page.getByLabel('Token').fill(new URL(dashboard.url).hash.slice('#token='.length));
  await other.page.getByRole('button', { name: 'Open' }).click();
  await other.page.locator('main[data-up="4"]').waitFor();
  await other.page.goto(new URL('/replay', dashboard.url).href);
  await other.page.getByLabel(/^Open the recording/).waitFor();
  t.deepEqual([...problems, ...other.problems], []);
});

pageTest(
  'fifty nodes have legible names at a desk and on a phone, and clients are no nodes',
  async (t) => {
    t.timeout(120_000);
    const { dashboard, addresses, backends } = await startNetwork(
      t,
      50,
      {},
      (node) => `eu-west-${node}`,
    );
    const client = createTransport({ protocol: greeter, backends, name: 'a client' });
    t.teardown(() => client.close());
    // An idle connection would be closed before a slow page shows the client.
    client.hold(addresses[0]!);
    await client.send(addresses[0]!, 'greet', 'Ada');
    for (const [width, height, fewest] of [
      [1_440, 900, 45],
      [390, 844, 20],
    ] as const) {
      const { page, problems } = await openPage(
        await startBrowser(t, { width, height }),
        dashboard.url,
      );
      await page.locator('main[data-up="50"]').waitFor();
      await page.locator('section.picture:not([data-links="0"])').waitFor();
      await page.waitForFunction(`document.querySelector('canvas')?.dataset.labels >= ${fewest}`);
      await page.getByRole('button', { name: 'eu-west-50', exact: true }).waitFor();
      await row(page, 'a client').first().waitFor();
      t.is(await page.locator('.health.unwatched').count(), 1, 'only in the legend');
      t.deepEqual(problems, []);
    }
  },
);

pageTest('a hostile node can neither run code nor change the page', async (t) => {
  const { backends, address } = await startHostile(t);
  const tool = createTransport({ protocol: greeter, backends });
  const dashboard = await serveDashboard(tool, { nodes: [address], interval: 250 });
  t.teardown(async () => {
    await dashboard.close();
    await tool.close();
  });
  const { page, problems } = await openPage(await startBrowser(t), dashboard.url);
  await page.locator('main[data-up="1"]').waitFor();
  for (const view of VIEWS) {
    await show(page, view);
    if (view === 'compare') await page.getByRole('button', { name: 'Mark this moment' }).click();
    t.is(await page.getByText("can't be shown").count(), 0, view);
    const text = (await page.locator('#app').textContent()) ?? '';
    if (view === 'errors') t.true(text.includes('<img src=x'));
    t.notRegex(text, /\p{Bidi_C}/u, view);
    t.false(text.includes('\u0007') || text.includes('\u001b'), view);
    t.is(await page.locator('img').count(), 0, view);
  }
  t.is(await page.title(), 'Trunkline');
  t.deepEqual(problems, []);
});

function row(page: Page, text: string | RegExp) {
  return page.locator('tbody tr', { hasText: text });
}

async function momentsOf(page: Page): Promise<number> {
  return Number(await page.locator('main').getAttribute('data-moments'));
}
