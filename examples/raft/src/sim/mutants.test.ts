// Each planted mistake is caught; the code as it is passes the same seeds.

import test from 'ava';
import { huntAll } from './testing/hunt.ts';
import { type Mutant, staleness } from './testing/mutant.ts';
import { MUTANTS, mutantsTable } from './testing/mutants.ts';
import { runSeed } from './testing/run-seed.ts';

const SEEDS = 1_000;
const CONTROLS = 5;

test.serial(`each of ${MUTANTS.length} mutants is caught`, async (t) => {
  t.timeout(600_000, 'less than a minute on two free cores');
  t.true(MUTANTS.length >= 24);
  t.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  const hunted = await huntAll(MUTANTS, { seeds: SEEDS, parallel: 2 });
  t.log(mutantsTable(hunted).join('\n'));
  t.deepEqual(
    hunted.filter(({ seed }) => seed === undefined).map(({ mutant, trouble }) => `${mutant.name}: ${trouble ?? 'not caught'}`),
    [],
  );
});

test.serial('without a mutant the same seeds pass', async (t) => {
  t.timeout(300_000, 'seconds on a free machine');
  const kinds = new Map(MUTANTS.map(({ scenario, level, trouble }) => [JSON.stringify([scenario, level, trouble]), { scenario, level, trouble }]));
  for (const kind of kinds.values()) {
    for (let seed = 1; seed <= CONTROLS; seed++) t.is(await runSeed(seed, kind), undefined);
  }
});

test('the edits that only prepare a mutant are harmless by themselves', async (t) => {
  t.timeout(300_000, 'seconds on a free machine');
  const halves = MUTANTS.filter(({ edits, scenario }) => edits.length > 1 && scenario !== 'calls').map((mutant) => ({
    ...mutant,
    edits: mutant.edits.slice(0, -1),
  }));
  const hunted = await huntAll(halves, { seeds: 20, parallel: 2 });
  t.deepEqual(
    hunted.filter(({ seed, trouble }) => seed !== undefined || trouble !== undefined),
    [],
  );
});

test('a mutant that the code has left behind is told', (t) => {
  const stale = (find: string): Mutant => ({ name: 'stale', edits: [{ file: 'examples/raft/dist/raft.js', find, replace: '' }] });
  t.regex(staleness(stale('no such text'))!, /^a stale mutant: examples\/raft\/dist\/raft\.js has 0 times: no such text$/);
  t.regex(staleness(stale('this.#term'))!, /has \d+ times/);
  t.is(staleness(stale('Math.floor(members.length / 2) + 1')), undefined);
});
