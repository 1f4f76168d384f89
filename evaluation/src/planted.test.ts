// Short searches for planted bugs; the nightly run has longer ones.

import { run } from '@trunkline/bench/testing/run';
import test from 'ava';
import { PROTOCOLS, Search } from './planted/search.ts';

for (const [at, bug] of ['votesKept', 'lateRenewal'].entries()) {
  const protocol = PROTOCOLS[at]!;
  test.serial(`the correct ${protocol.name} passes, and the search finds ${bug}`, async (t) => {
    const search = new Search(protocol);
    await t.notThrowsAsync(search.pass(1, 5));
    const { counts } = await search.find(bug, 1, 7);
    t.true(counts[0]! <= 7);
  });
}

test('an invalid option is reported with the usage', async (t) => {
  const file = new URL('./planted.js', import.meta.url).href;
  const { code, errors } = await run(file, '--only', 'nothing');
  t.is(code, 2);
  t.regex(errors, /--only: no bug is named 'nothing'[\s\S]*usage:/);
});
