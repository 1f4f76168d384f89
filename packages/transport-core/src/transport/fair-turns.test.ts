// Tests fairness between several costly peers and a cheap peer on one transport: no connection
// waits longer than one turn of every other connection. The test drives streams and turns by hand.

import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import { createManualClock } from '../manual-clock.ts';
import { bytes } from '../protocol/codec.ts';
import { json } from '../protocol/json.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { REFUSAL, TURN } from '../session/session-context.ts';
import { Backlog } from '../stream/connection-input.ts';
import { BURST } from '../stream/connection-output.ts';
import type { StreamConnection, StreamSink } from '../stream/stream-layer.ts';
import { Kind, PREAMBLE } from '../wire/frame.ts';
import { encodeHello } from '../wire/hello.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
import { helloOf } from '../wire/testing/hellos.ts';
import { NetworkTransport } from './create-transport.ts';
import { serve } from './serve.ts';
import { fakeLayer } from './testing/fake-layer.ts';

const protocol = defineProtocol({
  name: 'fair',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    count: { id: 2, request: json(z.array(z.number())), response: bytes },
    long: { id: 3, request: bytes, response: bytes },
    note: { id: 4, request: bytes },
  },
});
const NONE = new Uint8Array(0);
const LONG = 16 * BURST;
const CALL = { kind: Kind.REQUEST, channel: 0x20 };

/** The size of a request of an unknown method, and as many as fit into a chunk of 64 KiB. */
const JUNK_SIZE = junk(1).length;
const JUNK = junk(Math.floor(65_536 / JUNK_SIZE));

function junk(requests: number): Uint8Array {
  return encoded((encoder) => {
    for (let n = 0; n < requests; n++)
      writeMessage(encoder, { ...CALL, id: 2 * n + 65_537, method: 99 });
  });
}

function request(method: number, payload = NONE, id = 1): Uint8Array {
  return encoded((encoder) => writeMessage(encoder, { ...CALL, id, method }, payload));
}

const REQUEST = request(1);

/** A request that its codec refuses, which costs 5 turns. */
const COSTLY = request(2, new TextEncoder().encode('['.repeat(5 * TURN)));

/** A stream whose peer the test plays. */
class Peer implements StreamConnection {
  readonly endpoint = 'test';
  reuses = false;
  paused = 0;
  written = 0;
  writes = 0;
  ended = false;
  #sink: StreamSink | undefined;

  attach(sink: StreamSink): void {
    this.#sink = sink;
  }

  write(chunk: Uint8Array): boolean {
    this.written += chunk.length;
    this.writes++;
    return true;
  }

  pause(): void {
    this.paused++;
  }

  resume(): void {
    this.paused = 0;
  }

  close(): void {
    this.end();
  }

  destroy(): void {
    this.end();
  }

  send(chunk: Uint8Array): void {
    this.#sink?.data(chunk);
  }

  end(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.ended = true;
    sink?.closed();
  }
}

async function scene(t: ExecutionContext, peers = 1, credit = 0, reuses = false) {
  const clock = createManualClock();
  const turns: (() => void)[] = [];
  const { layer, state } = fakeLayer();
  const counted = new Map<string, number>();
  const observer = {
    count: (counter: string, amount: number) =>
      void counted.set(counter, (counted.get(counter) ?? 0) + amount),
  };
  const transport = new NetworkTransport({
    protocol,
    stream: layer,
    clock: { ...clock, turn: (callback) => void turns.push(callback) },
    observer,
  });
  t.teardown(() => transport.close());
  /** The handlers of one-ways that have not ended. */
  const notes: (() => void)[] = [];
  const handlers = {
    echo: (request: Uint8Array) => request,
    count: () => NONE,
    long: () => new Uint8Array(LONG),
    note: () => new Promise<void>((resolve) => void notes.push(resolve)),
  };
  const server = serve(transport, handlers);
  await transport.listen();
  const made: Peer[] = [];
  for (let n = 0; n < peers; n++) {
    const peer = new Peer();
    peer.reuses = reuses;
    state.accept(peer);
    const instance = n.toString(16).padStart(32, '0');
    const limits = { message: Math.max(65_536, credit), packet: 65_536, pipe: credit };
    const hello = encodeHello(helloOf({ instance, network: 'default', limits }));
    peer.send(PREAMBLE.slice());
    peer.send(encoded((encoder) => encoder.signal(Kind.HELLO, 0, hello)));
    await null;
    peer.send(encoded((encoder) => encoder.signal(Kind.READY, 0)));
    await null;
    made.push(peer);
  }
  const settle = () => {
    let ran = 0;
    for (; turns.length > 0; ran++) turns.shift()!();
    return ran;
  };
  settle();
  /** Keeps calls waiting while `run` runs. */
  const unserved = async (run: () => void) => {
    await server.stop();
    run();
    serve(transport, handlers);
  };
  return { clock, peers: made, peer: made[0]!, turns, counted, settle, unserved, notes };
}

