// Tests of the token bucket for limits.rate.

import test from 'ava';
import { TokenBucket } from './token-bucket.ts';

test('one second’s worth may be spent at once, then bytes wait for their time', (t) => {
  const bucket = new TokenBucket(1_000, 0);
  t.is(bucket.take(1_000, 0), 0);
  t.is(bucket.take(500, 0), 500);
  t.is(bucket.take(0, 500), 0);
  t.is(bucket.take(100, 500), 100);
});

test('silence saves at most one second’s worth', (t) => {
  const bucket = new TokenBucket(1_000, 0);
  t.is(bucket.take(2_000, 60_000), 1_000);
});

test('over a minute the rate is kept', (t) => {
  const bucket = new TokenBucket(10_000, 0);
  let now = 0;
  let sent = 0;
  while (now < 60_000) {
    sent += 700;
    now += bucket.take(700, now);
    if (sent < 10_000) now += 0;
  }
  t.true(Math.abs(sent - 610_000) < 12_000, String(sent));
});
