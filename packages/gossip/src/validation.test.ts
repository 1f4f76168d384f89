// Tests of messages that one node's validator rejects and its neighbors' validators accept.

import type { Simulation } from '@trunkline/simulation';
import { partialView } from './overlay/partial-view.ts';
import {
  dropsOf,
  eventsOf,
  idOf,
  meet,
  type Run,
  type TestNode,
  words,
} from './testing/cluster.ts';
import { type Forgery, frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import type { MessageVerdict, TopicOptions } from './types.ts';

/** All nodes are neighbors of each other, with room for one more; most links belong to no tree. */
const overlay = partialView({ active: 6, passive: 12, mergeInterval: Number.POSITIVE_INFINITY });
const names = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Sets up the nodes. Only 'f' has a validator, and all its messages are recorded in `asked`. */
async function network(
  run: Run,
  verdict: (message: string, node: TestNode) => MessageVerdict | Promise<MessageVerdict>,
  limits: TopicOptions<string> = {},
) {
  const asked: string[] = [];
  const made = await meet(run, names, {
    gossip: () => ({ overlay }),
    topic: (name, node) => {
      const validate = (message: string) => {
        asked.push(message);
        return verdict(message, node);
      };
      return name === 'f' ? { validate, ...limits } : {};
    },
    neighbors: 3,
  });
  /** Publishes 'first' at 'a', and returns its place in the stream. */
  const first = async () => {
    await made.sim.run(5_000);
    await made.sim.settle(made.subscriber('a').topic.publish('first'));
    await made.sim.run(1_000);
    const { id } = made.subscriber('f').heard[0]!.meta;
    const [sequence, epoch] = id.split('.').map(Number) as [number, number];
    return { sequence, epoch };
  };
  return { ...made, asked, first, f: made.node('f') };
}

const later = (node: TestNode, ms: number) =>
  new Promise<void>((resolve) => node.transport.clock.setTimeout(resolve, ms));

for (const [title, ms] of [
  ['ignores', 0],
  ['takes 500 ms to ignore', 500],
] as const) {
  test(`a node whose validator ${title} messages that others forward does not request them again, and blames nobody`, async (t) => {
    const { sim, subscriber, f, asked } = await network(t.context, (message, node) => {
      if (!message.startsWith('odd')) return 'accept';
      return ms > 0 ? later(node, ms).then(() => 'ignore' as const) : 'ignore';
    });
    const grafts = () =>
      (f.gossip.snapshot().topics[0]!.details as { counters: { graftsSent: number } }).counters
        .graftsSent;
    for (let i = 0; i < 10; i++) {
      await sim.settle(subscriber('a').topic.publish(`even ${i}`));
      await sim.run(300);
    }
    const before = grafts();
    for (let i = 0; i < 20; i++) {
      await sim.settle(subscriber('a').topic.publish(`odd ${i}`));
      await sim.run(300);
    }
    await sim.run(20_000);
    t.is(grafts(), before, `no graft`);
    t.is(asked.filter((message) => message.startsWith('odd')).length, 20, `each validated once`);
    t.deepEqual(eventsOf(f, 'misbehaved'), []);
    t.is(subscriber('b').words.length, 30);
    await sim.settle(subscriber('b').topic.publish('even at last'));
    await sim.run(2_000);
    t.true(subscriber('f').words.includes('even at last'));
  });
}

test('a message that has no room among those of one sender waits among those of another that sent it, too', async (t) => {
  let release: ((verdict: MessageVerdict) => void) | undefined;
  const { sim, subscriber, f, first } = await network(
    t.context,
    (message) => {
      if (message !== 'busy') return Promise.resolve('accept');
      return new Promise((resolve) => {
        release = resolve;
      });
    },
    { validateAtOnce: 1, validateTimeout: 60_000, validateQueue: { messages: 4 } },
  );
  const { sequence, epoch } = await first();
  const { words } = subscriber('f');
  const send = await forger(sim);
  const flood = ['busy', 'x', 'y', 'z'];
  for (const [at, message] of flood.entries())
    send({ origin: idOf('stranger'), epoch, sequence: at }, message);
  send({ origin: idOf('a'), epoch, sequence: sequence + 1 }, 'second');
  await sim.run(100);
  await sim.settle(subscriber('a').topic.publish('second'));
  await sim.run(1_000);
  await sim.settle(subscriber('a').topic.publish('third'));
  await sim.run(1_000);
  t.is(f.gossip.snapshot().topics[0]!.toValidate, 4);
  release!('ignore');
  await sim.run(1_000);
  t.deepEqual([...words].sort(), ['first', 'second', 'third', 'x', 'y']);
  send({ origin: idOf('stranger'), epoch, sequence: 3 }, 'z');
  await sim.run(1_000);
  t.is(words.at(-1), 'z', 'there is room when it comes again');
});

test('without signatures, a message under the id of one that was refused, or is being validated, is dropped, whatever its content', async (t) => {
  const { sim, subscriber, f, first } = await network(t.context, async (message, node) => {
    if (message === 'accepted slowly') await later(node, 500);
    return message === 'forged' ? 'ignore' : 'accept';
  });
  const { sequence, epoch } = await first();
  const { words } = subscriber('f');
  const send = await forger(sim);
  send({ origin: idOf('a'), epoch, sequence: sequence + 1 }, 'forged');
  send({ origin: idOf('a'), epoch, sequence: sequence + 2 }, 'accepted slowly');
  await sim.run(100);
  for (const word of ['second', 'third']) await sim.settle(subscriber('a').topic.publish(word));
  await sim.run(1_000);
  t.deepEqual(words, ['first', 'accepted slowly']);
  const reasons = dropsOf(f);
  t.deepEqual([reasons[0], new Set(reasons.slice(1))], ['ignored', new Set(['refused'])]);
});

test('a signed copy of an unsigned message that is being validated is dropped as unverified', async (t) => {
  const { sim, subscriber, f } = await network(
    t.context,
    async (_, node): Promise<MessageVerdict> => {
      await later(node, 500);
      return 'accept';
    },
  );
  const send = await forger(sim);
  const id = { origin: idOf('stranger'), epoch: 1, sequence: 0 };
  send(id, 'held');
  await sim.run(100);
  t.is(f.gossip.snapshot().topics[0]!.validating, 1);
  const publicKey = new Uint8Array(44).fill(1);
  send({ ...id, signature: { publicKey, bytes: new Uint8Array(64) } }, 'held');
  await sim.run(1_000);
  t.deepEqual(dropsOf(f), ['unverified']);
  t.deepEqual(subscriber('f').words, ['held']);
});

/** Adds a neighbor of 'f' that sends any messages, and returns a function that sends one. */
async function forger(sim: Simulation): Promise<(forgery: Forgery, message: string) => void> {
  const guest = await rawPeer(sim, { to: 'f' });
  guest.join();
  await sim.run(500);
  return (forgery, message) => guest.push(frame({ ...forgery, payload: words.encode(message) }));
}
