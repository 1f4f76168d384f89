// Holds docs/wire-protocol.md to the code: each block of hex is what two transports (or a raw peer and one) really send.
// `WRITE_WIRE_EXAMPLES=1 npx ava dist/wire-examples.test.js` writes the blocks anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import {
  bytes,
  createManualClock,
  defineProtocol,
  json,
  type ManualClock,
  NetworkTransport,
  protobuf,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import test from 'ava';
import protobufjs from 'protobufjs';
import { rawHello } from './raw/raw-hello.ts';
import { RawPeer } from './raw/raw-peer.ts';
import { labProtocol } from './session/lab-protocols.ts';
import { createPipes } from './testing/pipes.ts';
import { readBlock, readHex, spell, Transcript, writeLines } from './testing/transcript.ts';

const DOCUMENT = new URL('../../../docs/wire-protocol.md', import.meta.url);
const BLOCK = /```hex (\S+)\n([\s\S]*?)```/g;

type LabTransport = Transport<typeof labProtocol>;
interface Ends {
  dialler: LabTransport;
  acceptor: LabTransport;
  /** The dialler's target. */
  to: string;
  clock: ManualClock;
  transcript: Transcript;
}

/** What happens in each example. It ends when all that the example shows has crossed; what `mark` returned is where it begins. */
const EXAMPLES: Record<string, (ends: Ends, shown: () => void) => Promise<void>> = {
  'hello-accepted': async ({ dialler, to }, shown) => {
    shown();
    await dialler.dial(to);
  },
  unary: async ({ dialler, acceptor, to }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    await answered(acceptor, dialler.send(to, 'echo', Uint8Array.of(1, 2, 3)), Uint8Array.of(4, 5));
  },
  'empty-reply': async ({ dialler, acceptor, to }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    await answered(acceptor, dialler.send(to, 'echo', Uint8Array.of(9), { timeout: Number.POSITIVE_INFINITY }), new Uint8Array(0));
  },
  oneway: async ({ dialler, acceptor, to }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    await dialler.send(to, 'hint', Uint8Array.of(7));
    await acceptor.consumer().next();
  },
  error: async ({ dialler, acceptor, to }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    const sent = dialler.send(to, 'echo', Uint8Array.of(1), { metadata: { trace: '00-1' } }).catch(() => {});
    const { value: rpc } = await acceptor.consumer().next();
    rpc.fail(new TransportError('not_found', 'no such key', { metadata: { leader: 'n2' } }));
    await sent;
  },
  credit: async ({ dialler, acceptor, to, transcript }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    const sent = dialler.send(to, 'echo', new Uint8Array(200 * 1024).fill(0x2a));
    await answered(acceptor, sent, Uint8Array.of(1));
    await crossed(transcript, ({ frame }) => frame?.kind === 'CREDIT' && frame.account === 3);
  },
  download: async ({ dialler, acceptor, to }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    const items = await dialler.send(to, 'feed', Uint8Array.of(1));
    const { value: rpc } = await acceptor.consumer('feed').next();
    await rpc.write(Uint8Array.of(0x0a, 0x0b));
    await rpc.write(Uint8Array.of(0x0c, 0x0d));
    rpc.end();
    for await (const item of items) if (item.length !== 2) throw new Error('an item is broken');
  },
  cancel: async ({ dialler, acceptor, to, transcript }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    const control = new AbortController();
    const sent = dialler.send(to, 'echo', Uint8Array.of(1), { signal: control.signal }).catch(() => {});
    await acceptor.consumer().next();
    control.abort();
    await sent;
    await crossed(transcript, ({ frame }) => frame?.kind === 'ERROR');
  },
  'cancel-crossing': async ({ dialler, acceptor, to, transcript }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    const control = new AbortController();
    const sent = dialler.send(to, 'echo', Uint8Array.of(1), { signal: control.signal }).catch(() => {});
    const { value: rpc } = await acceptor.consumer('echo').next();
    rpc.respond(Uint8Array.of(2));
    control.abort();
    await sent;
    await crossed(transcript, ({ frame }) => frame?.kind === 'CANCEL');
    await crossed(transcript, ({ frame }) => frame?.kind === 'RESPONSE');
  },
  'go-away-graceful': async ({ dialler, acceptor, to }, shown) => {
    await dialler.dial(to);
    await seen(acceptor);
    shown();
    await dialler.disconnect(to, 'maintenance');
  },
};

