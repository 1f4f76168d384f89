// Tests of relays that fail or lie, and of peers that send relayed messages without being allowed
// to.

import { createPeers } from '@trunkline/peers';
import { type Clock, type Remote, serve, type Transport } from '@trunkline/transport-core';
import test from 'ava';
import { encodeList } from './discovery/tags.ts';
import { gossipProtocol } from './protocol.ts';
import { eventsOf, idle, idOf, runs } from './testing/cluster.ts';
import {
  blob,
  heardOnce,
  type Mesh,
  meet,
  NOTHING,
  othersThan,
  RELAYING,
} from './testing/relay-mesh.ts';
import { topicKey } from './topics/topic-key.ts';
import { encodePush } from './wire/frame.ts';
import { decodeHead, encodeHead, encodeReceipt, encodeReport } from './wire/relay-frames.ts';

const MIB = 1024 * 1024;

interface Guest {
  readonly talk: Transport<typeof gossipProtocol>;
  readonly clock: Clock;
  /** For each relayed message, the names of the nodes that the guest was asked to pass it on to. */
  readonly asked: string[][];
  remoteOf(name: string): Remote;
}

/**
 * Adds a peer of all nodes, on their topic, that encodes the protocol by itself. `serveRelay`
 * handles each message that the peer is asked to pass on.
 */
