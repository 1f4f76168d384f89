// Tests the frames of the raw limit: reading them from chunks, and reusing batches.

import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import test from 'ava';
import { numbered } from '../messages.ts';
import { FrameReader, FrameWriter } from './limit-frames.ts';

const frames = [1, 2, 100, 20_000, 3, 70_000, 4].map((size, id) => ({
  id,
  payload: numbered(size + 8, id),
}));

test('frames arrive complete wherever their bytes are cut', (t) => {
  const written = write(frames);
  for (const step of [1, 7, 8, 9, 64, 1_000, 65_536, written.length]) {
    const read: typeof frames = [];
    const reader = new FrameReader((id, payload) => read.push({ id, payload: payload.slice() }));
    for (let at = 0; at < written.length; at += step)
      reader.read(Buffer.from(written.subarray(at, at + step)));
    t.deepEqual(read, frames, `in pieces of ${step}`);
  }
});

test('a batch that the socket still holds is not overwritten', (t) => {
  const kept: Uint8Array[] = [];
  const writer = new FrameWriter(fakeSocket((chunk) => kept.push(chunk), 1));
  writer.put(1, numbered(64, 1));
  writer.flush();
  const before = Uint8Array.from(kept[0]!);
  writer.put(2, numbered(64, 2));
  t.deepEqual(Uint8Array.from(kept[0]!), before);
});

test('under TLS the first batch is free at once, and one that waits behind it is not', (t) => {
  const kept: Uint8Array[] = [];
  const socket = Object.assign(
    fakeSocket((chunk) => {
      kept.push(chunk);
      Object.assign(socket, { writableLength: chunk.length });
    }, 0),
    { encrypted: true },
  );
  const writer = new FrameWriter(socket);
  for (let id = 0; id < 3; id++) {
    writer.put(id, numbered(64, id));
    writer.flush();
  }
  t.is(kept[1]!.buffer, kept[0]!.buffer);
  t.not(kept[2]!.buffer, kept[1]!.buffer);
});

function write(messages: typeof frames): Buffer {
  const chunks: Uint8Array[] = [];
  const writer = new FrameWriter(fakeSocket((chunk) => chunks.push(Uint8Array.from(chunk)), 0));
  for (const { id, payload } of messages) writer.put(id, payload);
  writer.flush();
  return Buffer.concat(chunks);
}

function fakeSocket(write: (chunk: Uint8Array) => void, writableLength: number): Socket {
  return { write, writableLength, cork() {}, uncork() {} } as unknown as Socket;
}
