// Tests of the token bucket for limits.rate.

import test from 'ava';
import { TokenBucket, TokenBuckets } from './transport-resources.ts';

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

test('all connections of a proven id share a bucket, also later ones; others have their own', (t) => {
  const buckets = new TokenBuckets(1_000);
  const [first, second] = [buckets.of('a', 0)!, buckets.of('a', 0)!];
  t.is(first.take(1_000, 0), 0);
  t.is(second.take(500, 0), 500);
  t.is(buckets.of('a', 250)!.take(0, 250), 250, 'after a reconnect');
  t.is(buckets.of('b', 0)!.take(1_000, 0), 0);
  t.not(buckets.of(undefined, 0), buckets.of(undefined, 0));
  t.is(new TokenBuckets(undefined).of('a', 0), undefined);
});

test('the buckets of at most 16,384 ids are remembered', (t) => {
  const buckets = new TokenBuckets(1_000);
  const first = buckets.of('0', 0);
  for (let i = 1; i < 16_384; i++) buckets.of(String(i), 0);
  t.is(buckets.of('0', 0), first);
  buckets.of('16384', 0);
  t.is(buckets.of('0', 0), first, 'its last connection was recent');
});
