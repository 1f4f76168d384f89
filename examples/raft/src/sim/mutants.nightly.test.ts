// Checks that each planted bug is caught, and that the original code passes the same seeds.

import test from 'ava';
import { huntAll } from './testing/hunt.ts';
import { type Mutant, staleness } from './testing/mutant.ts';
import { MUTANTS, mutantsTable } from './testing/mutants.ts';
import { runSeed } from './testing/run-seed.ts';

const SEEDS = 1_000;
const CONTROLS = 3;

/**
 * Two mutants of Raft and one of the transport. `pnpm mutants` hunts all of them and prints the
 * table.
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
  const hunted = await huntAll(mutants, { seeds: SEEDS, parallel: 2 });
  t.log(mutantsTable(hunted).join('\n'));
  t.deepEqual(
    hunted
      .filter(({ seed }) => seed === undefined)
      .map(({ mutant, trouble }) => `${mutant.name}: ${trouble ?? 'not caught'}`),
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
  const kinds = new Map(
    MUTANTS.map(({ scenario, level, trouble }) => [
      JSON.stringify([scenario, level, trouble]),
      { scenario, level, trouble },
    ]),
  );
  for (const kind of kinds.values()) {
    for (let seed = 1; seed <= CONTROLS; seed++) t.is(await runSeed(seed, kind), undefined);
  }
});

test('a mutant that no longer matches the code is reported', (t) => {
  const stale = (find: string): Mutant => ({
    name: 'stale',
    edits: [{ file: 'examples/raft/dist/raft.js', find, replace: '' }],
  });
  t.regex(
    staleness(stale('no such text'))!,
    /^a stale mutant: examples\/raft\/dist\/raft\.js has 0 times: no such text$/,
  );
  t.regex(staleness(stale('this.#term'))!, /has \d+ times/);
  t.is(staleness(stale('Math.floor(members.length / 2) + 1')), undefined);
});
