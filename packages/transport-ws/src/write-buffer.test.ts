// Tests of the number of bytes that may wait in a browser's WebSocket.

import test from 'ava';
import { WriteBuffer } from './write-buffer.ts';

const KIB = 1024;

test('on a fast network, more and more bytes may wait, up to 1 MiB', (t) => {
  const buffer = new WriteBuffer();
  t.false(buffer.isFull(64 * KIB, 0));
  for (const high of [64, 128, 256, 512, 1_024, 1_024]) {
    t.true(buffer.isFull(high * KIB + 1, 0));
    t.false(buffer.isDrained((high / 2) * KIB + 1, 4));
    t.true(buffer.isDrained((high / 2) * KIB, 4));
  }
  t.false(buffer.isFull(1_024 * KIB, 0));
});

test('on a slow network, fewer may wait, but at least 64 KiB', (t) => {
  const buffer = new WriteBuffer();
  for (let n = 0; n < 4; n++) {
    buffer.isFull(1_024 * KIB, 0);
    buffer.isDrained(0, 4);
  }
  for (const high of [1_024, 512, 256, 128, 64, 64]) {
    t.false(buffer.isFull(high * KIB, 0), `${high} KiB may wait`);
    t.true(buffer.isFull(high * KIB + 1, 0));
    t.true(buffer.isDrained(0, 100));
  }
});

test('at a pace between the two, the number stays', (t) => {
  const buffer = new WriteBuffer();
  for (let n = 0; n < 3; n++) {
    t.true(buffer.isFull(64 * KIB + 1, 0));
    t.true(buffer.isDrained(0, 20));
  }
});
