// Tests how a connection begins: successful greetings, however they are cut into pieces, and keys
// that are refused. The identity suite changes, cuts and repeats the bytes of greetings.

import test from 'ava';
import type { KeyPair } from '../framework/suite.ts';
import { suite } from '../primitives.node.ts';
import { concat, pattern, toHex } from '../testing/bytes.ts';
import { ada, bob, feed, greetBoth, greeting } from '../testing/greetings.ts';
import { suites } from '../testing/suites.ts';
import { openRecord, sealRecord } from './records.ts';

for (const { name, suite } of suites) {
  test(`${name}: both ends learn the id of the other, share keys, and have the same binding`, (t) => {
    const { initiator, responder } = greetBoth(suite);
    t.is(initiator.nodeId, bob.nodeId);
    t.is(responder.nodeId, ada.nodeId);
    t.deepEqual([initiator.flaw, responder.flaw], [undefined, undefined]);
    t.is(initiator.binding.length, 32);
    t.deepEqual(initiator.binding, responder.binding);
    for (const [from, to] of [
      [initiator, responder],
      [responder, initiator],
    ] as const) {
      const record = new Uint8Array(5 + 18);
      sealRecord(from.send, pattern(5), record, 0);
      t.deepEqual(
        openRecord(to.receive, record.subarray(2)),
        pattern(5) as Uint8Array<ArrayBuffer>,
      );
    }
  });

  test(`${name}: the same keys give the same bytes as before`, (t) => {
    const { initiator, responder, said } = greetBoth(suite);
    const record = (channel: typeof initiator) => {
      const bytes = new Uint8Array(3 + 18);
      sealRecord(channel.send, Uint8Array.of(1, 2, 3), bytes, 0);
      return toHex(bytes);
    };
    const hash = (bytes: Uint8Array) => toHex(suite.hash(bytes, new Uint8Array(0)));
    t.is(toHex(said.first), GOLDEN.first);
    t.deepEqual([said.second, said.third].map(hash), [GOLDEN.second, GOLDEN.third]);
    t.is(toHex(initiator.binding), GOLDEN.binding);
    t.deepEqual([record(initiator), record(responder)], [GOLDEN.initiators, GOLDEN.responders]);
  });
}

test('the result of a handshake does not depend on how its chunks are cut', (t) => {
  const { said, initiator } = greetBoth(suite);
  const behind = pattern(10, 9);
  for (let cut = 0; cut <= said.second.length; cut++) {
    const end = greeting({ suite, role: 'initiator' });
    end.begin();
    const steps = feed(end, said.second.subarray(0, cut), said.second.subarray(cut));
    t.deepEqual(
      steps.map((step) => step.done?.binding),
      [initiator.binding],
      `the second message, cut at ${cut}`,
    );
  }
  const toResponder = concat(said.first, said.third, behind);
  for (let cut = 0; cut <= toResponder.length; cut++) {
    const end = greeting({ suite, role: 'responder' });
    const steps = feed(end, toResponder.subarray(0, cut), toResponder.subarray(cut));
    t.deepEqual(
      steps.map((step) => step.done?.binding),
      [undefined, initiator.binding],
      `first and third, cut at ${cut}`,
    );
    t.deepEqual(steps[0]!.send, said.second);
    if (cut <= said.first.length + said.third.length) t.deepEqual(end.rest, behind);
  }
});

test('an initiator refuses its own key in a message of the right length', (t) => {
  const end = greeting({ suite, role: 'initiator' });
  const first = end.begin();
  const second = concat(first.subarray(0, 5), Uint8Array.of(0, 96), first.subarray(7), pattern(64));
  t.regex(feed(end, second)[0]!.failed!.text, /sent back/);
});

test('a responder refuses its own answer as the third message', (t) => {
  const responder = greeting({ suite, role: 'responder' });
  const [step] = feed(responder, greeting({ suite, role: 'initiator' }).begin());
  t.regex(feed(responder, step!.send!.subarray(5))[0]!.failed!.text, /handshake message 3/);
});

test('an ephemeral key of low order is refused', (t) => {
  const zero: KeyPair = { publicKey: new Uint8Array(32), agree: () => new Uint8Array(32) };
  const low = { ...suite, keyPair: () => zero };
  const [asFirst] = feed(
    greeting({ suite, role: 'responder' }),
    greeting({ suite: low, role: 'initiator' }).begin(),
  );
  t.regex(asFirst!.failed!.text, /low order/);
  t.is(asFirst!.send, undefined);
  const initiator = greeting({ suite, role: 'initiator' });
  const second = concat(initiator.begin().subarray(0, 5), Uint8Array.of(0, 96), new Uint8Array(96));
  t.regex(feed(initiator, second)[0]!.failed!.text, /low order/);
});

test('a static key of low order is refused', (t) => {
  const zero: KeyPair = { publicKey: new Uint8Array(32), agree: () => new Uint8Array(32) };
  const initiator = greeting({ suite, role: 'initiator' });
  const responder = greeting({ suite, role: 'responder', staticKey: zero });
  const [step] = feed(responder, initiator.begin());
  t.regex(feed(initiator, step!.send!)[0]!.failed!.text, /low order/);
});

// Proofs: the handshake completes, so that both ends learn the flaw.

/**
 * Recorded when the wire format was settled. If these values change, the wire format needs a new
 * version.
 */
const GOLDEN = {
  first: '54524b4e0100209647f5345125a0a93271e802cc418bb9258c921e761af9d7134d352c2227fa1b',
  second: '5f25b0318402775bfeb802ffbc9e655eb6adbcad629cb53b93d20a7d1d1d1c31',
  third: '11601c2959d076e7b005ba9fbbab562a951424d37bae1935efcfc66581aabed8',
  binding: '6a940e706918cc04c3b7c944fd88976f9f353f8f1a49b2bd8c5773e55d507277',
  initiators: '001383747ee9de3331f3450f22fe0a1f54468e4ea7',
  responders: '0013d07be6b57a86a0ada5d8e0bcb68cd7571545f0',
};
