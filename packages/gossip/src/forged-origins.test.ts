// Tests of messages with invented publishers and lives, and of nodes that sign among nodes that
// don't.

import { verifySignature } from '@trunkline/security';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import type { SignatureOptions } from './signatures/signatures.ts';
import { blameOf, dropsOf, eventsOf, idOf, type Run, runs } from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import { network, visit as signedVisit } from './testing/signed-network.ts';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const LAST = 2 ** 48 - 1;

/** Sets up a visit among nodes that believe that it is 2027, and don't sign unless told to. */
async function visit(run: Run, overlay = partialView(), signatures?: SignatureOptions) {
  const gossip = { overlay, wall: () => NOW };
  const visited = await signedVisit(run, { gossip, signing: () => signatures });
  /** Returns the numbers of the messages that a and b have got. */
  const heard = () =>
    [...visited.subscribers.values()].map(({ heard: all }) =>
      all.map(({ meta }) => Number(meta.id.split('.')[0])),
    );
  return { ...visited, heard };
}

test('a signed life may be in the far future; an unsigned one that is more than a day ahead ends no life within the day', async (t) => {
  const signed = await visit(t.context, partialView(), { verify: verifySignature });
  const signer = identityOf('author');
  await signed.push({ signer, epoch: NOW, sequence: 0 });
  await signed.push({ signer, epoch: NOW + 400 * DAY, sequence: 1 });
  t.deepEqual(signed.heard(), Array(2).fill([0, 1]));
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
  t.deepEqual(heard(), Array(2).fill([1, 4, 5, 6, 7]));
}, 1);

test('a neighbor that sends messages in the name of this node is reported, but not blamed', async (t) => {
  const { sim, a, subscriber, guest, push, heard } = await visit(t.context);
  const before = a.peers.get(guest.nodeId)!.score;
  await sim.settle(subscriber('a').topic.publish('hello'));
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
  t.deepEqual(dropsOf(a), ['own', 'own', 'own']);
  t.deepEqual(blameOf(a), ['impostor', 'impostor']);
  t.is(a.peers.get(guest.nodeId)!.score, before);
}, 1);

test(
  'a forger of 16,384 publishers loses score, is disconnected and refused; other publishers and peers are not affected',
  async (t) => {
    t.timeout(120_000);
    for (const overlay of [partialView(), fullMesh({ hops: 3 })]) {
      const { sim, a, node, subscriber, guest, heard } = await visit(t.context, overlay);
      const b = node('b');
      const { name } = overlay;
      const score = a.peers.get(guest.nodeId)!.score;
      for (let i = 0; i < 16_384; i++) {
        guest.push(frame({ origin: i.toString(16).padStart(64, '0'), epoch: NOW }));
        if (i % 32 === 31) await sim.run(2);
      }
      await sim.run(1_000);
      t.is(a.peers.get(guest.nodeId), undefined, name);
      t.deepEqual(blameOf(a), ['origin-flood']);
      t.deepEqual(blameOf(b), []);
      t.is(b.peers.list().length, 1, 'a peer that forwarded it stays connected');
      t.true(heard()[0]!.length <= 8_192, `${heard()[0]!.length} of them arrived`);
      t.true(a.peers.scoreOf(guest.nodeId) < score);
      await t.throwsAsync(sim.settle(guest.transport.dial('a')), undefined, 'it is refused');
      const other = await rawPeer(sim, { name: 'other' });
      await sim.run(1_500);
      if (!subscriber('a').topic.neighbors.includes(other.nodeId)) other.join();
      await sim.until(() => subscriber('a').topic.neighbors.includes(other.nodeId), 10_000);
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

test('a node with an identity or a verifier accepts only signed messages, and one without only unsigned ones; one that only verifies cannot publish', async (t) => {
  const signing: Record<string, SignatureOptions | undefined> = {
    plain: undefined,
    bare: {},
    reader: { verify: verifySignature },
    signer: { identity: identityOf('signer') },
    author: { identity: identityOf('author') },
  };
  const { sim, node, subscriber, subscribers } = await network(t.context, Object.keys(signing), {
    signing: (name) => signing[name],
  });
  for (const [name, { topic }] of subscribers)
    if (name !== 'reader') await sim.settle(topic.publish(name));
  await sim.run(500);
  const sorted = [...subscribers].map(([name, { words }]) => [name, words.toSorted()]);
  t.deepEqual(Object.fromEntries(sorted), {
    plain: ['bare'],
    bare: ['plain'],
    reader: ['author', 'signer'],
    signer: ['author'],
    author: ['signer'],
  });
  t.deepEqual(dropsOf(node('plain')), ['unverified', 'unverified']);
  t.deepEqual(dropsOf(node('signer')), ['unsigned', 'unsigned']);
  t.deepEqual(blameOf(node('plain')), []);
  t.deepEqual(blameOf(node('reader')), ['unsigned', 'unsigned']);
  await t.throwsAsync(sim.settle(subscriber('reader').topic.publish('x')), {
    code: 'failed_precondition',
    message: /signatures.identity/u,
  });
}, 1);
