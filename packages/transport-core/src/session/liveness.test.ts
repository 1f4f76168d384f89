// Tests when PINGs are sent, and when a silent peer is considered dead.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { Liveness } from './session-context.ts';

const keepAlive = { interval: 10_000, timeout: 5_000 };
const begin = (now = 0) => new Liveness(keepAlive, seededRandom(1), now);
/** Returns true if a PING is due, after a last message at the time `active`. */
const wantsPing = (liveness: Liveness, now: number, active: number) =>
  !liveness.asks && now >= liveness.due(active);
const isDead = (liveness: Liveness, now: number) => liveness.asks && now >= liveness.due(0);

test('a PONG without a PING, or for an earlier PING, is ignored', (t) => {
  const liveness = begin();
  liveness.pong(0, 5);
  liveness.pong(7, 5);
  t.is(liveness.rtt, undefined);
  const nonce = liveness.ping(10);
  liveness.pong(nonce === 1 ? 2 : nonce - 1, 11);
  t.is(liveness.rtt, undefined);
  liveness.pong(nonce, 12);
  liveness.pong(nonce, 500);
  t.is(liveness.rtt, 2);
});

test('nonces are never 0, even at the extremes of the random source, and fit 32 bits', (t) => {
  for (const chance of [0, 0.5, 1 - 2 ** -32]) {
    const nonce = new Liveness(keepAlive, () => chance, 0).ping(0);
    t.true(Number.isInteger(nonce) && nonce >= 1 && nonce <= 0xffff_ffff, String(nonce));
  }
});

test('any byte puts the PING of a silent connection off', (t) => {
  const liveness = begin(0);
  liveness.heard(6_000);
  t.false(wantsPing(liveness, 10_000, 0));
  t.true(wantsPing(liveness, 16_000, 0));
});

test('a busy connection is measured each interval, whatever is received', (t) => {
  const liveness = begin(0);
  liveness.pong(liveness.ping(0), 1);
  liveness.heard(9_500);
  t.is(liveness.due(9_500), 10_000);
  t.true(wantsPing(liveness, 10_000, 9_500));
});

test('without a PING no peer is considered dead', (t) => {
  const liveness = begin(0);
  t.false(isDead(liveness, 1_000_000));
  liveness.pong(liveness.ping(0), 1);
  t.false(isDead(liveness, 1_000_000));
});

test('a late PONG does not end the connection while bytes arrive', (t) => {
  const liveness = begin(0);
  liveness.ping(10_000);
  for (let now = 11_000; now < 100_000; now += 4_000) {
    liveness.heard(now);
    t.false(isDead(liveness, now + 14_999));
  }
  t.true(isDead(liveness, 99_000 + 15_000));
});

test('a sleep postpones every timeout of liveness by its length', (t) => {
  const liveness = begin(0);
  liveness.ping(10_000);
  liveness.excuse(60_000);
  t.false(isDead(liveness, 74_999));
  t.true(isDead(liveness, 75_000));
  const silent = begin(0);
  silent.excuse(60_000);
  t.false(wantsPing(silent, 69_999, 0));
  t.true(wantsPing(silent, 70_000, 0));
});

test('a round trip does not include the time while this process was asleep', (t) => {
  const liveness = begin(0);
  const nonce = liveness.ping(100);
  liveness.excuse(60_000);
  liveness.pong(nonce, 60_142);
  t.is(liveness.rtt, 42);
});
