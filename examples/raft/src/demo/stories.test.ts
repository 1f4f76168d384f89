// Runs the story of `--peers` on several backends; `pnpm demo`, which is a part of CI, runs the
// other one.

import test from 'ava';
import { ById } from './by-id.ts';
import { discovery } from './discovery.ts';
import { failover } from './failover.ts';
import { NETWORKS } from './networks.ts';

const { signal } = new AbortController();

for (const name of ['inmem', 'tcp', 'tls', 'noise'])
  test.serial(`nodes find each other and survive changes of address on ${name}`, async (t) => {
    t.timeout(60_000);
    const notes: string[] = [];
    const note = (text: string) => void notes.push(text);
    const options = { nodes: 5, writes: 20, progress: () => {}, note, signal };
    const { failures, cells } = await discovery.play(NETWORKS[name]!, options);
    t.deepEqual(failures, []);
    t.is(cells.length, discovery.columns.length);
    const [members, first, seed, second] = notes;
    const ids = members!.match(/[0-9a-f]{8}\b/g)!;
    t.is(new Set(ids).size, 5);
    t.is(seed, `seed      ${ids[0]} has stopped for good`);
    const moves = [first!, second!].map((text) =>
      /^moved {5}(\w{8}): (\S+) → (\S+), found by its id in \d+ ms, caught up in \d+ ms$/.exec(
        text,
      ),
    );
    t.not(moves[0]![1], moves[1]![1], 'two nodes moved');
    for (const move of moves) t.true(ids.slice(1).includes(move![1]!) && move![2] !== move![3]);
  });

test('an absent node is not found, and a node that returns elsewhere is the same node', async (t) => {
  const acquaintance = new ById(signal);
  const { places } = await NETWORKS['inmem']!(2);
  const first = await acquaintance.open(places[0]!);
  let second = await acquaintance.open(places[1]!);
  const { target, addr } = second;
  await acquaintance.meet([first, second]);
  t.true(acquaintance.haveFound(second));
  await second.close();
  t.false(acquaintance.haveFound(second));
  second = await acquaintance.open(places[1]!);
  t.is(second.target, target);
  t.not(second.addr, addr);
  await acquaintance.meet([first, second]);
  t.true(acquaintance.haveFound(second));
  await second.close();
  await first.close();
});

for (const [name, story, moment] of [
  ['failover', failover, 'before the leader stops'],
  ['discovery', discovery, 'is away'],
] as const)
  test.serial(`an interruption ends the story of ${name} and closes everything`, async (t) => {
    const interrupt = new AbortController();
    const progress = (phase: string) =>
      phase.includes(moment) && interrupt.abort(new Error('interrupted'));
    const options = { nodes: 5, writes: 1_000, progress, note: () => {}, signal: interrupt.signal };
    await t.throwsAsync(story.play(NETWORKS['inmem']!, options), { message: 'interrupted' });
  });
