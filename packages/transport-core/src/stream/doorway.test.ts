import test from 'ava';
import type { Connection } from './connection.ts';
import { Doorway } from './doorway.ts';

function scene(pending: number, perSource?: number) {
  const doorway = new Doorway({ pending, perSource });
  const unparked: string[] = [];
  const arrive = (endpoint: string) => {
    const verdict = doorway.knock(endpoint);
    const connection = { endpoint, unpark: () => void unparked.push(endpoint) } as Connection;
    if (verdict !== 'refuse') doorway.enter(connection, verdict);
    return { verdict, leave: () => doorway.leave(connection) };
  };
  return { arrive, unparked };
}

test('so many say hello at a time, four times as many wait unread, the rest is refused', (t) => {
  const { arrive } = scene(2);
  const verdicts = Array.from({ length: 12 }, (_, i) => arrive(`10.0.0.${i}:1`).verdict);
  t.deepEqual(verdicts, [...Array(2).fill('enter'), ...Array(8).fill('wait'), 'refuse', 'refuse']);
});

test('when one is through the next that waits is read, in order', (t) => {
  const { arrive, unparked } = scene(1);
  const inside = arrive('a:1');
  const [b, c] = [arrive('b:1'), arrive('c:1')];
  inside.leave();
  t.deepEqual(unparked, ['b:1']);
  inside.leave();
  t.deepEqual(unparked, ['b:1']);
  b.leave();
  t.deepEqual(unparked, ['b:1', 'c:1']);
  c.leave();
  t.is(arrive('d:1').verdict, 'enter');
});

test('one that goes while it waits makes room for another that waits, and none is read for it', (t) => {
  const { arrive, unparked } = scene(1);
  arrive('a:1');
  const waiting = [1, 2, 3, 4].map((i) => arrive(`b${i}:1`));
  t.is(arrive('c:1').verdict, 'refuse');
  waiting[0]!.leave();
  t.deepEqual(unparked, []);
  t.is(arrive('c:1').verdict, 'wait');
});

test('one source has no more than its share, whatever its ports, until one is through', (t) => {
  const { arrive } = scene(10, 2);
  const first = arrive('10.0.0.1:1');
  t.is(arrive('10.0.0.1:2').verdict, 'enter');
  t.is(arrive('10.0.0.1:3').verdict, 'refuse');
  t.is(arrive('10.0.0.2:1').verdict, 'enter');
  t.is(arrive('[::1]:1').verdict, 'enter');
  first.leave();
  t.is(arrive('10.0.0.1:4').verdict, 'enter');
});
