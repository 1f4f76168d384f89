// Runs the story of `--peers` on several backends, and tests its check that nodes have found each
// other.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { BACKENDS } from './backends.ts';
import { ById } from './by-id.ts';
import { runPeersScenario } from './peers-scenario.ts';
import { TimeScale } from './time-scale.ts';

const { signal } = new AbortController();
const timeScale = new TimeScale(createManualClock());

for (const name of ['inmem', 'tcp', 'tls', 'noise']) {
  test.serial(
    `nodes that know one seed find each other and survive changes of address on ${name}`,
    async (t) => {
      const phases: string[] = [];
      const notes: string[] = [];
      const [progress, note] = [
        (phase: string) => phases.push(phase),
        (text: string) => notes.push(text),
      ];
      const report = await runPeersScenario(BACKENDS[name]!, {
        nodes: 5,
        writes: 20,
        progress,
        note,
        signal,
      });
      t.deepEqual(report.failures, []);
      t.is(new Set(phases).size, 8);
      t.is(notes.length, 4);
      const members = notes[0]!.match(/[0-9a-f]{8}\b/g)!;
      t.is(new Set(members).size, 5);
      t.is(notes[2], `seed      ${members[0]} has stopped for good`);
      const moves = [notes[1]!, notes[3]!].map(
        (text) =>
          /^moved {5}([0-9a-f]{8}): (\S+) → (\S+), found by its id in \d+ ms, caught up in \d+ ms$/.exec(
            text,
          )!,
      );
      t.is(new Set(moves.map(([, id]) => id)).size, 2, 'two nodes moved');
      for (const [, id, from, to] of moves) t.true(members.slice(1).includes(id!) && from !== to);
    },
  );
}

test('an absent node is not found, and a node that returns elsewhere is the same node', async (t) => {
  const acquaintance = new ById(signal);
  const [one, two] = (await BACKENDS['inmem']!(2)).places;
  const first = await acquaintance.open(one!);
  let second = await acquaintance.open(two!);
  const { target, addr } = second;
  try {
    await acquaintance.meet([first, second], timeScale);
    t.true(acquaintance.haveFound(second));
    await second.close();
    t.false(acquaintance.haveFound(second));
    second = await acquaintance.open(two!);
    t.is(second.target, target);
    t.not(second.addr, addr);
    await acquaintance.meet([first, second], timeScale);
    t.true(acquaintance.haveFound(second));
  } finally {
    await second.close();
    await first.close();
  }
});

test('an interruption ends the scenario and closes everything', async (t) => {
  const interrupt = new AbortController();
  const progress = (phase: string) => {
    if (phase.includes('is away')) interrupt.abort(new Error('interrupted'));
  };
  const options = { nodes: 5, writes: 1_000, progress, note: () => {}, signal: interrupt.signal };
  await t.throwsAsync(runPeersScenario(BACKENDS['inmem']!, options), { message: 'interrupted' });
});
