// Compares docs/wire-vectors.json with the code: each conversation must be what two transports (or
// a raw peer and one transport) really send. `WRITE_WIRE_VECTORS=1 npx ava
// dist/wire-vectors.test.js && npx biome format --write docs/wire-vectors.json` rewrites the file.

import { readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { bytes, defineProtocol, json, TransportError } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import test from 'ava';
import protobufjs from 'protobufjs';
import { sideProtocol, suiteProtocol } from './raw/protocols.ts';
import type { RawPeer } from './raw/raw-peer.ts';
import { readBlock, spell, Transcript, type TranscriptLine } from './testing/transcript.ts';
import {
  answered,
  closed,
  crossed,
  type Ends,
  ends,
  fixed,
  rawEnds,
  seen,
  turn,
} from './testing/vector-ends.ts';
import { conversationOf, framesOf, put, sidesOf, type Vectors } from './testing/vectors.ts';

const FILE = new URL('../../../docs/wire-vectors.json', import.meta.url);
const DOCUMENT = new URL('../../../docs/wire-protocol.md', import.meta.url);
const WRITES = env['WRITE_WIRE_VECTORS'] !== undefined;

/** One example: a description, and the actions that produce it. */
interface Example {
  about: string;
  /** True if the example begins with the dial. Default: the connection is up before it begins. */
  showsHello?: boolean;
  /** Resolves when everything that the example shows has been sent. */
  run(ends: Ends): Promise<void>;
}

/** The actions of each example. */
const EXAMPLES: Record<string, Example> = {
  'hello-accepted': {
    about: 'The three steps of the hello.',
    showsHello: true,
    async run({ dialer, to }) {
      await dialer.dial(to);
    },
  },
  unary: {
    about:
      "'echo' of 01 02 03 with 10 s to go, answered by 04 05. The id is odd: the dialer calls.",
    async run({ dialer, acceptor, to }) {
      await answered(
        acceptor,
        dialer.send(to, 'echo', Uint8Array.of(1, 2, 3)),
        Uint8Array.of(4, 5),
      );
    },
  },
  'empty-reply': {
    about: 'A call without a deadline, answered by nothing.',
    async run({ dialer, acceptor, to }) {
      await answered(
        acceptor,
        dialer.send(to, 'echo', Uint8Array.of(9), { timeout: Number.POSITIVE_INFINITY }),
        new Uint8Array(0),
      );
    },
  },
  oneway: {
    about:
      'A one-way. When the application is done with it, CREDIT returns its cost and counts it (size).',
    async run({ dialer, acceptor, to, clock }) {
      await dialer.send(to, 'hint', Uint8Array.of(7));
      const consumer = acceptor.consumer();
      await consumer.next();
      await consumer.return?.(); // Finishes the reading, so that credit is returned.
      clock.advance(100);
    },
  },
  error: {
    about:
      "A call with the metadata trace=00-1. The callee fails with not_found, 'no such key', and the metadata leader=n2.",
    async run({ dialer, acceptor, to }) {
      const sent = dialer
        .send(to, 'echo', Uint8Array.of(1), { metadata: { trace: '00-1' } })
        .catch(() => {});
      const { value: rpc } = await acceptor.consumer().next();
      rpc.fail(new TransportError('not_found', 'no such key', { metadata: { leader: 'n2' } }));
      await sent;
    },
  },
  credit: {
    about:
      'A request of 204,800 times 2a, in four packets. The pipe (account 1) gives back each packet as it is read, but holds back up to a quarter of the account (64 KiB). Account 2 comes back, 204,864 in all, when the application takes the request.',
    async run({ dialer, acceptor, to, transcript }) {
      const sent = dialer.send(to, 'echo', new Uint8Array(200 * 1024).fill(0x2a));
      await answered(acceptor, sent, Uint8Array.of(1));
      await crossed(transcript, ({ frame }) => frame?.kind === 'CREDIT' && frame.account === 2);
    },
  },
  download: {
    about:
      'Two items. The credit that each costs, 66 on accounts 1 and 3, is held back: it is below a quarter of either account, and after END nothing is given back on account 3.',
    async run({ dialer, acceptor, to }) {
      const items = await dialer.send(to, 'feed', Uint8Array.of(1));
      const { value: rpc } = await acceptor.consumer('feed').next();
      await rpc.write(Uint8Array.of(0x0a, 0x0b));
      await rpc.write(Uint8Array.of(0x0c, 0x0d));
      rpc.end();
      for await (const item of items) if (item.length !== 2) throw new Error('an item is broken');
    },
  },
  cancel: {
    about: 'A caller that gives up in time: the callee answers CANCEL with ERROR 1.',
    async run({ dialer, acceptor, to, transcript }) {
      const control = new AbortController();
      const sent = dialer
        .send(to, 'echo', Uint8Array.of(1), { signal: control.signal })
        .catch(() => {});
      await acceptor.consumer().next();
      control.abort();
      await sent;
      await crossed(transcript, ({ frame }) => frame?.kind === 'ERROR');
    },
  },
  'cancel-crossing': {
    about:
      'The callee had answered before it read CANCEL, which it drops. The id is free, because the terminal was read.',
    async run({ dialer, acceptor, to, transcript }) {
      const control = new AbortController();
      const sent = dialer
        .send(to, 'echo', Uint8Array.of(1), { signal: control.signal })
        .catch(() => {});
      const { value: rpc } = await acceptor.consumer('echo').next();
      rpc.respond(Uint8Array.of(2));
      control.abort();
      await sent;
      await crossed(transcript, ({ frame }) => frame?.kind === 'CANCEL');
      await crossed(transcript, ({ frame }) => frame?.kind === 'RESPONSE');
    },
  },
  'go-away-graceful': {
    about: "The dialer disconnects ('maintenance'), and the acceptor answers with its own GO_AWAY.",
    async run({ dialer, to }) {
      await dialer.disconnect(to, 'maintenance');
    },
  },
  'long-response': {
    about:
      'An answer of 204,800 times 2a, in four packets. It costs only credit of account 1, which comes back as the packets are read.',
    async run({ dialer, acceptor, to }) {
      await answered(
        acceptor,
        dialer.send(to, 'echo', Uint8Array.of(1)),
        new Uint8Array(200 * 1024).fill(0x2a),
      );
    },
  },
  'long-item': {
    about:
      'A download of one item of 204,800 times 2a, in four packets. Its whole size is charged to account 3 at the first packet; the packets are charged to account 1.',
    async run({ dialer, acceptor, to, transcript }) {
      const items = await dialer.send(to, 'feed', Uint8Array.of(1));
      const reader = items[Symbol.asyncIterator]();
      const first = reader.next();
      const { value: rpc } = await acceptor.consumer('feed').next();
      await rpc.write(new Uint8Array(200 * 1024).fill(0x2a));
      await first;
      const second = reader.next();
      await crossed(transcript, ({ frame }) => frame?.kind === 'CREDIT' && frame.account === 3);
      rpc.end();
      await second;
    },
  },
  duplex: {
    about:
      'Items both ways under one id. Each direction has its own END; that of the callee ends the call.',
    async run({ dialer, acceptor, to, transcript }) {
      async function* upload() {
        yield Uint8Array.of(0x0a);
        yield Uint8Array.of(0x0b);
      }
      const items = await dialer.send(to, 'duplex', Uint8Array.of(1), { upload: upload() });
      const { value: rpc } = await acceptor.consumer('duplex').next();
      await crossed(transcript, ({ side, frame }) => side === 'dialer' && frame?.kind === 'END');
      for await (const item of rpc.upload) await rpc.write(Uint8Array.from([...item, 0xff]));
      rpc.end();
      for await (const item of items) if (item.length !== 2) throw new Error('an item is broken');
    },
  },
  'call-from-acceptor': {
    about:
      'The acceptor calls the dialer over the connection that it accepted. Its ids are even; the first that Trunkline takes is 131,072.',
    async run({ dialer, acceptor }) {
      await answered(
        dialer,
        acceptor.send(acceptor.remotes()[0]!, 'echo', Uint8Array.of(1, 2, 3)),
        Uint8Array.of(4, 5),
      );
    },
  },
  protocols: {
    about:
      "The dialer mounts a second protocol, 'side' on channel 33, and tells its whole list anew.",
    async run({ dialer, transcript }) {
      dialer.mount(sideProtocol);
      await crossed(transcript, ({ frame }) => frame?.kind === 'PROTOCOLS');
    },
  },
};

for (const [name, { about, showsHello = false, run }] of Object.entries(EXAMPLES)) {
  test(`${name}: the code sends these bytes`, async (t) => {
    const { transcript, dialer, acceptor, to, clock } = await ends();
    if (!showsHello) {
      await dialer.dial(to);
      await seen(acceptor);
    }
    const from = transcript.lines.length;
    await run({ transcript, dialer, acceptor, to, clock });
    for (let turns = 0; turns < 3; turns++) await turn();
    const lines = transcript.lines.slice(from);
    await closed(clock, dialer, acceptor);
    judge(t, name, about, lines);
  });
}

test('hello-refused: the code sends these bytes', async (t) => {
  const { transcript, dialer, acceptor, to, clock } = await ends({ acceptor: { network: 'prod' } });
  await t.throwsAsync(dialer.dial(to), { message: /network/ });
  const lines = [...transcript.lines];
  await closed(clock, dialer, acceptor);
  judge(
    t,
    'hello-refused',
    "The acceptor is of the network 'prod' and refuses the dialer in place of its HELLO.",
    lines,
  );
});

test('version-choice: the code sends these bytes', async (t) => {
  const transcript = new Transcript();
  const { acceptor, clock, dial } = await rawEnds(transcript, {
    ...suiteProtocol,
    version: 2,
    accepts: [1],
  } as unknown as typeof suiteProtocol);
  const peer = await dial();
  await peer.handshake({
    ...fixed(),
    wireMin: 1,
    wireMax: 4,
    protocols: [{ name: 'lab', version: 3, accepts: [2, 1], channel: 0x20 }],
  });
  peer.send({ kind: 'REQUEST', id: 1, channel: 0x20, method: 1, payload: Uint8Array.of(1) });
  const { value: rpc } = await acceptor.consumer('echo').next();
  t.is(rpc.version, 2);
  rpc.respond(Uint8Array.of(2));
  await peer.next('RESPONSE');
  const lines = [...transcript.lines];
  await closed(clock, acceptor);
  judge(
    t,
    'version-choice',
    "Versions are agreed on. Of the wire: a dialer that offers 1 to 4 is answered with 1. Of a protocol: the dialer's 'lab' is version 3 and accepts 2 and 1, the acceptor's is version 2 and accepts 1; both find 2, and the call says nothing about it.",
    lines,
  );
});

/** Examples in which a raw peer dials: its hello, and its actions once the connection is up. */
const RAW_EXAMPLES = {
  'version-none': {
    about: 'A protocol of which the ends share no version: the callee refuses the call.',
    hello: { protocols: [{ name: 'lab', version: 5, accepts: [], channel: 0x20 }] },
    async run(peer: RawPeer) {
      peer.send({ kind: 'REQUEST', id: 1, channel: 0x20, method: 1, payload: Uint8Array.of(1) });
      await peer.next('ERROR');
    },
  },
  'oneway-unmounted': {
    about:
      'A one-way to channel 64, on which the acceptor has no protocol. It is dropped, but CREDIT returns its cost and counts it.',
    hello: {},
    async run(peer: RawPeer) {
      peer.send({ kind: 'ONEWAY', channel: 0x40, method: 1, payload: Uint8Array.of(7) });
      await peer.next('CREDIT');
    },
  },
  'long-oneway-refused': {
    about:
      'A long one-way of 65,537 bytes to a method that the acceptor does not have. The acceptor drops it, and reports it as done before its last PART comes.',
    hello: {},
    async run(peer: RawPeer) {
      const [id, payload] = [1, new Uint8Array(65_536).fill(0x2a)];
      peer.send({ kind: 'ONEWAY', id, channel: 0x20, method: 9, size: 65_537, payload });
      await peer.next('CREDIT', ({ account }) => account === 2);
      peer.send({ kind: 'PART', id, payload: Uint8Array.of(0x2a) });
    },
  },
  'go-away-final': {
    about: 'The dialer breaks the protocol with a length of 0.',
    hello: {},
    async run(peer: RawPeer) {
      peer.bytes([0]);
      await peer.expectClosed();
    },
  },
};

for (const [name, { about, hello, run }] of Object.entries(RAW_EXAMPLES)) {
  test(`${name}: the code sends these bytes`, async (t) => {
    const transcript = new Transcript();
    const { acceptor, clock, dial } = await rawEnds(transcript, suiteProtocol);
    const peer = await dial();
    await peer.handshake({ ...fixed(), ...hello });
    await peer.barrier();
    const from = transcript.lines.length;
    await run(peer);
    const lines = transcript.lines.slice(from);
    await closed(clock, acceptor);
    judge(t, name, about, lines);
  });
}

const vote = { term: 7, granted: true, note: undefined, path: 'a/ü' };
const Vote = protobufjs
  .parse('syntax = "proto3"; message Vote { uint32 term = 1; bool granted = 2; string path = 3; }')
  .root.lookupType('Vote');
const anything = {
  '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) },
};
const CODECS: Record<string, { about: string; encoded: Uint8Array }> = {
  bytes: { about: 'The bytes 0, 1 and 255.', encoded: bytes.encode(Uint8Array.of(0, 1, 255)) },
  json: {
    about: '{ term: 7, granted: true, note: undefined, path: "a/ü" }',
    encoded: json(anything).encode(vote),
  },
  protobuf: {
    about:
      'message Vote { uint32 term = 1; bool granted = 2; string path = 3; } with term 7, granted true, path "a/ü"',
    encoded: protobuf<object>(Vote).encode({ term: 7, granted: true, path: 'a/ü' }),
  },
};
for (const [codec, { about, encoded }] of Object.entries(CODECS)) {
  test(`${codec}: the codec makes these bytes`, (t) => {
    const made = { codec, about, bytes: spell(encoded).join(' ') };
    if (WRITES) write((vectors) => put(vectors.codecs, made, (each) => each.codec === codec));
    t.deepEqual(
      vectorsOf().codecs.find((each) => each.codec === codec),
      made,
    );
  });
}

test('protocols without a channel have these channels', (t) => {
  const made = ['lab', 'raft', 'greeter', 'orders', 'ledger', 'größe', '🦊'].map((protocol) => ({
    protocol,
    channel: defineProtocol({ name: protocol, methods: {} }).channel,
  }));
  if (WRITES) write((vectors) => Object.assign(vectors, { channels: made }));
  t.deepEqual(vectorsOf().channels, made);
});

test('methods without an id have these ids, which wire-protocol.md lists', (t) => {
  const made = ['add', 'count', 'requestVote', 'größe', '🦊'].map((method) => ({
    method,
    id: defineProtocol({ name: 'lab', methods: { [method]: { request: bytes } } }).methods[method]!
      .id,
  }));
  if (WRITES) write((vectors) => Object.assign(vectors, { methods: made }));
  t.deepEqual(vectorsOf().methods, made);
  const document = readFileSync(DOCUMENT, 'utf8');
  for (const { method, id } of made) t.regex(document, new RegExp(`\`${method}\`\\s${id}`));
});

test('every vector is tested', (t) => {
  const tried = [
    ...Object.keys(EXAMPLES),
    ...Object.keys(RAW_EXAMPLES),
    'hello-refused',
    'version-choice',
  ];
  const { conversations, codecs } = vectorsOf();
  t.deepEqual(conversations.map(({ name }) => name).sort(), tried.sort());
  t.deepEqual(codecs.map(({ codec }) => codec).sort(), Object.keys(CODECS).sort());
});

test('the blocks of hex in wire-protocol.md are vectors', (t) => {
  const { conversations } = vectorsOf();
  const blocks = [...readFileSync(DOCUMENT, 'utf8').matchAll(/```hex (\S+)\n([\s\S]*?)```/g)];
  t.true(blocks.length > 0);
  for (const [, name, text = ''] of blocks) {
    const vector = conversations.find((each) => each.name === name);
    t.deepEqual(readBlock(text), vector === undefined ? undefined : sidesOf(vector), name);
  }
});

/**
 * Compares a conversation in the file with the bytes that were sent, one side after the other;
 * writes it to the file first if that was requested.
 */
function judge(
  t: {
    is(a: string, b: string, message?: string): unknown;
    deepEqual(a: unknown, b: unknown): unknown;
    fail(message: string): unknown;
  },
  name: string,
  about: string,
  lines: readonly TranscriptLine[],
): void {
  const sent = conversationOf(name, about, lines);
  if (WRITES) write((vectors) => put(vectors.conversations, sent, (each) => each.name === name));
  const told = vectorsOf().conversations.find((each) => each.name === name);
  if (told === undefined)
    return void t.fail(`docs/wire-vectors.json has no conversation '${name}'`);
  t.is(told.about, about);
  const [document, code] = [sidesOf(told), sidesOf(sent)];
  for (const side of ['dialer', 'acceptor'] as const) {
    t.is(document[side], code[side], `${side} of ${name}`);
    // The frames of one side have a fixed order, but the two sides may interleave differently.
    t.deepEqual(framesOf(told, side), framesOf(sent, side));
  }
}

function vectorsOf(): Vectors {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;
}

function write(change: (vectors: Vectors) => void): void {
  const vectors = vectorsOf();
  change(vectors);
  writeFileSync(FILE, `${JSON.stringify(vectors, null, 2)}\n`);
}
