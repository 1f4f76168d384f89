// Tests of relays that fail or lie, and of peers that send relayed messages without being allowed
// to.

import { createPeers } from '@trunkline/peers';
import { type Clock, type Remote, serve, type Transport } from '@trunkline/transport-core';
import { encodeList } from './discovery/tags.ts';
import { gossipProtocol, topicKey } from './protocol.ts';
import { eventsOf, idle, idOf } from './testing/cluster.ts';
import { frame } from './testing/raw-peer.ts';
import {
  blob,
  heardOnce,
  type Mesh,
  NOTHING,
  othersThan,
  RELAYING,
  relayMesh,
} from './testing/relay-mesh.ts';
import test from './testing/serial.ts';
import { decodeHead, decodeReport, encodeHead, encodeReceipt, encodeReport } from './wire/frame.ts';

const MIB = 1024 * 1024;

interface Guest {
  readonly talk: Transport<typeof gossipProtocol>;
  readonly clock: Clock;
  /** For each relayed message, the names of the nodes that the guest was asked to pass it on to. */
  readonly asked: string[][];
  remoteOf(name: string): Remote;
}

/** Handles a message that the guest is asked to pass on. */
type ServeRelay = (
  head: Uint8Array,
  chunks: AsyncIterable<Uint8Array>,
  guest: Guest,
) => Promise<Uint8Array>;

