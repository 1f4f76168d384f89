// Tests of the places of sessions and relayed streams.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { type PlaceLimits, Places } from './places.ts';

const refused = { instanceOf: TransportError, code: 'resource_exhausted' };
const node = (nodeId: string, source = nodeId) => ({ nodeId, source });
const [ada, bob, cyd] = [node('ada'), node('bob'), node('cyd')];

test('a node takes at most an eighth of the places of another', (t) => {
  const { places, take } = setUp({ perNode: 32 });
  const taken = [1, 2, 3, 4].map(() => take(ada, bob));
  t.throws(() => take(ada, bob), refused);
  taken.push(take(ada, cyd), take(cyd, bob), take(bob, ada));
  t.is(places.size, 7);
  for (const place of taken) place.free();
  t.is(places.size, 0);
  take(ada, bob);
});

test('a node opens and accepts at most its number, counted apart', (t) => {
  const { take } = setUp({ perNode: 3 });
  take(ada, bob);
  take(ada, bob);
  take(ada, cyd);
  t.throws(() => take(ada, cyd), refused);
  take(bob, ada);
  take(cyd, bob);
  t.throws(() => take(node('dan'), node('eve')) && take(cyd, bob) && take(cyd, bob), refused);
});

test('when a node accepts no more, the oldest session of the source with most gives way', (t) => {
  const { take, ended } = setUp({ perNode: 4 });
  take(node('a1', 'near'), bob);
  take(node('b1', 'far'), bob);
  take(node('b2', 'far'), bob);
  take(node('b3', 'far'), bob);
  take(ada, bob);
  t.deepEqual(ended, ['b1']);
  t.throws(() => take(cyd, bob) && take(node('dan'), bob), refused, 'all have one or two');
  t.deepEqual(ended, ['b1', 'b2'], 'but nothing is gained between sources with one each');
});

test('within a source, the oldest of the node with most gives way', (t) => {
  const { take, ended } = setUp({ perNode: 4 });
  take(node('a1', 'near'), bob);
  const greedy = node('a2', 'near');
  take(greedy, bob);
  take(greedy, bob);
  take(node('a3', 'near'), bob);
  take(node('a4', 'near'), bob);
  t.deepEqual(ended, ['a2']);
  t.throws(() => take(node('a5', 'near'), bob), refused);
});

test('nodes of one source may take all places together, and lose none of them to each other', (t) => {
  const { places, take, ended } = setUp({ perNode: 64, most: 64 });
  for (let at = 0; at < 64; at++) take(node(`${at}`, 'nat'), node(`to ${at}`));
  t.throws(() => take(node('late', 'nat'), bob), refused);
  t.is(places.size, 64);
  t.deepEqual(ended, []);
});

test('all places together are bounded, and the source with most gives way there as well', (t) => {
  const { places, take, ended } = setUp({ perNode: 4, most: 3 });
  for (const name of ['x', 'y', 'z']) take(node(name, 'far'), node(`to ${name}`));
  take(ada, bob);
  t.deepEqual(ended, ['x']);
  t.is(places.size, 3);
});

test('an idle place gives way to anybody, unless it moves or is settled', (t) => {
  const { take, ended, wait } = setUp({ perNode: 3, idle: 1_000 });
  const moving = take(node('a', 'far'), bob);
  take(node('b', 'far'), bob).settle();
  take(node('c', 'far'), bob);
  wait(999);
  t.throws(() => take(node('d', 'far'), bob), refused);
  moving.move();
  wait(1);
  take(node('e', 'far'), bob);
  t.deepEqual(ended, ['c']);
});

test('an old place gives way to a source or node that has fewer, but not to one that has as many', (t) => {
  const { take, ended, wait } = setUp({ perNode: 2, old: 1_000 });
  const b = node('b');
  take(b, bob);
  take(node('a'), bob);
  wait(999);
  t.throws(() => take(ada, bob), refused);
  wait(1);
  t.throws(() => take(b, bob), refused);
  take(node('b2', 'b'), bob);
  take(ada, bob);
  t.deepEqual(ended, ['b', 'a']);
});

function setUp(limits: Partial<PlaceLimits>) {
  let now = 0;
  const ended: string[] = [];
  const never = Number.POSITIVE_INFINITY;
  const places = new Places(
    { noun: 'sessions', most: never, perNode: 64, idle: never, old: never, ...limits },
    () => now,
  );
  return {
    places,
    ended,
    wait: (ms: number) => {
      now += ms;
    },
    take: (caller: ReturnType<typeof node>, callee: ReturnType<typeof node>) =>
      places.take(caller, callee, () => ended.push(caller.nodeId)),
  };
}
