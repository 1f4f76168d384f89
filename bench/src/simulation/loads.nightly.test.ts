// Tests that every load does what it should.

import test from 'ava';
import { LOADS, loadPackages } from './loads.ts';

test('every load does what it should, and the same again with the same seed', async (t) => {
  t.timeout(180_000); // A busy machine may need a minute.
  const packages = await loadPackages(new URL('../../../', import.meta.url).href);
  for (const load of LOADS) {
    const first = await load.run(packages, 5);
    t.true(first.virtual >= 10_000 && first.events > 1_000, load.name);
    t.deepEqual(await load.run(packages, 5), first, load.name);
  }
});
