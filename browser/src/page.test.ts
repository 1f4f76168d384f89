// Tests that run in the page: the store in IndexedDB, a few cases of the stream layer suite, and the
// recorded simulations.

import { inChromium } from './chromium.ts';
import { casesInPage } from './page-cases.ts';

casesInPage('store');

casesInPage('webrtc', [
  'one write of 65536 bytes',
  'both directions at once',
  'close flushes written bytes',
  'destroy ends at once',
]);

inChromium('Chromium gives a simulation the hash that is recorded', async (t, browser) => {
  const { ask } = await browser.open(t);
  const { hashes, recorded } = await ask('runGolden');
  t.deepEqual(hashes, recorded);
});
