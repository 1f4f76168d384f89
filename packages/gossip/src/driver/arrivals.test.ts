// Tests of the order in which messages of a tick are handed over.

import test from 'ava';
import { Arrivals } from './arrivals.ts';

test('arrivals are handed over in order at the end of their tick, or at a flush; new ones wait for the next tick', (t) => {
  const deferred: (() => void)[] = [];
  const tick = () => {
    for (const callback of deferred.splice(0)) callback();
  };
  const taken: string[] = [];
  const arrivals: Arrivals<string, undefined> = new Arrivals(
    { defer: (callback) => void deferred.push(callback), now: () => 0 },
    ([number], peer) => {
      taken.push(`${number} of ${peer}`);
      if (number === 3) arrivals.add(Uint8Array.of(4), 'c', undefined);
    },
  );
  const add = (number: number, peer: string) =>
    arrivals.add(Uint8Array.of(number), peer, undefined);
  add(1, 'a');
  add(2, 'b');
  t.deepEqual(taken, []);
  arrivals.flush();
  t.deepEqual(taken, ['1 of a', '2 of b']);
  add(3, 'a');
  t.is(deferred.length, 1);
  tick();
  t.deepEqual(taken.slice(2), ['3 of a']);
  tick();
  t.deepEqual(taken.slice(3), ['4 of c']);
  tick();
  t.is(taken.length, 4);
});
