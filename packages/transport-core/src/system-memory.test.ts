// Tests of freeing the memory of chunks.

import test from 'ava';
import { freeChunk } from './system-memory.ts';

const KIB = 1024;

test('a chunk with memory of its own is empty after it is freed', (t) => {
  for (const size of [16 * KIB + 1, 64 * KIB, 4 * KIB * KIB]) {
    const chunk = new Uint8Array(size);
    freeChunk(chunk);
    t.is(chunk.length, 0);
    t.is(chunk.buffer.byteLength, 0);
    freeChunk(chunk);
  }
});

test('small chunks, parts of larger memory and shared memory are left unchanged', (t) => {
  const small = new Uint8Array(16 * KIB).fill(7);
  const part = new Uint8Array(65 * KIB).subarray(0, 64 * KIB).fill(7);
  const shared = new Uint8Array(new SharedArrayBuffer(64 * KIB)).fill(7);
  for (const chunk of [small, part, shared]) {
    const { length } = chunk;
    freeChunk(chunk);
    t.is(chunk.length, length);
    t.is(chunk.at(-1), 7);
  }
});
