// Tests of the limits on handshakes.

import test from 'ava';
import { reasonError, type TransportError } from '../errors.ts';
import { BoundedHandshakes } from './accept.ts';
import type { ConnectionHost } from './connection.ts';

function scene(pending: number, perSource?: number) {
  const told: string[] = [];
  let now = 0;
  const tell = ({ endpoint, error }: { endpoint: string; error: TransportError }) =>
    void told.push(`${endpoint} ${error.reason}`);
  const handshakes = new BoundedHandshakes({
    config: { limits: { handshakes: { pending, perSource } } },
    ticker: { now: () => now },
    reporter: { tell },
  } as unknown as ConnectionHost);
  const entered: string[] = [];
  const arrive = (endpoint: string, source?: string) => {
    const before = entered.length;
    const slot = handshakes.acquire(endpoint, () => void entered.push(endpoint), source);
    const verdict = slot === undefined ? 'refuse' : slot.waits ? 'wait' : 'enter';
    return {
      verdict,
      slot,
      at: slot?.since,
      isInside: entered.length > before,
      leave: (error?: TransportError) => slot?.leave(error),
    };
  };
  return { arrive, entered, told, slot: (milliseconds: number) => void (now += milliseconds) };
}

test('when a handshake completes, the next waiting one is read, in order', (t) => {
  const { arrive, entered } = scene(1);
  const inside = arrive('a:1');
  const [b, c] = [arrive('b:1'), arrive('c:1')];
  inside.leave();
  t.deepEqual(entered, ['a:1', 'b:1']);
  inside.leave();
  t.deepEqual(entered, ['a:1', 'b:1']);
  b.leave();
  t.deepEqual(entered, ['a:1', 'b:1', 'c:1']);
  c.leave();
  t.is(arrive('d:1').verdict, 'enter');
});

test('an answered handshake frees its place, and of eight times as many the oldest ends', (t) => {
  const { arrive, entered, told } = scene(1);
  const ended: string[] = [];
  const answer = (name: string) => {
    const connection = arrive(name);
    connection.slot?.answered(() => void ended.push(name));
    return connection;
  };
  const first = answer('a:0');
  for (let i = 1; i < 8; i++) answer(`a:${i}`);
  t.is(entered.length, 8);
  t.deepEqual(ended, []);
  answer('a:8');
  t.deepEqual(ended, ['a:0']);
  t.deepEqual(told, ['a:0 full']);
  first.leave();
  answer('a:9').leave();
  answer('a:10');
  t.deepEqual(ended, ['a:0', 'a:1'], 'a confirmed handshake makes room');
  const inside = arrive('b:1');
  t.is(arrive('b:2').verdict, 'wait');
  inside.slot?.answered(() => {});
  t.is(entered.at(-1), 'b:2');
});

test('of the waiting handshakes whose layer names a source, that of the source with fewest is next', (t) => {
  const { arrive, entered } = scene(2);
  const [a1, a2] = [arrive('a1', 'a'), arrive('a2', 'a')];
  arrive('a3', 'a');
  arrive('c');
  arrive('b1', 'b');
  a1.leave();
  a2.leave();
  t.deepEqual(entered, ['a1', 'a2', 'b1', 'a3'], 'c names none, and a3 came before it');
});

test('a source that a layer names has no more than its share, whatever the endpoint', (t) => {
  const { arrive } = scene(10, 1);
  arrive('10.0.0.1:1', 'a');
  t.is(arrive('10.0.0.2:1', 'a').verdict, 'refuse');
  t.is(arrive('10.0.0.1:1', 'b').verdict, 'enter');
  t.is(arrive('10.0.0.1:1').verdict, 'enter');
});

test('a waiting handshake that ends makes room for another, and none is read for it', (t) => {
  const { arrive, entered } = scene(1);
  arrive('a:1');
  const waiting = [1, 2, 3, 4].map((i) => arrive(`b${i}:1`));
  t.is(arrive('c:1').verdict, 'refuse');
  waiting[0]!.leave();
  t.deepEqual(entered, ['a:1']);
  t.is(arrive('c:1').verdict, 'wait');
});

test('a source has no more than its share, whatever its ports, until one handshake completes', (t) => {
  const { arrive } = scene(10, 2);
  const first = arrive('10.0.0.1:1');
  t.is(arrive('10.0.0.1:2').verdict, 'enter');
  t.is(arrive('10.0.0.1:3').verdict, 'refuse');
  t.is(arrive('10.0.0.2:1').verdict, 'enter');
  t.is(arrive('[::1]:1').verdict, 'enter');
  first.leave();
  t.is(arrive('10.0.0.1:4').verdict, 'enter');
});

test('neighbors in one IPv6 /64 are one source, and an IPv4 address mapped into IPv6 is that IPv4 address', (t) => {
  const { arrive } = scene(10, 2);
  arrive('[2001:db8:1:2::1]:1');
  t.is(arrive('[2001:db8:1:2:aaaa:bbbb:cccc:dddd]:1').verdict, 'enter');
  t.is(arrive('[2001:db8:1:2:ffff::]:1').verdict, 'refuse');
  t.is(arrive('[2001:db8:1:3::1]:1').verdict, 'enter');
  arrive('10.0.0.1:1');
  t.is(arrive('[::ffff:10.0.0.1]:2').verdict, 'enter');
  t.is(arrive('[::ffff:a00:1]:3').verdict, 'refuse');
  t.is(arrive('[::ffff:10.0.0.2]:3').verdict, 'enter');
});

test('a slot knows when it was acquired, and an error at its release is reported once', (t) => {
  const { arrive, told, slot } = scene(1);
  const a = arrive('a:1');
  slot(7);
  const b = arrive('b:1');
  t.is(a.at, 0);
  t.is(b.at, 7);
  b.leave(reasonError('handshake_timeout', 'slow'));
  b.leave(reasonError('reset', 'again'));
  a.leave();
  t.deepEqual(told, ['b:1 handshake_timeout']);
});

test('a failed handshake keeps the place of its source for a second, and no other place', (t) => {
  const { arrive, slot } = scene(2, 2);
  const failure = reasonError('handshake_timeout', 'slow');
  for (let i = 0; i < 2; i++) arrive('a:1').leave(failure);
  t.is(arrive('a:2').verdict, 'refuse');
  t.is(arrive('b:1').verdict, 'enter');
  t.is(arrive('c:1').verdict, 'enter');
  slot(999);
  t.is(arrive('a:3').verdict, 'refuse');
  slot(1);
  t.is(arrive('a:4').verdict, 'wait');
  t.is(arrive('a:5').verdict, 'wait');
  t.is(arrive('a:6').verdict, 'refuse');
});

test('without a limit on sources, failures keep nothing', (t) => {
  const { arrive } = scene(1);
  const failure = reasonError('reset', 'gone');
  for (let i = 0; i < 100; i++) {
    const place = arrive('a:1');
    t.is(place.verdict, 'enter');
    place.leave(failure);
  }
});
