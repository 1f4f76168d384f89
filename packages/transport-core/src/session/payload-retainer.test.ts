// Tests which payloads are copied and which share the memory of their chunk.

import test from 'ava';
import { Frame } from '../wire/frame.ts';
import { PayloadRetainer } from './packets.ts';

const chunk = Uint8Array.from({ length: 64 * 1024 }, (_, at) => at % 251);
const framed = (payload: Uint8Array): Frame => Object.assign(new Frame(), { payload });
const retainer = () => new PayloadRetainer((size) => new Uint8Array(size));

test('a small payload of a large chunk is copied, and pins at most 16 KiB', (t) => {
  for (const length of [0, 1, 64, 65, 256, 2_048, 2_049, 8_000]) {
    const kept = retainer().keep(framed(chunk.subarray(7, 7 + length)));
    t.deepEqual(kept, chunk.slice(7, 7 + length));
    t.true(kept.buffer !== chunk.buffer && kept.buffer.byteLength <= 16 * 1024, `${length} bytes`);
  }
});

test('a large payload, and any payload of a small chunk, is not copied', (t) => {
  const small = new Uint8Array(16 * 1024);
  for (const payload of [chunk.subarray(0, 8 * 1024), chunk, small.subarray(0, 1)])
    t.is(retainer().keep(framed(payload)), payload);
});

test('payloads that arrived next to each other are copied together, in pieces that pin at most 16 KiB', (t) => {
  const used = retainer();
  const frame = new Frame();
  const kept: Uint8Array[] = [];
  let at = 5;
  for (let length = 65; at + length <= chunk.length; length = 65 + ((length * 7) % 900)) {
    frame.place(chunk, at, at + length);
    kept.push(used.keep(frame));
    t.deepEqual(kept.at(-1), chunk.slice(at, at + length));
    at += length + 9;
  }
  const pieces = new Set(kept.map(({ buffer }) => buffer));
  t.true(
    kept.length > 100 && pieces.size <= 8,
    `${pieces.size} pieces for ${kept.length} payloads`,
  );
  for (const { byteLength } of pieces) t.true(byteLength <= 16 * 1024);
});

test('a reader that keeps one payload of a chunk copies only that payload', (t) => {
  const used = retainer();
  const frame = new Frame();
  frame.place(chunk, 100, 400);
  t.is(used.keep(frame).buffer.byteLength, 300);
});

test('a reader that kept most of the last chunk gets pieces of 16 KiB from the first payload on, others start anew', (t) => {
  const used = retainer();
  const frame = new Frame();
  const first = (payloads: number): number => {
    used.open(chunk);
    const kept = Array.from({ length: payloads }, (_, i) => {
      frame.place(chunk, 1_000 * i, 1_000 * i + 990);
      return used.keep(frame);
    });
    used.clear();
    return kept[0]!.buffer.byteLength;
  };
  t.deepEqual(
    [first(60), first(1), first(30), first(40), first(60)],
    [990, 16 * 1024, 990, 990, 16 * 1024],
  );
});

test('a payload before the piece, or across its end, has its own piece', (t) => {
  const used = retainer();
  const frame = new Frame();
  const places: [number, number][] = [
    [0, 1_000],
    [1_000, 2_000],
    [4_900, 5_100],
    [100, 300],
    [64 * 1024 - 500, 64 * 1024],
  ];
  for (const [start, end] of places) {
    frame.place(chunk, start, end);
    t.deepEqual(used.keep(frame), chunk.slice(start, end));
  }
});

test('a payload retainer holds nothing between chunks', (t) => {
  const used = retainer();
  const before = used.keep(framed(chunk.subarray(0, 100)));
  used.clear();
  const after = used.keep(framed(chunk.subarray(0, 100)));
  t.not(before.buffer, after.buffer);
});

test('in reused memory every payload is a copy, and those of a small chunk share one piece', (t) => {
  const memory = new Uint8Array(64 * 1024);
  const used = new PayloadRetainer((size) => new Uint8Array(size), true);
  const frame = new Frame();
  const read = (length: number, places: readonly [number, number][]): Uint8Array[] => {
    memory.set(chunk);
    const part = memory.subarray(0, length);
    used.open(part);
    const kept = places.map(([start, end]) => {
      frame.place(part, start, end);
      return used.keep(frame);
    });
    t.true(used.clear());
    memory.fill(0xee);
    for (const [n, [start, end]] of places.entries()) t.deepEqual(kept[n], chunk.slice(start, end));
    return kept;
  };
  const small = read(4_000, [
    [10, 80],
    [90, 100],
    [3_000, 3_500],
    [3_999, 4_000],
    [50, 60],
  ]);
  t.is(new Set(small.slice(0, 4).map(({ buffer }) => buffer)).size, 1);
  const large = read(64 * 1024, [
    [0, 40_000],
    [40_000, 40_010],
    [40_010, 40_010],
    [41_000, 60_000],
  ]);
  t.is(large[0]!.buffer.byteLength, 40_000);
  t.is(read(80, [[16, 80]])[0]!.buffer.byteLength, 64);
});

test('a payload that straddled chunks has its own memory and is not copied again', (t) => {
  const used = new PayloadRetainer((size) => new Uint8Array(size), true);
  used.open(chunk.subarray(0, 100));
  const own = new Uint8Array(300);
  t.is(used.keep(framed(own)), own);
  t.true(used.clear());
});
