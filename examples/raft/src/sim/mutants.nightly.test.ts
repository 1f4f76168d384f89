// Checks that planted bugs are caught, and that the original code passes the same seeds.

import test from 'ava';
import { huntAll, MUTANTS, mutantsTable, staleness } from './testing/mutants.ts';
import { runSeed } from './testing/run-seed.ts';

/**
 * Two bugs of Raft and one of the transport. `pnpm mutants` hunts all of them and prints the table.
 */
const SAMPLE = [
  'votes twice in a term',
  'needs one vote less than a majority',
  'a pool that returns dead connections',
];

test.serial('mutants are caught', async (t) => {
  t.timeout(300_000, 'seconds on two free cores');
  const mutants = MUTANTS.filter(({ name }) => SAMPLE.includes(name));
  t.is(mutants.length, SAMPLE.length);
  const hunted = await huntAll(mutants, 1_000);
  t.log(mutantsTable(hunted));
  t.deepEqual(
    hunted.filter(({ seed }) => seed === undefined),
    [],
  );
});

test('there are many mutants, each with its own name, and none is out of date', (t) => {
  t.true(MUTANTS.length >= 24);
  t.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  for (const mutant of MUTANTS) t.is(staleness(mutant), undefined, mutant.name);
});

test.serial('without a mutant the same seeds pass', async (t) => {
  t.timeout(300_000, 'seconds on a free machine');
  for (const world of new Set(MUTANTS.map(({ world }) => world)))
    for (const seed of [1, 2, 3]) t.is(await runSeed(seed, world), undefined);
});