/** Adds a peer of all nodes, on their topic, that encodes the protocol by itself. */
async function visit({ sim, names }: Mesh, serveRelay: ServeRelay): Promise<Guest> {
  const transport = sim.client(idle, { name: 'guest' });
  const { clock, random } = transport;
  const identity = { nodeId: idOf('guest') };
  const options = { identity, maxInbound: 100, maxOutbound: 0, persistent: names };
  const peers = createPeers({ transport, ...options });
  const talk = transport.mount(gossipProtocol);
  const remoteOf = (name: string) => peers.get(idOf(name))!.remote;
  const guest: Guest = { talk, clock, asked: [], remoteOf };
  const { bytes } = topicKey('blobs');
  serve(talk, {
    pull: (question, { from }) => {
      const hearer = peers.list().find(({ instance }) => instance === from.instance)!.nodeId;
      return encodeList({ teller: idOf('guest'), hearer }, question, 1, [bytes], random)!;
    },
    interest: () => {},
    push: () => {},
    relay: (head, { upload }) => {
      const { rest } = decodeHead(head)!;
      guest.asked.push(names.filter((name) => rest.includes(idOf(name))));
      return serveRelay(head, upload, guest);
    },
  });
  await sim.settle(peers.start());
  await sim.until(() => peers.list().length === names.length, 20_000);
  return guest;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

const never = () => new Promise<Uint8Array>(() => {});
const took = encodeReport({ outcome: 'took', missed: [] });
const manners = {
  'takes it and says that it has passed it on': (_, chunks) => drain(chunks).then(() => took),
  'takes it, says that it has it, and no more': async (head, chunks, guest) => {
    await drain(chunks);
    const { topic, id } = decodeHead(head)!;
    guest.talk.trySend(guest.remoteOf('n00'), 'receipt', encodeReceipt({ topic, id }));
    return never();
  },
  'takes nothing': never,
  'takes a little': async (_, chunks) => {
    for await (const _ of chunks) break;
    return never();
  },
  'takes it drop by drop': async (_, chunks, { clock }) => {
    for await (const _ of chunks) await clock.sleep(RELAYING.stall - 100);
    return took;
  },
  'answers with nonsense': async () => Uint8Array.of(7, 7, 7),
  'says that it had it': async () => encodeReport({ outcome: 'had', missed: [] }),
  'refuses it': () => Promise.reject(new Error('no')),
  'says that it could reach nobody, and names others too': async (head, chunks) => {
    await drain(chunks);
    return encodeReport({ outcome: 'took', missed: [...decodeHead(head)!.rest, idOf('nobody')] });
  },
} satisfies Record<string, ServeRelay>;

for (const [manner, serveRelay] of Object.entries(manners)) {
  test(`a relay that ${manner}: all the other nodes still get each message exactly once`, async (t) => {
    t.timeout(60_000);
    const mesh = await relayMesh(t.context, 5, { relay: () => ({ ...RELAYING, fanout: 1 }) });
    const guest = await visit(mesh, serveRelay);
    const knows = (name: string) => mesh.at(name).topic.neighbors.includes(idOf('guest'));
    await mesh.sim.until(() => mesh.names.every(knows), 10_000);
    const blobs = Array.from({ length: 6 }, (_, i) => blob(400_000, i + 1));
    for (const [i, each] of blobs.entries()) {
      const { queued } = await mesh.sim.settle(mesh.at('n00').topic.publish(each));
      t.is(queued, 5);
      await mesh.sim.run(9_000);
      heardOnce(t, mesh, othersThan(mesh, 'n00'), blobs.slice(0, i + 1));
    }
    t.true(guest.asked.length >= 6);
    t.true(guest.asked.some((rest) => rest.length > 0));
    await mesh.sim.run(10_000);
    for (const name of mesh.names) {
      const { own, others } = mesh.node(name).gossip.snapshot().relay!;
      t.deepEqual([own, others], [NOTHING, NOTHING], name);
    }
  }, 1);
}

test('the frames that a relay sends are checked: their head, size and content', async (t) => {
  const limit = 100_000;
  const mesh = await relayMesh(t.context, 3, { topic: { limit } });
  const { sim } = mesh;
  const guest = await visit(mesh, manners['says that it had it']);
  const payload = blob(50_000);
  const frameOf = (origin: string, sequence: number) =>
    frame({ topic: 'blobs', origin, sequence, payload });
  let next = 0;
  /** Uploads a frame, by default the message that the head names, and its true size. */
  const upload = async ({
    origin = idOf('guest'),
    sequence = next++,
    rest = [] as readonly string[],
    message = undefined as Uint8Array | undefined,
    size = undefined as number | undefined,
  } = {}) => {
    const bytes = message ?? frameOf(origin, sequence);
    const [topic, id] = [topicKey('blobs').hex, { origin, epoch: 1, sequence }];
    const head = encodeHead({ topic, id, hops: 1, size: size ?? bytes.length, rest });
    async function* chunks() {
      yield bytes.subarray(0, 20_000);
      yield bytes.subarray(20_000);
    }
    const options = { upload: chunks(), timeout: 60_000 };
    const outcome = guest.talk.send(guest.remoteOf('n00'), 'relay', head, options).then(
      (report) => decodeReport(report)!.outcome as string,
      ({ code }) => code as string,
    );
    return sim.settle(outcome, 70_000);
  };
  const heard = () => mesh.at('n00').heard.length;
  t.is(await upload(), 'took');
  t.is(await upload({ sequence: 0 }), 'had');
  t.is(heard(), 1);
  t.is(await upload({ origin: idOf('n00') }), 'had', 'its own');
  t.is(await upload({ origin: idOf('n01') }), 'took', 'unsigned: its publisher is not known');
  t.is(heard(), 2);
  t.is(await upload({ rest: [idOf('n00')] }), 'invalid_argument');
  t.is(await upload({ size: limit + 70_000 }), 'resource_exhausted');
  t.is(await upload({ size: 49_000 }), 'invalid_argument', 'more than announced');
  const another = frameOf(idOf('guest'), 999);
  t.is(await upload({ message: another }), 'took', 'another message than announced');
  const rest = [idOf('n01'), idOf('nobody')];
  t.is(await upload({ rest }), 'took', 'an unknown recipient is missed');
  t.is(heard(), 3);
  t.is(mesh.at('n01').heard.length, 1);
  t.deepEqual(mesh.node('n00').gossip.snapshot().relay!.others, NOTHING);
  t.true(eventsOf(mesh.node('n00'), 'delivered').every(({ from }) => from === idOf('guest')));
  const id = { origin: idOf('n00'), epoch: 1, sequence: 9 };
  for (const receipt of [new Uint8Array(3), encodeReceipt({ topic: topicKey('blobs').hex, id })])
    guest.talk.trySend(guest.remoteOf('n00'), 'receipt', receipt);
  await sim.run(100);
}, 1);

test('a validator checks relayed messages, and a relay that forwarded a rejected message loses no score', async (t) => {
  const mesh = await relayMesh(t.context, 8, {
    topic: { validate: (message) => (message[0] === 0 ? 'reject' : 'accept') },
  });
  const [good, bad] = [blob(50_000), blob(50_000)];
  good[0] = 1;
  bad[0] = 0;
  for (const each of [bad, good]) void mesh.at('n00').topic.publish(each);
  await mesh.sim.run(5_000);
  heardOnce(t, mesh, othersThan(mesh, 'n00'), [good]);
  const blamed = othersThan(mesh, 'n00').flatMap((name) =>
    eventsOf(mesh.node(name), 'misbehaved').map(({ nodeId }) => nodeId),
  );
  t.deepEqual(new Set(blamed), new Set([idOf('n00')]));
  t.is(blamed.length, 3, 'by the nodes that it sent it to itself');
}, 1);

test('a relay whose sender is gone forwards what it has; one that leaves the topic or closes keeps nothing', async (t) => {
  const mesh = await relayMesh(t.context, 6);
  const message = blob(MIB);
  void mesh.at('n00').topic.publish(message);
  await mesh.sim.run(3);
  void mesh.node('n00').gossip.close();
  await mesh.sim.run(20_000);
  for (const name of othersThan(mesh, 'n00')) {
    t.true(mesh.at(name).heard.length <= 1);
    t.deepEqual(mesh.node(name).gossip.snapshot().relay!.others, NOTHING);
  }
  t.deepEqual(mesh.node('n00').gossip.snapshot().relay!.own, NOTHING);
}, 1);
