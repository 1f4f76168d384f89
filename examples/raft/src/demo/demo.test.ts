// Tests the options of the demo, and runs the story of `--peers`; `pnpm demo`, which is a part of
// CI, runs the other one.

import test from 'ava';
import { discovery } from './discovery.ts';
import { failover } from './failover.ts';
import { NETWORKS } from './networks.ts';
import { parseOptions } from './options.ts';
import { play } from './story.ts';

test('several backends may be given, separated by commas; each runs once and in order', (t) => {
  const transports = (...args: string[]) => parseOptions(args).transports;
  t.deepEqual(transports(), ['inmem', 'tcp', 'ws', 'tls']);
  t.deepEqual(transports('--peers'), ['inmem', 'tcp', 'tls']);
  t.deepEqual(transports('--transport', 'nats,tcp'), ['nats', 'nats-cluster', 'tcp']);
  const others = Object.keys(NETWORKS).filter((name) => name !== 'ws');
  t.deepEqual(transports('--transport', 'ws,all'), ['ws', ...others]);
});

const backends = 'expected inmem, tcp, ws, tls, wss, noise, webrtc, nats, nats-cluster or all, got';
for (const [args, message] of [
  ['--transport udp', `--transport: ${backends} 'udp'`],
  ['--peers --nodes 4', "--nodes: expected a whole number from 5 to 9, got '4'"],
  ['--stay --peers', /one cluster over TLS/],
  ['all', /all/],
] as const)
  test(`${args} is refused by the demo, and the error says what is valid`, (t) => {
    t.throws(() => parseOptions(args.split(' ')), { message });
  });

for (const name of ['inmem', 'tcp', 'tls', 'noise'])
  test.serial(`nodes find each other and survive changes of address on ${name}`, async (t) => {
    t.timeout(60_000);
    const notes: string[] = [];
    const note = (text: string) => void notes.push(text);
    const { signal } = new AbortController();
    const options = { nodes: 5, writes: 20, note, signal };
    const { failures, cells } = await play(discovery, NETWORKS[name]!, options);
    t.deepEqual(failures, []);
    t.is(cells.length, discovery.columns.length);
    const [, members, first, seed, second] = notes;
    const ids = members!.match(/[0-9a-f]{8}\b/g)!;
    t.is(new Set(ids).size, 5);
    t.is(seed, `seed      ${ids[0]} has stopped for good`);
    const moves = [first!, second!].map((text) => /^moved {5}(\w{8}): (\S+) → (\S+), /.exec(text)!);
    t.not(moves[0]![1], moves[1]![1], 'two nodes moved');
    for (const [, id, from, to] of moves) t.true(ids.slice(1).includes(id!) && from !== to);
  });

for (const [name, story] of Object.entries({ failover, discovery }))
  test.serial(`an interruption ends the story of ${name} and closes everything`, async (t) => {
    const interrupt = new AbortController();
    const note = () => interrupt.abort(new Error('interrupted'));
    const options = { nodes: 5, writes: 1_000, note, signal: interrupt.signal };
    await t.throwsAsync(play(story, NETWORKS['inmem']!, options), { message: 'interrupted' });
  });
