// Tests of the number of bytes that may wait in a browser's WebSocket.

import test from 'ava';
import { WriteLimit } from './write-limit.ts';

const KIB = 1024;

test('on a fast network, more and more bytes may wait, up to 1 MiB', (t) => {
  const limit = new WriteLimit();
  t.false(limit.isFull(64 * KIB, 0));
  for (const high of [64, 128, 256, 512, 1_024, 1_024]) {
    t.true(limit.isFull(high * KIB + 1, 0));
    t.false(limit.isDrained((high / 2) * KIB + 1, 4));
    t.true(limit.isDrained((high / 2) * KIB, 4));
  }
  t.false(limit.isFull(1_024 * KIB, 0));
});

test('on a slow network, fewer may wait, but at least 64 KiB', (t) => {
  const limit = new WriteLimit();
  for (let n = 0; n < 4; n++) {
    limit.isFull(1_024 * KIB, 0);
    limit.isDrained(0, 4);
  }
  for (const high of [1_024, 512, 256, 128, 64, 64]) {
    t.false(limit.isFull(high * KIB, 0), `${high} KiB may wait`);
    t.true(limit.isFull(high * KIB + 1, 0));
    t.true(limit.isDrained(0, 100));
  }
});

test('at a pace between the two, the number stays', (t) => {
  const limit = new WriteLimit();
  for (let n = 0; n < 3; n++) {
    t.true(limit.isFull(64 * KIB + 1, 0));
    t.true(limit.isDrained(0, 20));
  }
});