test('a peer whose requests are refused is read one turn at a time, and loses nothing', async (t) => {
  const { peer, turns, counted, settle } = await scene(t);
  peer.send(JUNK);
  t.is(turns.length, 1);
  t.true(peer.paused > 0);
  const refused = counted.get('refusedCall')!;
  t.true(refused <= TURN / REFUSAL, `${refused} of one chunk`);
  const written = peer.written;
  t.true(settle() > 3);
  t.is(peer.paused, 0);
  t.true(counted.get('refusedCall')! > 4 * refused);
  t.true(peer.written > 4 * written);
  t.true(counted.get('slowed')! >= 4);
});

test('a chunk that begins with units left may cost a turn, and later turns pay for it', async (t) => {
  const { peer, turns, counted } = await scene(t);
  const chunk = JUNK.subarray(0, Math.floor(((3 / 4) * TURN) / (1 + REFUSAL)) * JUNK_SIZE);
  peer.send(chunk.slice());
  const each = counted.get('refusedCall')!;
  t.is(peer.paused, 0);
  peer.send(chunk.slice());
  t.is(counted.get('refusedCall'), 2 * each, 'it is not cut in the middle');
  t.true(peer.paused > 0);
  turns.shift()!();
  t.is(peer.paused, 0, 'half of the next turn is left');
  peer.send(chunk.slice());
  peer.send(chunk.slice());
  t.is(counted.get('refusedCall'), 3 * each, 'what arrives in spite of the pause waits');
  turns.shift()!();
  t.is(counted.get('refusedCall'), 4 * each);
});

test('bytes that arrive in spite of a pause wait behind earlier ones', async (t) => {
  const { peer, counted, settle } = await scene(t);
  peer.send(JUNK.subarray(0, 40_000));
  t.true(peer.paused > 0);
  for (let at = 40_000; at < JUNK.length; at++) peer.send(JUNK.slice(at, at + 1));
  peer.send(REQUEST);
  settle();
  const whole = counted.get('refusedCall')!;
  const alone = await scene(t);
  alone.peer.send(JUNK);
  alone.settle();
  t.is(alone.counted.get('refusedCall'), whole);
  t.true(peer.written > alone.peer.written, 'the request behind it was answered');
});

test.serial('what waits of a chunk whose memory is reused is copied once', async (t) => {
  const { peer, counted, settle } = await scene(t, 1, 0, true);
  const { add } = Backlog.prototype;
  let copied = 0;
  Backlog.prototype.add = function (chunk, copies) {
    if (copies) copied += chunk.length;
    add.call(this, chunk, copies);
  };
  t.teardown(() => (Backlog.prototype.add = add));
  const chunk = JUNK.slice();
  peer.send(chunk);
  chunk.fill(0);
  const before = counted.get('refusedCall')!;
  t.true(settle() > 3);
  t.true(counted.get('refusedCall')! > 4 * before);
  t.true(copied > 0 && copied < JUNK.length, `${copied} bytes`);
});

test('among many expensive peers, a cheap one is answered at once', async (t) => {
  const { peers, turns, settle } = await scene(t, 9);
  const honest = peers.pop()!;
  for (let turn = 0; turn < 5; turn++) {
    for (const peer of peers) if (peer.paused === 0) peer.send(JUNK);
    const { written } = honest;
    honest.send(REQUEST);
    t.true(honest.written > written, `answered in turn ${turn}`);
    t.is(honest.paused, 0);
    turns.shift()!();
  }
  settle();
});

test('expensive peers share the turns: none is more than one turn behind another', async (t) => {
  const { peers, turns, counted } = await scene(t, 4);
  for (const peer of peers) peer.send(JUNK);
  const before = peers.map(({ written }) => written);
  for (let turn = 0; turn < 4; turn++) turns.shift()!();
  const gains = peers.map(({ written }, n) => written - before[n]!);
  t.true(Math.min(...gains) > 0, `${gains}`);
  t.true(Math.max(...gains) < 2 * Math.min(...gains), `${gains}`);
  t.true(counted.get('slowed')! >= 4);
});

