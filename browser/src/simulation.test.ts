// Runs a simulation in Chromium: its hash must equal the recorded one, which Node's tests check
// too.

import test from 'ava';
import { executablePath, NO_CHROMIUM, TestBrowser } from './chromium.ts';

const title = 'Chromium gives a simulation the hash that is recorded';

if (executablePath === undefined) test.skip(`${title} (${NO_CHROMIUM})`, () => {});
else
  test(title, async (t) => {
    const browser = await TestBrowser.start();
    t.teardown(() => browser.close());
    const { page, uncaught } = await browser.open('simulation');
    const { hashes, recorded } = await page.evaluate<Record<string, object>>('runGolden()');
    t.deepEqual(hashes, recorded);
    t.deepEqual(uncaught, []);
  });