async function visit(
  mesh: Pick<Mesh, 'sim' | 'names'>,
  serveRelay: (
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    guest: Guest,
    from: Remote,
  ) => Promise<Uint8Array>,
): Promise<Guest> {
  const { sim, names } = mesh;
  const transport = sim.client(idle, { name: 'guest' });
  const peers = createPeers({
    transport,
    identity: { nodeId: idOf('guest') },
    maxInbound: 100,
    maxOutbound: 0,
    persistent: [...names],
  });
  const talk = transport.mount(gossipProtocol);
  const remoteOf = (name: string) => peers.get(idOf(name))!.remote;
  const guest: Guest = { talk, clock: transport.clock, asked: [], remoteOf };
  serve(talk, {
    pull: (question, { from }) => {
      const hearer = peers.list().find(({ instance }) => instance === from.instance)!.nodeId;
      return encodeList(
        { teller: idOf('guest'), hearer },
        question,
        1,
        [topicKey('blobs').bytes],
        transport.random,
      )!;
    },
    interest: () => {},
    push: () => {},
    relay: (head, { upload, from }) => {
      const { rest } = decodeHead(head)!;
      guest.asked.push(names.filter((name) => rest.includes(idOf(name))));
      return serveRelay(head, upload, guest, from);
    },
  });
  await sim.settle(peers.start());
  await sim.until(() => peers.list().length === names.length, 20_000);
  return guest;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

const manners = {
  'takes it and says that it has passed it on': async (
    _head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ) => {
    await drain(chunks);
    return encodeReport({ outcome: 'took', missed: [] });
  },
  'takes it, says that it has it, and no more': async (
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    guest: Guest,
  ) => {
    await drain(chunks);
    const { topic, id } = decodeHead(head)!;
    guest.talk.trySend(guest.remoteOf('n00'), 'receipt', encodeReceipt({ topic, id }));
    return new Promise<Uint8Array>(() => {});
  },
  'takes nothing': () => new Promise<Uint8Array>(() => {}),
  'takes a little': async (_head: Uint8Array, chunks: AsyncIterable<Uint8Array>) => {
    for await (const _ of chunks) break;
    return new Promise<Uint8Array>(() => {});
  },
  'takes it drop by drop': async (
    _head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    { clock }: Guest,
  ) => {
    for await (const _ of chunks) await clock.sleep(RELAYING.stall - 100);
    return encodeReport({ outcome: 'took', missed: [] });
  },
  'answers with nonsense': async () => Uint8Array.of(7, 7, 7),
  'says that it had it': async () => encodeReport({ outcome: 'had', missed: [] }),
  'refuses it': async () => {
    throw new Error('no');
  },
  'says that it could reach nobody, and names others too': async (
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ) => {
    await drain(chunks);
    return encodeReport({ outcome: 'took', missed: [...decodeHead(head)!.rest, idOf('nobody')] });
  },
};

for (const [manner, serveRelay] of Object.entries(manners)) {
  test.serial(
    `a relay that ${manner}: all the other nodes still get each message exactly once`,
    async (t) => {
      t.timeout(60_000);
      for (const run of runs(1)) {
        const mesh = await meet(run, 5, { relay: () => ({ ...RELAYING, fanout: 1 }) });
        const guest = await visit(mesh, serveRelay);
        await mesh.sim.until(
          () => mesh.names.every((name) => mesh.at(name).topic.neighbors.includes(idOf('guest'))),
          10_000,
        );
        const blobs = Array.from({ length: 6 }, (_, i) => blob(400_000, i + 1));
        for (const [i, each] of blobs.entries()) {
          const { queued } = await mesh.sim.settle(mesh.at('n00').topic.publish(each));
          t.is(queued, 5);
          await mesh.sim.run(9_000);
          heardOnce(t, mesh, othersThan(mesh, 'n00'), blobs.slice(0, i + 1), run.name);
        }
        t.true(
          guest.asked.length >= 6 && guest.asked.some((rest) => rest.length > 0),
          `${run.name}: ${JSON.stringify(guest.asked)}`,
        );
        await mesh.sim.run(10_000);
        for (const name of mesh.names) {
          const { own, others } = mesh.node(name).gossip.snapshot().relay!;
          t.deepEqual([own, others], [NOTHING, NOTHING], `${run.name}: ${name}`);
        }
        await mesh.sim.close();
      }
    },
  );
}

interface Forged {
  readonly size?: number;
  readonly rest?: readonly string[];
  readonly origin?: string;
  readonly sequence?: number;
  readonly topic?: string;
  /** The chunks that actually follow; undefined if no chunk follows. */
  readonly chunks?: readonly Uint8Array[] | undefined;
}

test.serial(
  'the frames that a relay sends are checked: their head, size, content and rate',
  async (t) => {
    for (const run of runs(1)) {
      const limit = 100_000;
      const mesh = await meet(run, 3, { topic: { limit } });
      const { sim } = mesh;
      const guest = await visit(mesh, manners['says that it had it']);
      let sequence = 0;
      const body = {
        audience: 'all' as const,
        nodes: [],
        payload: blob(50_000),
        message: undefined,
      };
      const frameOf = (origin: string, number: number, payload = body.payload) =>
        encodePush(topicKey('blobs').bytes, {
          kind: 'push',
          id: { origin, epoch: 1, sequence: number },
          hops: 1,
          payload: { ...body, payload },
          size: payload.length,
        });
      const upload = async (forged: Forged) => {
        const {
          origin = idOf('guest'),
          sequence: number = sequence++,
          topic = 'blobs',
          rest = [],
        } = forged;
        const frame = frameOf(origin, number);
        const { size = frame.length } = forged;
        const chunks =
          'chunks' in forged ? forged.chunks : [frame.subarray(0, 20_000), frame.subarray(20_000)];
        const head = encodeHead({
          topic: topicKey(topic).hex,
          id: { origin, epoch: 1, sequence: number },
          hops: 1,
          size,
          rest,
        });
        async function* source() {
          if (chunks === undefined) await new Promise(() => {});
          yield* chunks!;
        }
        const answer = guest.talk.send(guest.remoteOf('n00'), 'relay', head, {
          upload: source(),
          timeout: 60_000,
        });
        return sim.settle(
          answer.then(
            (report) => ['took', 'had', 'busy'][report[0]!],
            (error) => error.code as string,
          ),
          70_000,
        );
      };
      const heard = () => mesh.at('n00').heard.length;
      t.is(await upload({}), 'took', run.name);
      t.is(await upload({ sequence: 0 }), 'had');
      t.is(heard(), 1);
      t.is(await upload({ origin: idOf('n00') }), 'had', 'its own');
      t.is(await upload({ origin: idOf('n01') }), 'took', 'unsigned: its publisher is not known');
      t.is(heard(), 2);
      t.is(await upload({ topic: 'other' }), 'not_found');
      for (const rest of [[idOf('n00')], [idOf('guest')], [idOf('n01'), idOf('n01')]])
        t.is(await upload({ rest }), 'invalid_argument');
      t.is(await upload({ size: limit + 70_000 }), 'resource_exhausted');
      t.is(await upload({ size: 0xffff_ffff }), 'resource_exhausted');
      t.is(await upload({ size: 49_000 }), 'invalid_argument', 'more than announced');
      t.is(await upload({ size: 51_000 }), 'invalid_argument', 'less than announced');
      t.is(await upload({ chunks: Array(2_000).fill(new Uint8Array()) }), 'invalid_argument');
      t.is(
        await upload({ chunks: [frameOf(idOf('guest'), 999)] }),
        'took',
        'another message than announced',
      );
      const began = sim.now;
      t.is(await upload({ chunks: undefined }), 'deadline_exceeded', 'nothing follows');
      t.true(sim.now - began >= RELAYING.stall && sim.now - began < RELAYING.stall + 200);
      t.is(
        await upload({ rest: [idOf('n01'), idOf('nobody')] }),
        'took',
        'an unknown recipient is missed',
      );
      t.is(heard(), 3);
      t.is(mesh.at('n01').heard.length, 1);
      t.deepEqual(mesh.node('n00').gossip.snapshot().relay!.others, NOTHING);
      t.true(eventsOf(mesh.node('n00'), 'delivered').every(({ from }) => from === idOf('guest')));
      guest.talk.trySend(guest.remoteOf('n00'), 'receipt', new Uint8Array(3));
      guest.talk.trySend(
        guest.remoteOf('n00'),
        'receipt',
        encodeReceipt({
          topic: topicKey('blobs').hex,
          id: { origin: idOf('n00'), epoch: 1, sequence: 9 },
        }),
      );
      await sim.run(100);
      await sim.close();
    }
  },
);

test.serial(
  'a validator checks relayed messages, and a relay that forwarded a rejected message loses no score',
  async (t) => {
    for (const run of runs(1)) {
      const mesh = await meet(run, 8, {
        topic: { validate: (message) => (message[0] === 0 ? 'reject' : 'accept') },
      });
      const [good, bad] = [blob(50_000), blob(50_000)];
      good[0] = 1;
      bad[0] = 0;
      for (const each of [bad, good]) void mesh.at('n00').topic.publish(each);
      await mesh.sim.run(5_000);
      heardOnce(t, mesh, othersThan(mesh, 'n00'), [good], run.name);
      const blamed = othersThan(mesh, 'n00').flatMap((name) =>
        eventsOf(mesh.node(name), 'misbehaved').map(({ nodeId }) => nodeId),
      );
      t.deepEqual(new Set(blamed), new Set([idOf('n00')]), run.name);
      t.is(blamed.length, 3, 'by the nodes that it sent it to itself');
      t.deepEqual(await mesh.sim.close(), []);
    }
  },
);

test.serial(
  'a relay whose sender is gone forwards what it has; one that leaves the topic or closes keeps nothing',
  async (t) => {
    for (const run of runs(1)) {
      const mesh = await meet(run, 6);
      const message = blob(MIB);
      void mesh.at('n00').topic.publish(message);
      await mesh.sim.run(3);
      void mesh.node('n00').gossip.close();
      await mesh.sim.run(20_000);
      for (const name of othersThan(mesh, 'n00')) {
        t.true(mesh.at(name).heard.length <= 1);
        t.deepEqual(mesh.node(name).gossip.snapshot().relay!.others, NOTHING, run.name);
      }
      t.deepEqual(mesh.node('n00').gossip.snapshot().relay!.own, NOTHING);
      t.deepEqual(await mesh.sim.close(), []);
    }
  },
);
