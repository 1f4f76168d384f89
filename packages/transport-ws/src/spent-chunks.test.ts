// Tests which chunks are freed, with the receiver of `ws` and frames cut into chunks at random.

import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import * as ws from 'ws';
import { SpentChunks } from './spent-chunks.ts';
import { spreadOverTurns } from './spread-over-turns.ts';
import { BINARY, CONTINUATION, frame, NOT_LAST, PING } from './testing/frames.ts';

/** The types of `ws` leave it out. */
const { Receiver } = ws as unknown as {
  readonly Receiver: new (options: { allowSynchronousEvents: boolean }) => Writable;
};

const KIB = 1024;

test('the chunks of a long message are freed but for the last one', async (t) => {
  const line = new Line();
  const payload = randomBytes(200 * KIB);
  const chunks = await line.send(cut(frame(BINARY, payload), 64 * KIB));
  t.deepEqual(lengths(chunks), [0, 0, 0, 8 * KIB + 10]);
  t.true(areEqual(line.messages, [payload]));
});

test('a chunk in which one copied message ends and another begins is freed with the second', async (t) => {
  const line = new Line();
  const payloads = [randomBytes(100 * KIB), randomBytes(100 * KIB)];
  const sent = Buffer.concat(payloads.map((payload) => frame(BINARY, payload)));
  const chunks = await line.send(cut(sent, 70 * KIB));
  t.deepEqual(lengths(chunks), [0, 0, 60 * KIB + 20]);
  t.true(areEqual(line.messages, payloads));
});

test('a chunk is not freed if a message, a ping or a fragment in it was not copied', async (t) => {
  for (const [what, first] of [
    ['message', frame(BINARY, randomBytes(30 * KIB))],
    [
      'ping',
      Buffer.concat([
        frame(BINARY | NOT_LAST, Buffer.alloc(30 * KIB)),
        frame(PING, Buffer.alloc(9)),
      ]),
    ],
  ] as const) {
    const line = new Line();
    const rest = frame(what === 'ping' ? CONTINUATION : BINARY, randomBytes(100 * KIB));
    const chunks = await line.send(cut(Buffer.concat([first, rest]), 64 * KIB));
    t.deepEqual(lengths(chunks).slice(0, 1), [64 * KIB], what);
  }
  const line = new Line();
  const payload = randomBytes(64 * KIB);
  const sent = frame(BINARY | NOT_LAST, payload);
  const header = sent.length - payload.length;
  const chunks = await line.send([
    sent.subarray(0, header),
    sent.subarray(header),
    frame(CONTINUATION, Buffer.alloc(0)),
  ]);
  t.deepEqual(lengths(chunks).slice(1, 2), [64 * KIB], 'fragment');
  t.true(areEqual(line.messages, [payload]));
});

test('nothing is freed if a message is handed out in a later turn', async (t) => {
  const line = new Line();
  line.spread(true);
  const chunks = await line.send(cut(frame(BINARY, randomBytes(200 * KIB)), 64 * KIB));
  await line.idle();
  t.deepEqual(lengths(chunks), [64 * KIB, 64 * KIB, 64 * KIB, 8 * KIB + 10]);
  t.is(line.messages.length, 1);
});

test('at most 32 chunks are remembered', async (t) => {
  const line = new Line();
  const part = frame(CONTINUATION | NOT_LAST, Buffer.alloc(0));
  const noise = Buffer.concat(Array<Buffer>(10_000).fill(part));
  const parts = [frame(BINARY | NOT_LAST, Buffer.alloc(1)), ...Array<Buffer>(40).fill(noise)];
  const chunks = await line.send([...parts, frame(CONTINUATION, Buffer.alloc(1))]);
  t.deepEqual(
    chunks.map(({ length }) => length > 0),
    chunks.map((_, i) => i <= 32 || i === chunks.length - 1),
  );
});

test('no bytes change, however frames are cut and whenever they are handed out', async (t) => {
  const random = seededRandom(5);
  const below = (end: number) => Math.floor(random() * end);
  let freed = 0;
  for (let round = 0; round < 60; round++) {
    const line = new Line();
    const messages: Buffer[] = [];
    const pings: Buffer[] = [];
    const frames: Buffer[] = [];
    for (let n = 1 + below(12); n > 0; n--) {
      const parts = Array.from({ length: 1 + below(3) }, () =>
        randomBytes([0, below(200), below(20 * KIB), 64 * KIB, below(256 * KIB)][below(5)]!),
      );
      for (const [i, part] of parts.entries()) {
        const last = i === parts.length - 1 ? 0 : NOT_LAST;
        frames.push(frame((i === 0 ? BINARY : CONTINUATION) | last, part));
        if (below(4) > 0) continue;
        pings.push(randomBytes(below(126)));
        frames.push(frame(PING, pings.at(-1)!));
      }
      messages.push(Buffer.concat(parts));
    }
    const most = [1_000, 20 * KIB, 64 * KIB, 64 * KIB][below(4)]!;
    const chunks = await line.send(
      cut(Buffer.concat(frames), () => 1 + below(most)),
      () => {
        if (below(3) === 0) line.spread(below(2) === 0);
      },
    );
    await line.idle();
    t.true(areEqual(line.messages, messages) && areEqual(line.pings, pings), `round ${round}`);
    freed += chunks.filter(({ length }) => length === 0).length;
  }
  t.true(freed > 100, `${freed} chunks were freed`);
});

/** A receiver of `ws` that is read as a connection reads it. What it hands out is kept. */
class Line {
  readonly messages: Buffer[] = [];
  readonly pings: Buffer[] = [];
  readonly #receiver = new Receiver({ allowSynchronousEvents: true });
  readonly #spent = new SpentChunks();

  constructor() {
    this.#receiver.on('message', (data: Buffer) => {
      this.#spent.message(data);
      this.messages.push(data);
    });
    this.#receiver.on('ping', (data: Buffer) => {
      this.#spent.ping(data);
      this.pings.push(data);
    });
  }

  spread(isSpread: boolean): void {
    spreadOverTurns({ _receiver: this.#receiver }, isSpread);
  }

  /** Sends copies that own their memory, as chunks of a socket do, and returns these. */
  async send(parts: readonly Buffer[], between?: () => void): Promise<Uint8Array[]> {
    const chunks = parts.map((part) => new Uint8Array(part));
    for (const chunk of chunks) {
      this.#spent.begin(chunk);
      const isRoom = this.#receiver.write(Buffer.from(chunk.buffer));
      this.#spent.end();
      if (!isRoom) await this.idle();
      between?.();
    }
    return chunks;
  }

  /** Resolves when the receiver has read everything. */
  async idle(): Promise<void> {
    await new Promise((resolve) => this.#receiver.write(Buffer.alloc(0), resolve));
  }
}

function lengths(chunks: readonly Uint8Array[]): number[] {
  return chunks.map(({ length }) => length);
}

function areEqual(some: readonly Buffer[], others: readonly Buffer[]): boolean {
  return some.length === others.length && some.every((each, i) => each.equals(others[i]!));
}

function cut(bytes: Buffer, size: number | (() => number)): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; )
    parts.push(bytes.subarray(at, (at += typeof size === 'number' ? size : size())));
  return parts;
}