test('a peer that cost many turns at once waits for as many', async (t) => {
  const { peer, turns, counted } = await scene(t);
  peer.send(COSTLY);
  peer.send(REQUEST);
  const { written } = peer;
  let waited = 0;
  for (; peer.written === written && turns.length > 0; waited++) turns.shift()!();
  t.is(waited, 5);
  t.is(peer.paused, 0);
  t.is(counted.get('slowed'), 1);
});

test('a call that waits for a reader costs as much as one that is handed over at once', async (t) => {
  const { peer, turns, counted, settle, unserved } = await scene(t);
  await unserved(() => {
    peer.send(COSTLY);
    settle();
  });
  t.is(counted.get('slowed'), undefined);
  peer.send(REQUEST);
  const { written } = peer;
  peer.send(REQUEST);
  let waited = 0;
  for (; peer.written === written && turns.length > 0; waited++) turns.shift()!();
  t.is(waited, 5);
});

test('one-ways whose handlers end within 100 ms give their credit back in one write', async (t) => {
  const { peer, clock, notes } = await scene(t);
  const oneway = { kind: Kind.ONEWAY, id: 0, channel: 0x20, method: 4 };
  const oneWays = encoded((encoder) => {
    for (let n = 0; n < 100; n++) writeMessage(encoder, oneway);
  });
  peer.send(oneWays);
  t.is(notes.length, 100);
  const { writes, written } = peer;
  for (const end of notes) {
    end();
    for (let n = 0; n < 10; n++) await null;
  }
  t.is(peer.writes, writes, 'nothing is written before 100 ms are over');
  clock.advance(100);
  t.is(peer.writes, writes + 1);
  t.true(peer.written < written + 20, `${peer.written - written} bytes`);
});

test('bytes before the end of a stream are read even if they had to wait', async (t) => {
  const { peer, counted } = await scene(t);
  peer.send(JUNK);
  const before = counted.get('refusedCall')!;
  peer.end();
  t.true(counted.get('refusedCall')! > 4 * before);
});

test('more than 1,000 empty messages of the carrier in a second are a flood, and fewer are not', async (t) => {
  const { peer, clock } = await scene(t);
  for (let second = 0; second < 3; second++) {
    for (let n = 0; n < 1_000; n++) peer.send(NONE);
    t.false(peer.ended);
    clock.advance(1_000);
  }
  for (let n = 0; n < 1_001; n++) peer.send(NONE);
  t.true(peer.ended);
});

test('a peer that sends single bytes is read in turns of a few hundred', async (t) => {
  const { peer, settle } = await scene(t);
  let read = 0;
  for (; peer.paused === 0; read++) peer.send(REQUEST.slice(read % REQUEST.length).subarray(0, 1));
  t.true(read > 200 && read < 300, `${read} chunks`);
  settle();
  t.is(peer.paused, 0);
});

test('requests that their codec refuses cost by size: a few large ones are a flood like many small ones', async (t) => {
  for (const text of ['{', JSON.stringify(Array.from({ length: 500 }, () => 'not a number'))]) {
    const { peer, settle } = await scene(t);
    const payload = new TextEncoder().encode(text);
    const enough = 10_000 / (1 + (payload.length >> 6));
    let made = 0;
    for (; !peer.ended && made < 2 * enough; made++) {
      peer.send(request(2, payload));
      settle();
    }
    t.true(
      peer.ended && made > enough / 2 && made <= enough + 1,
      `${made} of ${payload.length} bytes`,
    );
  }
});

test('a stream that takes everything at once is given a limited amount in a turn', async (t) => {
  const { peer, turns, settle } = await scene(t, 1, 2 * LONG);
  const before = peer.written;
  peer.send(request(3));
  for (let turn = 1; turn < 8; turn++) {
    await null;
    t.true(
      peer.written - before <= turn * (BURST + 131_072),
      `${peer.written} bytes in turn ${turn}`,
    );
    t.is(turns.length, 1);
    turns.shift()!();
  }
  settle();
  t.true(peer.written - before > LONG);
});

test('a stream that takes a limited amount in each turn is never held back', async (t) => {
  const { peer, settle } = await scene(t, 1, 2 * LONG);
  const payload = new Uint8Array(60_000);
  let id = 1;
  for (let turn = 0; turn < 16; turn++) {
    const before = peer.written;
    for (let n = 0; n < 4; n++, id += 2) {
      peer.send(request(1, payload, id));
      await null;
    }
    t.true(peer.written - before > 4 * payload.length, `all is answered in turn ${turn}`);
    settle();
  }
});
