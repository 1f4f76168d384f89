// Tests that every load does what it should.

import test from 'ava';
import { LOADS } from './loads.ts';

test('every load does what it should, and the same again with the same seed', async (t) => {
  t.timeout(180_000); // A busy machine may need a minute.
  for (const load of LOADS) {
    const [first, second] = [await load.run(5), await load.run(5)];
    t.true(first.now >= 10_000 && first.events > 1_000, load.name);
    t.deepEqual([second.now, second.events], [first.now, first.events], load.name);
    for (const sim of [first, second]) await sim.close();
  }
});