for (const [name, run] of Object.entries(EXAMPLES)) {
  test(`wire-protocol.md, ${name}: the code sends these bytes`, async (t) => {
    const { transcript, dialler, acceptor, to, clock } = await ends();
    let from = 0;
    await run({ transcript, dialler, acceptor, to, clock }, () => {
      from = transcript.lines.length;
    });
    for (let turns = 0; turns < 3; turns++) await turn();
    const lines = transcript.lines.slice(from);
    await closed(clock, dialler, acceptor);
    judge(t, name, writeLines(lines));
  });
}

test('wire-protocol.md, hello-refused: the code sends these bytes', async (t) => {
  const { transcript, dialler, acceptor, to, clock } = await ends({ acceptor: { network: 'prod' } });
  await t.throwsAsync(dialler.dial(to), { message: /network/ });
  const lines = [...transcript.lines];
  await closed(clock, dialler, acceptor);
  judge(t, 'hello-refused', writeLines(lines));
});

test('wire-protocol.md, version-choice: the code sends these bytes', async (t) => {
  const transcript = new Transcript();
  const { acceptor, clock, dial } = await rawEnds(transcript, { ...labProtocol, version: 2, accepts: [1] } as unknown as typeof labProtocol);
  const peer = await dial();
  await peer.handshake({ ...fixed(), wireMin: 1, wireMax: 4, protocols: [{ name: 'lab', version: 3, accepts: [2, 1], channel: 0x20 }] });
  peer.send({ kind: 'REQUEST', id: 1, channel: 0x20, method: 1, payload: Uint8Array.of(1) });
  const { value: rpc } = await acceptor.consumer('echo').next();
  t.is(rpc.version, 2);
  rpc.respond(Uint8Array.of(2));
  await peer.next('RESPONSE');
  const lines = [...transcript.lines];
  await closed(clock, acceptor);
  judge(t, 'version-choice', writeLines(lines));
});

test('wire-protocol.md, version-none: the code sends these bytes', async (t) => {
  const transcript = new Transcript();
  const { acceptor, clock, dial } = await rawEnds(transcript, labProtocol);
  const peer = await dial();
  await peer.handshake({ ...fixed(), protocols: [{ name: 'lab', version: 5, accepts: [], channel: 0x20 }] });
  await peer.barrier();
  const from = transcript.lines.length;
  peer.send({ kind: 'REQUEST', id: 1, channel: 0x20, method: 1, payload: Uint8Array.of(1) });
  await peer.next('ERROR');
  const lines = transcript.lines.slice(from);
  await closed(clock, acceptor);
  judge(t, 'version-none', writeLines(lines));
});

test('wire-protocol.md, go-away-final: the code sends these bytes', async (t) => {
  const transcript = new Transcript();
  const { acceptor, clock, dial } = await rawEnds(transcript, labProtocol);
  const peer = await dial();
  await peer.handshake(fixed());
  await peer.barrier();
  const from = transcript.lines.length;
  peer.bytes([0]);
  await peer.expectClosed();
  const lines = transcript.lines.slice(from);
  await closed(clock, acceptor);
  judge(t, 'go-away-final', writeLines(lines));
});

