// Tests of lenient nodes, which accept unsigned messages too: unsigned messages can't suppress the
// messages of a node that signs.

import { verifySignature } from '@trunkline/security';
import test from 'ava';
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

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const LAST = 2 ** 48 - 1;

const drops = (node: TestNode) => eventsOf(node, 'dropped').map(({ reason }) => reason);
const blame = (node: TestNode) => eventsOf(node, 'misbehaved').map(({ what }) => what);

/**
 * Sets up the lenient nodes a and b, and a stranger that is a neighbor of a; b gets the stranger's
 * messages through a. Both nodes believe that it is 2027.
 */
async function visit(run: Run, overlay = partialView()) {
  const sim = simulationOf(run);
  const subscribers = new Map<string, Subscriber>();
  const nodes = cluster(sim, ['a', 'b'], {
    gossip: () => ({ overlay, wall: () => NOW, signatures: { verify: verifySignature } }),
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
      all.map(
        ({ meta: { signed, id } }) => `${signed ? 'signed' : 'unsigned'} ${id.split('.')[0]}`,
      ),
    );
  return {
    sim,
    nodes,
    subscribers,
    a: nodes.get('a')!,
    b: nodes.get('b')!,
    guest,
    push,
    heard,
    author: identityOf('author'),
  };
}

const both = (...messages: string[]) => [messages, messages];

test.serial(
  'an unsigned message with the highest life does not silence a node that signs, neither before its first message nor after',
  async (t) => {
    for (const overlay of [partialView(), fullMesh({ hops: 3 })]) {
      for (const run of runs(1)) {
        const { sim, push, heard, author, a } = await visit(run, overlay);
        const origin = author.nodeId;
        await push({ origin, epoch: LAST, sequence: 5 });
        await push({ signer: author, epoch: NOW, sequence: 0 });
        t.deepEqual(heard(), both('unsigned 5', 'signed 0'), `${overlay.name}, ${run.name}`);
        await push(
          { origin, epoch: LAST, sequence: 6 },
          { origin, epoch: NOW + 1, sequence: 7 },
          { origin, epoch: NOW, sequence: 1 },
        );
        t.deepEqual(drops(a), ['unsigned', 'unsigned', 'unsigned']);
        t.deepEqual(blame(a), [], 'its sender may have been deceived');
        await push(
          { signer: author, epoch: NOW, sequence: 1 },
          { signer: author, epoch: NOW, sequence: 2 },
        );
        t.deepEqual(heard(), both('unsigned 5', 'signed 0', 'signed 1', 'signed 2'));
        t.deepEqual(await sim.close(), []);
      }
    }
  },
);

test.serial(
  'an unsigned message does not replace a signed one that follows under the same id',
  async (t) => {
    for (const run of runs(1)) {
      const { sim, push, heard, author } = await visit(run);
      const origin = author.nodeId;
      await push({ origin, epoch: NOW, sequence: 0 }, { origin, epoch: NOW, sequence: 9_000 });
      await push(
        { signer: author, epoch: NOW, sequence: 0 },
        { signer: author, epoch: NOW, sequence: 1 },
      );
      t.deepEqual(heard(), both('unsigned 0', 'unsigned 9000', 'signed 0', 'signed 1'), run.name);
      // The same messages again, with and without their signatures, are duplicates.
      await push({ signer: author, epoch: NOW, sequence: 0 }, { origin, epoch: NOW, sequence: 1 });
      t.is(heard()[0]!.length, 4);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a signed life may be in the far future; an unsigned one that is more than a day ahead ends no life within the day',
  async (t) => {
    for (const run of runs(1)) {
      const { sim, push, heard, author } = await visit(run);
      await push({ signer: author, epoch: NOW + 400 * DAY, sequence: 0 });
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
      t.deepEqual(
        heard(),
        both('signed 0', 'unsigned 1', 'unsigned 4', 'unsigned 5', 'unsigned 6', 'unsigned 7'),
        run.name,
      );
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a node that stops signing is accepted again ten minutes after its last signed message',
  async (t) => {
    const { sim, push, heard, author } = await visit(runs(1)[0]!);
    const origin = author.nodeId;
    await push(
      { signer: author, epoch: NOW, sequence: 0 },
      { origin, epoch: NOW + 1, sequence: 1 },
    );
    await sim.run(590_000);
    await push({ origin, epoch: NOW + 1, sequence: 2 });
    t.deepEqual(heard(), both('signed 0'));
    await sim.run(12_000);
    await push({ origin, epoch: NOW + 1, sequence: 3 });
    t.deepEqual(heard(), both('signed 0', 'unsigned 3'));
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'a forger of 16,384 publishers loses score, is disconnected and refused; other publishers and peers are not affected',
  async (t) => {
    t.timeout(120_000);
    for (const overlay of [partialView(), fullMesh({ hops: 3 })]) {
      for (const run of runs(1, ['message'])) {
        const { sim, a, b, subscribers, guest, heard, author } = await visit(run, overlay);
        const name = `${overlay.name}, ${run.name}`;
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
        // Messages of nodes that sign are accepted at once.
        const other = await rawPeer(sim, { name: 'other', nodeId: author.nodeId });
        await sim.run(1_500);
        if (!subscribers.get('a')!.topic.neighbors.includes(other.nodeId)) other.join();
        await sim.until(() => subscribers.get('a')!.topic.neighbors.includes(other.nodeId), 10_000);
        const before = heard()[1]!.length;
        other.push(
          frame({ signer: author, epoch: NOW, sequence: 77 }),
          frame({ signer: identityOf('third'), epoch: NOW, sequence: 78 }),
        );
        await sim.run(500);
        t.deepEqual(heard()[1]!.slice(before), ['signed 77', 'signed 78'], name);
        // Node a accepts other publishers at once, and b does so when it again has room for origins
        // that a introduces.
        other.push(frame({ origin: idOf('late'), epoch: NOW, sequence: 79 }));
        await sim.run(95_000);
        other.push(frame({ origin: idOf('later'), epoch: NOW, sequence: 80 }));
        await sim.run(500);
        t.deepEqual(heard()[0]!.slice(-2), ['unsigned 79', 'unsigned 80']);
        t.deepEqual(heard()[1]!.slice(before + 2), ['unsigned 80'], name);
        await sim.close();
      }
    }
  },
);

test.serial(
  'without a mode, a node with an identity is strict, one without is lenient, and one that cannot verify drops signed messages',
  async (t) => {
    const sim = simulationOf(runs(1)[0]!);
    const subscribers = new Map<string, Subscriber>();
    const signing: Record<string, SignatureOptions | undefined> = {
      unable: undefined,
      plain: { verify: verifySignature },
      signer: { identity: identityOf('signer') },
      tolerant: { identity: identityOf('tolerant'), mode: 'lenient' },
    };
    const nodes = cluster(sim, Object.keys(signing), {
      gossip: (name) => ({ signatures: signing[name] }),
      peers: (name) => ({ identity: identityOf(name) }),
      setup: (node) => void subscribers.set(node.name, listen(node)),
    });
    await sim.until(() => nodes.size === 4 && areMet(subscribers.values(), 3), 20_000);
    for (const [name, subscriber] of subscribers) await sim.settle(subscriber.topic.publish(name));
    await sim.run(500);
    t.deepEqual(
      Object.fromEntries(
        [...subscribers].map(([name, subscriber]) => [name, subscriber.words.toSorted()]),
      ),
      {
        unable: ['plain'],
        plain: ['signer', 'tolerant', 'unable'],
        signer: ['tolerant'],
        tolerant: ['plain', 'signer', 'unable'],
      },
    );
    t.deepEqual(drops(nodes.get('signer')!), ['unsigned', 'unsigned']);
    t.deepEqual(drops(nodes.get('unable')!), ['unverified', 'unverified']);
    t.deepEqual(blame(nodes.get('unable')!), []);
    t.deepEqual(await sim.close(), []);
  },
);
