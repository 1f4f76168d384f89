// Tests what the tabs do while the command, with the hub and both processes, is gone.

import { draw, pageTest, sees, startBrowser, startMesh } from './testing/pages.ts';

pageTest(
  'tabs keep their link while the command is gone, and the new one joins them',
  async (t) => {
    const { url, end } = await startMesh(t);
    const context = await startBrowser(t);
    const pages = await Promise.all([context.newPage(), context.newPage()]);
    for (const page of pages) await page.goto(url);
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
  },
);
