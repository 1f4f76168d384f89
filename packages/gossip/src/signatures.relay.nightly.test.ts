// Tests of signed messages sent through relays, which pass them on before they have read them.

import { bytes, type Codec } from '@trunkline/transport-core';
import test from 'ava';
import { relay } from './driver/relay-driver.ts';
import { FORGERIES } from './signatures/signatures.ts';
import {
  areMet,
  cluster,
  eventsOf,
  listen,
  type Run,
  runs,
  type Subscriber,
  simulationOf,
} from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { type Forgery, frame, rawPeer } from './testing/raw-peer.ts';
import { blob } from './testing/relay-mesh.ts';
import type { Topic } from './topic.ts';
import { topicKey } from './topics/topic-key.ts';
import type { ReceivedMessage } from './types.ts';
import { encodeHead } from './wire/relay-frames.ts';

const NAMES = Array.from({ length: 8 }, (_, i) => `n${i}`);
const blobs: Codec<Uint8Array> = bytes;
const strictly = (name: string) => ({
  relay: relay({ above: 10_000, fanout: 2, stall: 2_000 }),
  signatures: { identity: identityOf(name) },
});

async function meet(run: Run) {
  const sim = simulationOf(run);
  const topics = new Map<string, Topic<Uint8Array>>();
  const heard = new Map<string, ReceivedMessage<Uint8Array>[]>();
  const nodes = cluster(sim, NAMES, {
    gossip: strictly,
    peers: (name) => ({ identity: identityOf(name) }),
    setup: ({ name, gossip }) => {
      const topic = gossip.topic('blobs', blobs);
      const list: ReceivedMessage<Uint8Array>[] = [];
      topic.subscribe((message, meta) => void list.push({ message, meta }));
      topics.set(name, topic);
      heard.set(name, list);
    },
  });
  await sim.until(
    () =>
      nodes.size === NAMES.length &&
      [...topics.values()].every(({ neighbors }) => neighbors.length === NAMES.length - 1),
    60_000,
  );
  return { sim, nodes, topics, heard };
}

test.serial('a relayed long message has its publisher’s signature', async (t) => {
  for (const run of runs(1)) {
    const { sim, nodes, topics, heard } = await meet(run);
    const message = blob(200_000);
    await sim.settle(topics.get('n0')!.publish(message));
    await sim.run(5_000);
    for (const name of NAMES.slice(1)) {
      const [first, ...others] = heard.get(name)!;
      t.deepEqual(
        [first!.message, first!.meta.signed, first!.meta.origin, others.length],
        [message, true, identityOf('n0').nodeId, 0],
        `${run.name}, ${name}`,
      );
    }
    t.true(NAMES.some((name) => heard.get(name)!.some(({ meta }) => meta.from !== meta.origin)));
    for (const node of nodes.values()) t.deepEqual(eventsOf(node, 'misbehaved'), []);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a message that a relay modified is not delivered, nobody is blamed, and the publisher sends it again directly',
  async (t) => {
    const { sim, nodes, topics, heard } = await meet({
      seed: 1,
      level: 'message',
      name: 'message',
    });
    let changed = 0;
    const remove = sim.intercept(({ from, kind, method, value }) => {
      if (from === 'n0' || kind !== 'item' || method !== 'relay') return 'pass';
      const chunk = (value as Uint8Array).slice();
      chunk[chunk.length - 1]! ^= 1;
      changed++;
      return { mutate: chunk };
    });
    const message = blob(200_000);
    await sim.settle(topics.get('n0')!.publish(message));
    await sim.run(30_000);
    remove();
    t.true(changed > 0);
    for (const name of NAMES.slice(1)) {
      t.deepEqual(
        heard.get(name)!.map((one) => one.message),
        [message],
        name,
      );
    }
    const drops = [...nodes.values()].flatMap((node) =>
      eventsOf(node, 'dropped').map(({ reason }) => reason),
    );
    t.true(drops.length > 0 && drops.every((reason) => reason === 'forged'));
    for (const node of nodes.values()) t.deepEqual(eventsOf(node, 'misbehaved'), []);
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'only a few forgeries from a relay are verified per second; its own messages still arrive',
  async (t) => {
    for (const run of runs(1)) {
      const sim = simulationOf(run);
      const subscribers = new Map<string, Subscriber>();
      const nodes = cluster(sim, ['a', 'b'], {
        gossip: strictly,
        peers: (name) => ({ identity: identityOf(name) }),
        setup: (node) => subscribers.set(node.name, listen(node)),
      });
      await sim.until(() => nodes.size === 2 && areMet(subscribers.values(), 1), 20_000);
      const [liar, author] = [identityOf('stranger'), identityOf('author')];
      const guest = await rawPeer(sim, { nodeId: liar.nodeId });
      await sim.until(() => areMet([subscribers.get('a')!], 2), 5_000);
      const bring = async (forgery: Forgery) => {
        const bytes = frame(forgery);
        const id = { origin: forgery.origin!, epoch: 1, sequence: forgery.sequence ?? 0 };
        const head = encodeHead({
          topic: topicKey('news').hex,
          id,
          hops: 1,
          size: bytes.length,
          rest: [],
        });
        await guest.talk
          .send(guest.remote, 'relay', head, {
            upload: (async function* () {
              yield bytes;
            })(),
          })
          .catch(() => {});
      };
      const signature = { publicKey: author.publicKey, bytes: new Uint8Array(64) };
      const from = sim.now;
      for (let i = 0; i < 20; i++)
        await sim.settle(
          Promise.all(
            Array.from({ length: 10 }, (_, j) =>
              bring({ origin: author.nodeId, signature, sequence: 10 * i + j }),
            ),
          ),
        );
      guest.push(frame({ signer: liar }));
      await sim.run(200);
      const { forged, refused } = nodes.get('a')!.gossip.snapshot().topics[0]!.dropped;
      t.is(forged! + refused!, 200, run.name);
      t.true(forged! <= FORGERIES * (1 + Math.ceil((sim.now - from) / 1_000)), `${forged}`);
      t.deepEqual(subscribers.get('a')!.words, ['said']);
      t.deepEqual(eventsOf(nodes.get('a')!, 'misbehaved'), []);
      // The true message is still accepted from the same relay, in the next second.
      await sim.run(1_000);
      await sim.settle(bring({ signer: author, origin: author.nodeId }));
      t.deepEqual(subscribers.get('a')!.words, ['said', 'said']);
      t.deepEqual(await sim.close(), []);
    }
  },
);
