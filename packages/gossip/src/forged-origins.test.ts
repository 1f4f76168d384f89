// Tests of messages with invented publishers and lives, and of nodes that sign among nodes that
// don't.

import { verifySignature } from '@trunkline/security';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import type { SignatureOptions } from './signatures/signatures.ts';
import {
  areMet,
  cluster,
  eventsOf,
  idOf,
  listen,
  type Run,
  runs,
  type Subscriber,
  simulationOf,
  type TestNode,
} from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { type Forgery, frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const LAST = 2 ** 48 - 1;

const drops = (node: TestNode) => eventsOf(node, 'dropped').map(({ reason }) => reason);
const blame = (node: TestNode) => eventsOf(node, 'misbehaved').map(({ what }) => what);

/**
 * Sets up nodes a and b, and a stranger that is a neighbor of a; b gets the stranger's messages
 * through a. Both nodes believe that it is 2027.
 */
async function visit(run: Run, overlay = partialView(), signatures?: SignatureOptions) {
  const sim = simulationOf(run);
  const subscribers = new Map<string, Subscriber>();
  const nodes = cluster(sim, ['a', 'b'], {
    gossip: () => ({ overlay, wall: () => NOW, signatures }),
    setup: (node) => void subscribers.set(node.name, listen(node)),
  });
  await sim.until(() => nodes.size === 2 && areMet(subscribers.values(), 1), 20_000);
  const guest = await rawPeer(sim);
  await sim.run(1_500);
  if (!subscribers.get('a')!.topic.neighbors.includes(guest.nodeId)) guest.join();
  await sim.until(() => subscribers.get('a')!.topic.neighbors.includes(guest.nodeId), 5_000);
  const push = (...forgeries: Forgery[]) => {
    guest.push(...forgeries.map(frame));
    return sim.run(300);
  };
  const heard = () =>
    [...subscribers.values()].map(({ heard: all }) =>
      all.map(({ meta }) => Number(meta.id.split('.')[0])),
    );
  return { sim, a: nodes.get('a')!, b: nodes.get('b')!, subscribers, guest, push, heard };
}

test('a signed life may be in the far future; an unsigned one that is more than a day ahead ends no life within the day', async (t) => {
  const signed = await visit(t.context, partialView(), { verify: verifySignature });
  const signer = identityOf('author');
  await signed.push({ signer, epoch: NOW, sequence: 0 });
  await signed.push({ signer, epoch: NOW + 400 * DAY, sequence: 1 });
  t.deepEqual(signed.heard(), [
    [0, 1],
    [0, 1],
  ]);
  t.deepEqual(await signed.sim.close(), []);

  const { push, heard } = await visit(t.context);
  const origin = idOf('plain');
  await push(
    { origin, epoch: NOW, sequence: 1 },
    { origin, epoch: NOW + DAY + 1, sequence: 2 },
    { origin, epoch: LAST, sequence: 3 },
  );
  await push({ origin, epoch: NOW, sequence: 4 }, { origin, epoch: NOW + DAY, sequence: 5 });
  const other = idOf('ahead');
  await push(
    { origin: other, epoch: LAST, sequence: 6 },
    { origin: other, epoch: NOW, sequence: 7 },
    { origin: other, epoch: LAST, sequence: 8 },
  );
  t.deepEqual(heard(), [
    [1, 4, 5, 6, 7],
    [1, 4, 5, 6, 7],
  ]);
}, 1);

test('a neighbor that sends messages in the name of this node is reported, but not blamed', async (t) => {
  const { sim, a, subscribers, guest, push, heard } = await visit(t.context);
  const before = a.peers.get(guest.nodeId)!.score;
  await sim.settle(subscribers.get('a')!.topic.publish('hello'));
  await sim.run(300);
  t.deepEqual(heard(), [[], [0]]);
  const origin = a.nodeId;
  // A message of its own, two that it did not publish, and one of an earlier life.
  await push(
    { origin, epoch: NOW, sequence: 0 },
    { origin, epoch: NOW, sequence: 7 },
    { origin, epoch: NOW + 1, sequence: 0 },
    { origin, epoch: NOW - 1, sequence: 4 },
  );
  t.deepEqual(heard(), [[], [0]]);
  t.is(eventsOf(a, 'duplicate').length, 1);
  t.deepEqual(drops(a), ['own', 'own', 'own']);
  t.deepEqual(blame(a), ['impostor', 'impostor']);
  t.is(a.peers.get(guest.nodeId)!.score, before);
}, 1);

test(
  'a forger of 16,384 publishers loses score, is disconnected and refused; other publishers and peers are not affected',
  async (t) => {
    t.timeout(120_000);
    for (const overlay of [partialView(), fullMesh({ hops: 3 })]) {
      const { sim, a, b, subscribers, guest, heard } = await visit(t.context, overlay);
      const { name } = overlay;
      const score = a.peers.get(guest.nodeId)!.score;
      const origin = (i: number) => i.toString(16).padStart(64, '0');
      for (let i = 0; i < 16_384; i++) {
        guest.push(frame({ origin: origin(i), epoch: NOW }));
        if (i % 32 === 31) await sim.run(2);
      }
      await sim.run(1_000);
      t.is(a.peers.get(guest.nodeId), undefined, name);
      t.deepEqual(blame(a), ['origin-flood']);
      t.deepEqual(blame(b), []);
      t.is(b.peers.list().length, 1, 'a peer that forwarded it stays connected');
      t.true(heard()[0]!.length <= 8_192, `${heard()[0]!.length} of them arrived`);
      t.true(
        score - (a.peers.list().find(({ nodeId }) => nodeId === guest.nodeId)?.score ?? 0) > 0,
      );
      await t.throwsAsync(sim.settle(guest.transport.dial('a')), undefined, 'it is refused');
      const other = await rawPeer(sim, { name: 'other' });
      await sim.run(1_500);
      if (!subscribers.get('a')!.topic.neighbors.includes(other.nodeId)) other.join();
      await sim.until(() => subscribers.get('a')!.topic.neighbors.includes(other.nodeId), 10_000);
      const before = heard()[1]!.length;
      // Node a accepts other publishers at once, and b does so when it again has room for origins
      // that a introduces.
      other.push(frame({ origin: idOf('late'), epoch: NOW, sequence: 79 }));
      await sim.run(95_000);
      other.push(frame({ origin: idOf('later'), epoch: NOW, sequence: 80 }));
      await sim.run(500);
      t.deepEqual(heard()[0]!.slice(-2), [79, 80]);
      t.deepEqual(heard()[1]!.slice(before), [80], name);
      await sim.close();
    }
  },
  runs(1, ['message']),
);

test('a node with an identity or a verifier accepts only signed messages, and one without only unsigned ones', async (t) => {
  const sim = simulationOf(t.context);
  const subscribers = new Map<string, Subscriber>();
  const signing: Record<string, SignatureOptions | undefined> = {
    plain: undefined,
    bare: {},
    reader: { verify: verifySignature },
    signer: { identity: identityOf('signer') },
    author: { identity: identityOf('author') },
  };
  const nodes = cluster(sim, Object.keys(signing), {
    gossip: (name) => ({ signatures: signing[name] }),
    peers: (name) => ({ identity: identityOf(name) }),
    setup: (node) => void subscribers.set(node.name, listen(node)),
  });
  await sim.until(() => nodes.size === 5 && areMet(subscribers.values(), 4), 20_000);
  for (const [name, { topic }] of subscribers)
    if (name !== 'reader') await sim.settle(topic.publish(name));
  await sim.run(500);
  t.deepEqual(
    Object.fromEntries([...subscribers].map(([name, { words }]) => [name, words.toSorted()])),
    {
      plain: ['bare'],
      bare: ['plain'],
      reader: ['author', 'signer'],
      signer: ['author'],
      author: ['signer'],
    },
  );
  for (const [name, reason] of [
    ['plain', 'unverified'],
    ['signer', 'unsigned'],
  ] as const)
    t.deepEqual(drops(nodes.get(name)!), [reason, reason]);
  t.deepEqual(blame(nodes.get('plain')!), []);
  t.deepEqual(blame(nodes.get('reader')!), ['unsigned', 'unsigned']);
}, 1);
