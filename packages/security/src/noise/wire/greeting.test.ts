// Tests how a connection begins: successful greetings, however they are cut into pieces, and
// greetings whose bytes are changed, repeated or sent back.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { createIdentity } from '../../identity/identity.ts';
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

test('both kinds of keys are proven', (t) => {
  const other = createIdentity({ type: 'p256', random: seededRandom(3) });
  const { initiator, responder } = greetBoth(suite, { identity: other });
  t.deepEqual([initiator.nodeId, responder.nodeId], [bob.nodeId, other.nodeId]);
});

test('a node may greet itself', (t) => {
  const staticKey = suite.keyPair(pattern(32, 5));
  const { initiator, responder } = greetBoth(
    suite,
    { identity: ada, staticKey },
    { identity: ada, staticKey },
  );
  t.deepEqual([initiator.nodeId, responder.nodeId], [ada.nodeId, ada.nodeId]);
});

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

test('a handshake works byte by byte', (t) => {
  const { said, initiator } = greetBoth(suite);
  const end = greeting({ suite, role: 'responder' });
  const steps = feed(
    end,
    ...Array.from(concat(said.first, said.third), (byte) => Uint8Array.of(byte)),
  );
  t.deepEqual(
    steps.map((step) => step.done?.binding),
    [undefined, initiator.binding],
  );
});

test('no byte of a handshake can be changed: neither end opens, except an initiator that has sent everything and gets no answer', (t) => {
  const { said } = greetBoth(suite);
  for (const part of ['first', 'second', 'third'] as const) {
    for (let i = 0; i < said[part].length; i++) {
      for (const bit of [1, 0x80]) {
        const altered = said[part].slice();
        altered[i]! ^= bit;
        const initiator = greeting({ suite, role: 'initiator' });
        const responder = greeting({ suite, role: 'responder' });
        initiator.begin();
        const answered = feed(responder, part === 'first' ? altered : said.first);
        const concluded = feed(
          initiator,
          part === 'second' ? altered : (answered[0]?.send ?? new Uint8Array(0)),
        );
        const last = part === 'third' ? altered : concluded[0]?.send;
        const ended = last === undefined ? [] : feed(responder, last);
        const what = `byte ${i} of the ${part}, bit ${bit}`;
        t.true(
          [...answered, ...ended].every((step) => step.done === undefined),
          `the responder opened: ${what}`,
        );
        if (part !== 'third')
          t.true(
            concluded.every((step) => step.done === undefined),
            `the initiator opened: ${what}`,
          );
        for (const { failed } of [...answered, ...concluded, ...ended]) {
          if (failed !== undefined)
            t.true(
              ['malformed', 'wrong_preamble', 'wrong_version'].includes(failed.reason),
              failed.text,
            );
        }
        // If neither end refused, one end waits for more bytes, because the altered byte increased
        // a length.
        const refused = [...answered, ...concluded, ...ended].some(
          (step) => step.failed !== undefined,
        );
        const at = part === 'third' ? i : i - 5;
        t.true(refused || at === 0 || at === 1, what);
      }
    }
  }
});

test('a handshake that is cut anywhere opens nothing', (t) => {
  const { said } = greetBoth(suite);
  for (let length = 0; length < said.second.length; length++) {
    const end = greeting({ suite, role: 'initiator' });
    end.begin();
    t.deepEqual(feed(end, said.second.subarray(0, length)), []);
  }
  const toResponder = concat(said.first, said.third);
  for (let length = 0; length < toResponder.length; length++) {
    const steps = feed(greeting({ suite, role: 'responder' }), toResponder.subarray(0, length));
    t.true(steps.every((step) => step.done === undefined));
  }
});

test('a responder refuses a replay of the messages of an initiator', (t) => {
  const { said } = greetBoth(suite);
  const steps = feed(greeting({ suite, role: 'responder', seed: 3 }), said.first, said.third);
  t.regex(steps[1]!.failed!.text, /handshake message 3 is not authentic/);
});

test('an initiator refuses a replay of the messages of a responder', (t) => {
  const { said } = greetBoth(suite);
  const end = greeting({ suite, role: 'initiator', seed: 3 });
  end.begin();
  t.regex(feed(end, said.second)[0]!.failed!.text, /handshake message 2 is not authentic/);
});

test('an initiator refuses its own bytes', (t) => {
  const end = greeting({ suite, role: 'initiator' });
  const [step] = feed(end, end.begin());
  t.regex(step!.failed!.text, /handshake message 2 is the one of this end, sent back/);
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
