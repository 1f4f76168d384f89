// Tests of greetings that an end refuses: peers that cannot prove their identity, strangers, and
// messages that do not belong to the protocol.

import test from 'ava';
import { suite } from '../primitives.node.ts';
import { concat, pattern, toHex } from '../testing/bytes.ts';
import { ada, begun, feed, greetBoth, greeting } from '../testing/greetings.ts';
import { screenMessage1 } from './preamble.ts';

const proofs: [string, Parameters<typeof greeting>[0]['identity'], RegExp][] = [
  [
    'no key',
    { publicKey: new Uint8Array(0) as Uint8Array<ArrayBuffer>, sign: () => new Uint8Array(64) },
    /no public key/,
  ],
  ['no signature', { publicKey: ada.publicKey, sign: () => new Uint8Array(0) }, /no signature/],
  [
    'a key of another kind',
    { publicKey: new Uint8Array(60), sign: () => new Uint8Array(64) },
    /neither Ed25519 nor P-256 \(60 bytes/,
  ],
  [
    'an invalid key',
    { publicKey: new Uint8Array(44), sign: () => new Uint8Array(64) },
    /signature is not valid/,
  ],
  [
    'a signature that is cut short',
    { publicKey: ada.publicKey, sign: (m) => ada.sign(m).subarray(0, 63) },
    /signature is not valid/,
  ],
];
for (const [what, identity, said] of proofs) {
  test(`a peer that sends ${what} is not accepted, at either end`, (t) => {
    const asInitiator = greetBoth(suite, { identity: identity! });
    t.is(asInitiator.responder.nodeId, undefined);
    t.regex(asInitiator.responder.flaw!, said);
    const asResponder = greetBoth(suite, {}, { identity: identity! });
    t.is(asResponder.initiator.nodeId, undefined);
    t.regex(asResponder.initiator.flaw!, said);
  });
}

test('a proof is bound to the handshake, to the role and to the static key', (t) => {
  const seen: Uint8Array[] = [];
  const spy = {
    publicKey: ada.publicKey,
    sign(message: Uint8Array) {
      seen.push(message.slice());
      return ada.sign(message);
    },
  };
  const { responder } = greetBoth(suite, { identity: spy, seed: 1 });
  t.is(responder.nodeId, ada.nodeId);
  const text = new TextDecoder().decode(seen[0]!.subarray(0, 27));
  t.is(text, 'trunkline-noise-1/initiator');
  t.is(seen[0]!.length, 27 + 32 + 32);
  t.deepEqual(seen[0]!.subarray(59), suite.keyPair(pattern(32, 101)).publicKey);
  // Reuses the same signature with another handshake, another static key, or the other role.
  const stolen = { publicKey: ada.publicKey, sign: () => ada.sign(seen[0]!) };
  const others = [
    greetBoth(suite, { identity: stolen, seed: 4 }).responder,
    greetBoth(suite, { identity: stolen, staticKey: suite.keyPair(pattern(32, 77)) }).responder,
    greetBoth(suite, {}, { identity: stolen }).initiator,
  ];
  for (const { nodeId, flaw } of others) {
    t.is(nodeId, undefined);
    t.regex(flaw!, /signature is not valid/);
  }
});

test('an identity that cannot sign ends the greeting at its own end', (t) => {
  const broken = {
    publicKey: ada.publicKey,
    sign(): never {
      throw new Error('no token');
    },
  };
  const [step] = feed(
    greeting({ suite, role: 'responder', identity: broken }),
    greeting({ suite, role: 'initiator' }).begin(),
  );
  t.is(step!.failed!.reason, 'bad_certificate');
  t.regex(step!.failed!.text, /the identity of this end could not sign: no token/);
});

// First bytes and lengths.

const strangers: [string, Uint8Array, RegExp][] = [
  ['HTTP', new TextEncoder().encode('GET / HTTP/1.1\r\n'), /HTTP \(a request\)/],
  ['an HTTP answer', new TextEncoder().encode('HTTP/1.1 400'), /HTTP \(a response\)/],
  ['TLS', Uint8Array.of(0x16, 0x03, 0x01, 2, 0, 1), /TLS,/],
  ['a TLS alert', Uint8Array.of(0x15, 0x03, 0x01, 0, 2), /TLS \(an alert/],
  ['SSH', new TextEncoder().encode('SSH-2.0-x'), /SSH/],
  ['anything else', Uint8Array.of(0x54, 0x52, 0x4b, 0x00), /something else \(54 52 4b 00\)/],
];
for (const [what, bytes, said] of strangers) {
  test(`${what} gets no byte in answer, and is named`, (t) => {
    const [step] = feed(greeting({ suite, role: 'responder' }), bytes);
    t.is(step!.send, undefined);
    t.is(step!.failed!.reason, 'wrong_preamble');
    t.regex(step!.failed!.text, said);
    t.false(step!.failed!.cut);
    t.regex(feed(begun(suite), bytes)[0]!.failed!.text, said);
  });
}

test('a responder answers plain Trunkline with its preamble, and both ends name it', (t) => {
  const [step] = feed(
    greeting({ suite, role: 'responder' }),
    ...Array.from(new TextEncoder().encode('TRKL'), (byte) => Uint8Array.of(byte)),
  );
  t.is(toHex(step!.send!), '54524b4e01');
  t.is(step!.failed!.reason, 'wrong_preamble');
  t.regex(step!.failed!.text, /plain Trunkline \(TRKL\), this end speaks noise/);
  const [answer] = feed(begun(suite), new TextEncoder().encode('TRKL'));
  t.is(answer!.send, undefined);
  t.regex(answer!.failed!.text, /plain Trunkline \(TRKL\), this end speaks noise/);
});

test('another version is wrong_version with both versions; a responder sends its own', (t) => {
  const [step] = feed(
    greeting({ suite, role: 'responder' }),
    Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, 9, 0),
  );
  t.is(toHex(step!.send!), '54524b4e01');
  t.is(step!.failed!.reason, 'wrong_version');
  t.regex(step!.failed!.text, /version 9 .* version 1/);
  const [answer] = feed(begun(suite), Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, 9));
  t.is(answer!.failed!.reason, 'wrong_version');
});

