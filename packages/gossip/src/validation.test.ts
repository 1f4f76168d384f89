// Tests of messages that one node's validator rejects and its neighbors' validators accept.

import { createPeers } from '@trunkline/peers';
import type { Simulation } from '@trunkline/simulation';
import { serve } from '@trunkline/transport-core';
import test from 'ava';
import { encodeList } from './discovery/tags.ts';
import type { MessageId } from './messages/message-id.ts';
import { partialView } from './overlay/partial-view.ts';
import { gossipProtocol } from './protocol.ts';
import {
  cluster,
  eventsOf,
  idle,
  idOf,
  listen,
  type Run,
  runs,
  type Subscriber,
  simulationOf,
  type TestNode,
  words,
} from './testing/cluster.ts';
import { topicKey } from './topics/topic-key.ts';
import type { MessageVerdict, TopicOptions } from './types.ts';
import { encodePush } from './wire/frame.ts';

/** All nodes are neighbors of each other, with room for one more; most links belong to no tree. */
const overlay = partialView({ active: 6, passive: 12, mergeInterval: Number.POSITIVE_INFINITY });
const names = ['a', 'b', 'c', 'd', 'e', 'f'];

function network(
  run: Run,
  strict: string,
  verdict: (message: string, node: TestNode) => MessageVerdict | Promise<MessageVerdict>,
  limits: TopicOptions<string> = {},
) {
  const sim = simulationOf(run);
  const subscribers = new Map<string, Subscriber>();
  const asked: string[] = [];
  const nodes = cluster(sim, names, {
    gossip: () => ({ overlay }),
    setup: (node) => {
      const validate = (message: string) => {
        asked.push(message);
        return verdict(message, node);
      };
      subscribers.set(
        node.name,
        listen(node, 'news', node.name === strict ? { validate, ...limits } : {}),
      );
    },
  });
  const details = (name: string) => {
    const { counters } = nodes.get(name)!.gossip.snapshot().topics[0]!.details as {
      counters: Record<string, number>;
    };
    return counters;
  };
  return {
    sim,
    subscribers,
    nodes,
    asked,
    details,
    ready: () =>
      nodes.size === 6 &&
      [...subscribers.values()].every(({ topic }) => topic.neighbors.length >= 3),
  };
}

const later = (node: TestNode, ms: number) =>
  new Promise<void>((resolve) => node.transport.clock.setTimeout(resolve, ms));

for (const [title, ms] of [
  ['ignores', 0],
  ['takes 500 ms to ignore', 500],
] as const) {
  test.serial(
    `a node whose validator ${title} messages that others forward does not request them again, and blames nobody`,
    async (t) => {
      for (const run of runs()) {
        const { sim, subscribers, nodes, asked, details, ready } = network(
          run,
          'f',
          (message, node) => {
            if (!message.startsWith('odd')) return 'accept';
            return ms > 0 ? later(node, ms).then(() => 'ignore' as const) : 'ignore';
          },
        );
        await sim.until(ready, 60_000);
        for (let i = 0; i < 10; i++) {
          await sim.settle(subscribers.get('a')!.topic.publish(`even ${i}`));
          await sim.run(300);
        }
        const before = details('f').graftsSent!;
        for (let i = 0; i < 20; i++) {
          await sim.settle(subscribers.get('a')!.topic.publish(`odd ${i}`));
          await sim.run(300);
        }
        await sim.run(20_000);
        t.is(details('f').graftsSent!, before, `${run.name}: no graft`);
        t.is(
          asked.filter((message) => message.startsWith('odd')).length,
          20,
          `${run.name}: each validated once`,
        );
        t.deepEqual(eventsOf(nodes.get('f')!, 'misbehaved'), [], run.name);
        t.is(subscribers.get('b')!.words.length, 30);
        await sim.settle(subscribers.get('b')!.topic.publish('even at last'));
        await sim.run(2_000);
        t.true(subscribers.get('f')!.words.includes('even at last'), run.name);
        t.deepEqual(await sim.close(), []);
      }
    },
  );
}

test.serial(
  'a message that has no room among those of one sender waits among those of another that sent it, too',
  async (t) => {
    for (const run of runs()) {
      let release: ((verdict: MessageVerdict) => void) | undefined;
      const { sim, subscribers, nodes, ready } = network(
        run,
        'f',
        (message) => {
          if (message !== 'busy') return Promise.resolve('accept');
          return new Promise((resolve) => {
            release = resolve;
          });
        },
        { validateAtOnce: 1, validateTimeout: 60_000, validateQueue: { messages: 4 } },
      );
      await sim.until(ready, 60_000);
      await sim.run(5_000);
      await sim.settle(subscribers.get('a')!.topic.publish('first'));
      await sim.run(1_000);
      const { heard, words } = subscribers.get('f')!;
      const [sequence, epoch] = heard[0]!.meta.id.split('.').map(Number) as [number, number];
      const send = await forger(sim, 'f');
      const flood = ['busy', 'x', 'y', 'z'];
      for (const [at, message] of flood.entries())
        send({ origin: idOf('stranger'), epoch, sequence: at }, message);
      send({ origin: idOf('a'), epoch, sequence: sequence + 1 }, 'second');
      await sim.run(100);
      await sim.settle(subscribers.get('a')!.topic.publish('second'));
      await sim.run(1_000);
      await sim.settle(subscribers.get('a')!.topic.publish('third'));
      await sim.run(1_000);
      t.is(nodes.get('f')!.gossip.snapshot().topics[0]!.toValidate, 4, run.name);
      release!('ignore');
      await sim.run(1_000);
      t.deepEqual([...words].sort(), ['first', 'second', 'third', 'x', 'y'], run.name);
      send({ origin: idOf('stranger'), epoch, sequence: 3 }, 'z');
      await sim.run(1_000);
      t.is(words.at(-1), 'z', 'there is room when it comes again');
      t.deepEqual(await sim.close(), []);
    }
  },
);

/** Adds a neighbor of that node that encodes the protocol by itself. */
async function forger(
  sim: Simulation,
  of: string,
): Promise<(id: MessageId, message: string) => void> {
  const transport = sim.client(idle, { name: 'stranger' });
  const peers = createPeers({
    transport,
    identity: { nodeId: idOf('stranger') },
    maxOutbound: 0,
    persistent: [of],
  });
  const talk = transport.mount(gossipProtocol);
  const { hex, bytes } = topicKey('news');
  const pull = (question: Uint8Array) =>
    encodeList(
      { teller: idOf('stranger'), hearer: idOf(of) },
      question,
      1,
      [bytes],
      transport.random,
    )!;
  serve(talk, { push: () => {}, control: () => {}, view: () => {}, interest: () => {}, pull });
  await sim.settle(peers.start());
  await sim.until(() => peers.list().length === 1, 10_000);
  const { remote } = peers.list()[0]!;
  talk.trySend(remote, 'view', { topic: hex, message: { type: 'join', request: 1 } });
  await sim.run(500);
  return (id, message) => {
    const payload = words.encode(message);
    const body = { audience: 'all', nodes: [], payload, message: undefined } as const;
    talk.trySend(
      remote,
      'push',
      encodePush(bytes, { kind: 'push', id, hops: 1, payload: body, size: payload.length }),
    );
  };
}
