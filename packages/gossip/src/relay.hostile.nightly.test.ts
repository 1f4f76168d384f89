// Tests of relays that fail or lie, and of peers that send relayed messages without being allowed
// to.

import { createPeers } from '@trunkline/peers';
import { type Clock, type Remote, serve, type Transport } from '@trunkline/transport-core';
import { encodeList } from './discovery/tags.ts';
import { gossipProtocol, topicKey } from './protocol.ts';
import { eventsOf, idle, idOf } from './testing/cluster.ts';
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
import { decodeHead, encodeReceipt, encodeReport } from './wire/frame.ts';

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
