// Tests of forged messages: no node accepts them, and they don't block any authentic message.

import { topicKey } from './protocol.ts';
import { blameOf, dropsOf, words } from './testing/cluster.ts';
import { frame } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import { visit } from './testing/signed-network.ts';
import { encodeControl } from './wire/frame.ts';

test('a forgery is dropped and its sender reported; the authentic message with its id still arrives, and later forgeries do no harm', async (t) => {
  const { a, push, heard, guest, author, identity } = await visit(t.context);
  const liar = identity('stranger');
  const before = a.peers.get(guest.nodeId)!.score;
  // Messages in the name of another node: unsigned, signed by another key, and with a signature
  // that the true key made for something else.
  const origin = author.nodeId;
  const signature = { publicKey: author.publicKey, bytes: author.sign(Uint8Array.of(1)) };
  await push({ origin }, { origin, signer: liar }, { origin, signature });
  // A message that is too large, and one that can't be decoded.
  await push({ origin, signature, payload: new Uint8Array(2_000_000) });
  await push({ origin, signature, payload: Uint8Array.of(0xff) });
  t.deepEqual(heard(), [[], []]);
  t.deepEqual(dropsOf(a), ['unsigned', 'forged', 'forged', 'forged', 'forged']);
  t.deepEqual(blameOf(a), dropsOf(a));
  t.true(a.peers.get(guest.nodeId)!.score < before);
  await push({ signer: author });
  t.deepEqual(heard(), [['said'], ['said']], 'the authentic one, with the guessed id');
  await push({ origin, signature, payload: words.encode('forged') });
  t.deepEqual(heard(), [['said'], ['said']]);
  // If an id of a future life were accepted, all messages of the publisher's present life would
  // be old.
  await push({ origin, signature, epoch: 2 ** 40, sequence: 0 });
  await push({ signer: author, sequence: 1 });
  t.deepEqual(heard(), Array(2).fill(['said', 'said']));
});

test('forgeries do not stop requests for the authentic message; a peer that serves one is reported, and asked again', async (t) => {
  const { sim, a, push, heard, guest, author } = await visit(t.context);
  const origin = author.nodeId;
  const forged = { origin, signature: { publicKey: author.publicKey, bytes: new Uint8Array(64) } };
  const grafts = () =>
    guest.controlled.filter(
      (control) => control.kind === 'graft' && control.ids.some((id) => id.origin === origin),
    ).length;
  await push({ origin }, forged, { ...forged, payload: new Uint8Array(1_100_000) });
  t.is(grafts(), 0);
  const notices = [{ id: { origin, epoch: 1, sequence: 0 }, hops: 1 }];
  const ihave = encodeControl(topicKey('news').bytes, { kind: 'ihave', notices });
  guest.talk.trySend(guest.remote, 'control', ihave);
  await sim.until(() => grafts() === 1, 2_000);
  guest.push(frame(forged));
  await sim.until(() => grafts() === 2, 10_000);
  t.deepEqual(heard(), [[], []]);
  t.deepEqual(dropsOf(a), ['unsigned', 'forged', 'forged', 'forged']);
  await push({ signer: author });
  t.deepEqual(heard(), [['said'], ['said']]);
}, 1);

test('a forgery that races the authentic message during validation changes neither its verdict nor its readers', async (t) => {
  let judge: ((verdict: 'accept') => void) | undefined;
  const verdict = new Promise<'accept'>((resolve) => (judge = resolve));
  const { sim, a, push, heard, author, subscriber } = await visit(t.context, {
    topic: () => ({
      validate: (_, { signed }) => (signed ? verdict : 'reject'),
      validateTimeout: 60_000,
    }),
  });
  const signature = { publicKey: author.publicKey, bytes: new Uint8Array(64) };
  const forged = { origin: author.nodeId, signature };
  await push({ signer: author }, forged, { ...forged, payload: words.encode('forged') });
  t.is(a.gossip.snapshot().topics[0]!.validating, 1);
  judge!('accept');
  await sim.run(300);
  t.deepEqual(heard(), [['said'], ['said']]);
  t.deepEqual(dropsOf(a), ['forged', 'forged']);
  t.true(subscriber('b').heard[0]!.meta.signed);
}, 1);

test('only a few forgeries of a flood are verified, and the other peers are heard meanwhile', async (t) => {
  const { sim, a, guest, heard, author, subscriber } = await visit(t.context);
  const signature = { publicKey: author.publicKey, bytes: author.sign(Uint8Array.of(1)) };
  const from = sim.now;
  for (let i = 0; i < 2_000; i++)
    guest.push(frame({ origin: author.nodeId, signature, sequence: i }));
  await sim.settle(subscriber('b').topic.publish('hello'));
  await sim.run(2_000);
  t.deepEqual(heard(), [['hello'], []]);
  const { dropped } = a.gossip.snapshot().topics[0]!;
  t.is(dropped.forged! + dropped.refused!, 2_000);
  t.true(dropped.forged! <= 16 * (1 + Math.ceil((sim.now - from) / 1_000)), `${dropped.forged}`);
  // Its valid messages are accepted again once its second is over.
  guest.push(frame({ signer: author }));
  await sim.run(300);
  t.deepEqual(heard(), [['hello', 'said'], ['said']]);
}, 1);
