// Tests of messages that travel several links of an incomplete full mesh: chains, rings, and meshes
// with gaps.

import { fullMesh } from './overlay/full-mesh.ts';
import { eventsOf, idOf, meet, type Run } from './testing/cluster.ts';
import { frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import type { MessageMeta } from './types.ts';

/** Connects nodes with the given links. All nodes except the deaf ones are on the same topic. */
async function connect(
  run: Run,
  links: Readonly<Record<string, readonly string[]>>,
  hops: number,
  deaf: readonly string[] = [],
) {
  const names = Object.keys(links);
  const made = await meet(run, names, {
    peers: (name) => ({ persistent: links[name]! }),
    gossip: () => ({ overlay: fullMesh({ hops }) }),
    topic: (name) => (deaf.includes(name) ? undefined : {}),
    neighbors: 0,
  });
  const { sim, node, subscribers } = made;
  const both = names.flatMap((name) => links[name]!.map((to) => [name, to] as const));
  const knows = (a: string, b: string) => node(a).peers.get(idOf(b)) !== undefined;
  await sim.until(() => both.every(([a, b]) => knows(a, b) && knows(b, a)), 20_000);
  await sim.run(1_000);
  /** Returns the names of the nodes that have got a message. */
  const heard = () => names.filter((name) => subscribers.get(name)?.words.length).join('');
  return { ...made, heard };
}

const CHAIN = { a: [], b: ['a'], c: ['b'], d: ['c'], e: ['d'], f: ['e'] };

test('along a chain a message travels up to its hop limit, once to each', async (t) => {
  for (const [hops, expected] of [
    [1, 'b'],
    [3, 'bcd'],
    [5, 'bcdef'],
    [16, 'bcdef'],
  ] as const) {
    const { sim, subscriber, heard } = await connect(t.context, CHAIN, hops);
    t.deepEqual(await sim.settle(subscriber('a').topic.publish('hello')), { queued: 1 });
    await sim.run(2_000);
    t.is(heard(), expected, `${hops} hops`);
    for (const [i, name] of [...expected].entries()) {
      const { origin, from, hops: passed } = subscriber(name).heard[0]!.meta;
      t.deepEqual([origin, from, passed], [idOf('a'), idOf('abcdef'[i]!), i + 1], name);
      t.deepEqual(subscriber(name).words, ['hello']);
    }
    t.deepEqual(await sim.close(), []);
  }
});

test('each hop chooses among its own peers on the topic; a node that is not on it forwards nothing', async (t) => {
  const { sim, subscriber, heard } = await connect(t.context, CHAIN, 5, ['d']);
  void subscriber('a').topic.publish('hello');
  await sim.run(2_000);
  t.is(heard(), 'bc');
});

test('in a mesh with gaps every node gets each message once, whoever publishes, without loops', async (t) => {
  // A ring of six, with two diagonals.
  const links = { a: [], b: ['a'], c: ['b', 'a'], d: ['c'], e: ['d'], f: ['e', 'a', 'c'] };
  const { sim, node, subscriber } = await connect(t.context, links, 6);
  for (const name of 'abcdef')
    for (let i = 0; i < 20; i++) void subscriber(name).topic.publish(`${name}${i}`);
  await sim.run(3_000);
  for (const name of 'abcdef') {
    const others = [...'abcdef']
      .filter((other) => other !== name)
      .flatMap((other) => Array.from({ length: 20 }, (_, i) => `${other}${i}`));
    t.deepEqual([...subscriber(name).words].sort(), others.sort(), name);
    t.deepEqual(eventsOf(node(name), 'misbehaved'), []);
    // A message crosses each of the 8 links at most twice.
    t.true(eventsOf(node(name), 'duplicate').length <= 100 * 3);
  }
});

test('nodes excluded by a list neither get nor forward the message; a message to a list is not forwarded', async (t) => {
  const { sim, subscriber, heard } = await connect(t.context, CHAIN, 5);
  const { topic } = subscriber('a');
  void topic.publish('x', { except: [idOf('d')] });
  await sim.run(2_000);
  t.is(heard(), 'bc');
  t.deepEqual(await sim.settle(topic.publish('y', { to: [idOf('b')] })), { queued: 1 });
  await sim.run(1_000);
  t.deepEqual([subscriber('b').words, subscriber('c').words], [['x', 'y'], ['x']]);
});

test('a message that its publisher sends has one hop, also for validators, whatever the publisher says', async (t) => {
  const validated: number[] = [];
  const validate = (_: string, { hops }: MessageMeta) => {
    validated.push(hops);
    return 'accept' as const;
  };
  const { sim, subscriber } = await meet(t.context, ['a', 'b'], {
    gossip: () => ({ overlay: fullMesh({ hops: 2 }) }),
    topic: (name) => (name === 'a' ? { validate } : {}),
  });
  const guest = await rawPeer(sim);
  await sim.until(() => subscriber('a').topic.neighbors.length === 2, 3_000);
  guest.push(frame({ hops: 2 }));
  await sim.run(500);
  const heard = (name: string) => subscriber(name).heard.map(({ meta }) => meta.hops);
  t.deepEqual([validated, heard('a'), heard('b')], [[1], [1], [2]]);
});