const vote = { term: 7, granted: true, note: undefined, path: 'a/ü' };
const Vote = protobufjs.parse('syntax = "proto3"; message Vote { uint32 term = 1; bool granted = 2; string path = 3; }').root.lookupType('Vote');
const anything = { '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) } };
const codecs: Record<string, Uint8Array> = {
  'codec-bytes': bytes.encode(Uint8Array.of(0, 1, 255)),
  'codec-json': json(anything).encode(vote),
  'codec-protobuf': protobuf<object>(Vote).encode({ term: 7, granted: true, path: 'a/ü' }),
};
for (const [name, encoded] of Object.entries(codecs)) {
  test(`wire-protocol.md, ${name}: the codec makes these bytes`, (t) => judge(t, name, spell(encoded).join(' ')));
}

test('wire-protocol.md has no block of hex that is not tried', (t) => {
  const tried = new Set([...Object.keys(EXAMPLES), ...Object.keys(codecs), 'hello-refused', 'version-choice', 'version-none', 'go-away-final']);
  const blocks = [...readFileSync(DOCUMENT, 'utf8').matchAll(BLOCK)].map(([, name]) => name);
  t.deepEqual(
    blocks.filter((name) => !tried.has(name as string)),
    [],
  );
  t.is(blocks.length, tried.size);
});

/** Compares a block of the document with what was sent, side by side; or writes it, where that was asked for. */
function judge(t: { is(a: string, b: string, message?: string): unknown; fail(message: string): unknown }, name: string, sent: string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const block = [...text.matchAll(BLOCK)].find(([, found]) => found === name)?.[2];
  if (block === undefined) return void t.fail(`docs/wire-protocol.md has no block '${name}'`);
  if (env['WRITE_WIRE_EXAMPLES'] !== undefined)
    writeFileSync(
      DOCUMENT,
      text.replace(`\`\`\`hex ${name}\n${block}\`\`\``, () => `\`\`\`hex ${name}\n${sent}\n\`\`\``),
    );
  const written = env['WRITE_WIRE_EXAMPLES'] === undefined ? block : sent;
  const [document, code] = name.startsWith('codec') ? [{ all: readHex(written) }, { all: readHex(sent) }] : [readBlock(written), readBlock(sent)];
  for (const side of Object.keys(document)) {
    t.is((document as Record<string, string>)[side] ?? '', (code as Record<string, string>)[side] ?? '', `${side} of ${name}; the code sends\n${sent}`);
  }
}

async function ends(options: { acceptor?: { network?: string } } = {}): Promise<Ends> {
  const transcript = new Transcript();
  const pipes = createPipes((side, chunk) => transcript.push(side, chunk));
  const clock = createManualClock();
  const dialler = new NetworkTransport({ protocol: labProtocol, stream: pipes.layer(), clock, random: () => 0xaa / 256 });
  const acceptor = new NetworkTransport({ protocol: labProtocol, stream: pipes.layer(), clock, random: () => 0xbb / 256, ...options.acceptor });
  await dialler.listen();
  await acceptor.listen();
  return { dialler, acceptor, to: acceptor.localAddr(), clock, transcript };
}

async function rawEnds(transcript: Transcript, protocol: typeof labProtocol) {
  const pipes = createPipes((side, chunk) => transcript.push(side, chunk));
  const clock = createManualClock();
  const layer = pipes.layer();
  const mounted = defineProtocol({ ...protocol });
  const acceptor = new NetworkTransport({ protocol: mounted as typeof labProtocol, stream: pipes.layer(), clock, random: () => 0xbb / 256 });
  await acceptor.listen();
  return { acceptor, clock, dial: () => RawPeer.dial(layer, acceptor.localAddr()) };
}

/** A hello that is the same at each run. */
function fixed() {
  return { ...rawHello(), instance: new Uint8Array(16).fill(0xaa), addr: 'pipe-1', observed: 'pipe-2' };
}

/** Resolves when the acceptor has a connection that is up, and the first PING has been answered. */
async function seen(acceptor: LabTransport): Promise<void> {
  while (acceptor.remotes()[0]?.rtt === undefined) await turn();
}

async function answered(acceptor: LabTransport, sent: Promise<unknown>, answer: Uint8Array): Promise<void> {
  const { value: rpc } = await acceptor.consumer('echo').next();
  rpc.respond(answer);
  await sent;
}

async function crossed(transcript: Transcript, wanted: (line: Transcript['lines'][number]) => boolean): Promise<void> {
  while (!transcript.lines.some(wanted)) await turn();
}

async function closed(clock: ManualClock, ...transports: { close(): Promise<void> }[]): Promise<void> {
  let done = false;
  const all = Promise.all(transports.map((transport) => transport.close())).then(() => {
    done = true;
  });
  while (!done) {
    await turn();
    clock.advance(500);
  }
  await all;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