test('a handshake message over 1,024 bytes is refused based on its length', (t) => {
  const preamble = Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, 1);
  const [step] = feed(
    greeting({ suite, role: 'responder' }),
    concat(preamble, Uint8Array.of(4, 1)),
  );
  t.is(step!.failed!.reason, 'malformed');
  t.regex(step!.failed!.text, /1025 bytes, above the limit of 1024/);
  t.deepEqual(
    feed(
      greeting({ suite, role: 'responder' }),
      concat(preamble, Uint8Array.of(4, 0), new Uint8Array(1_000)),
    ),
    [],
  );
});

test('a first message that is more than a key is refused', (t) => {
  const preamble = Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, 1);
  for (const [length, said] of [
    [0, /ends after 0 bytes/],
    [31, /ends after 31 bytes/],
    [33, /has 33 bytes instead of 32/],
  ] as const) {
    const [step] = feed(
      greeting({ suite, role: 'responder' }),
      concat(preamble, Uint8Array.of(0, length), pattern(length)),
    );
    t.regex(step!.failed!.text, said);
  }
});

test('a first message is the preamble and a whole message 1', (t) => {
  const whole = greeting({ suite, role: 'initiator' }).begin();
  t.is(screenMessage1(whole), undefined);
  t.is(screenMessage1(concat(whole, Uint8Array.of(1))), undefined);
  for (let length = 0; length < whole.length; length++)
    t.is(screenMessage1(whole.subarray(0, length))?.reason, 'malformed');
  const longer = whole.slice();
  longer[5] = 1;
  t.is(screenMessage1(longer)?.reason, 'malformed');
  t.is(screenMessage1(new TextEncoder().encode('TRKL'))?.reason, 'wrong_preamble');
  t.is(screenMessage1(new TextEncoder().encode('TRKN2'))?.reason, 'wrong_version');
});
