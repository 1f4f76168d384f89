// Tests of the handshakes that give way when others wait.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { type Handshake, Handshakes } from './handshakes.ts';

test('as long as none waits, no handshake gives way', (t) => {
  const { begin, clock, ended } = setUp(4);
  for (const source of ['a', 'a', 'a', 'a']) begin(source);
  clock.advance(60_000);
  t.deepEqual(ended, []);
  t.is(clock.timers, 0);
});

test('the oldest of the source with most gives way to another source at once', (t) => {
  const { begin, ended, running } = setUp(3);
  for (const source of ['b', 'a', 'a', 'a']) begin(source);
  begin('c');
  t.deepEqual(ended, ['a 2']);
  begin('c');
  t.deepEqual(ended, ['a 2'], 'neither a nor b has more than c');
  t.is(running(), 3);
});

test('a handshake without progress for a second gives way to one of the same source', (t) => {
  const { begin, moved, ended, clock, running } = setUp(2);
  const first = begin('a');
  begin('a');
  clock.advance(900);
  begin('a');
  moved(first);
  t.deepEqual(ended, []);
  clock.advance(100);
  t.deepEqual(ended, ['a 2']);
  begin('a');
  clock.advance(899);
  t.deepEqual(ended, ['a 2']);
  clock.advance(1);
  t.deepEqual(ended, ['a 2', 'a 1']);
  t.is(running(), 2);
  t.is(clock.timers, 0);
});

test('without sources, only handshakes without progress give way', (t) => {
  const { begin, ended, clock } = setUp(2);
  for (let at = 0; at < 3; at++) begin(undefined);
  t.deepEqual(ended, []);
  clock.advance(1_000);
  t.deepEqual(ended, ['undefined 1']);
});

/** Handshakes of which `places` run at a time. */
function setUp(places: number) {
  const clock = createManualClock();
  const handshakes = new Handshakes(clock);
  const ended: string[] = [];
  const all = new Set<Handshake>();
  const running = () => [...all].filter(({ isRunning }) => isRunning).length;
  const admit = () => {
    const held = (source: string | undefined) =>
      [...all].filter((one) => one.source === source).length;
    const waiting = [...all].filter(({ isRunning }) => !isRunning);
    const next = waiting.sort((a, b) => held(a.source) - held(b.source))[0];
    if (next === undefined || running() >= places) return;
    next.isRunning = true;
    handshakes.moved(next);
  };
  let count = 0;
  const begin = (source: string | undefined) => {
    const name = `${source} ${++count}`;
    const one: Handshake = {
      source,
      isRunning: running() < places,
      movedAt: clock.now(),
      giveWay: () => {
        ended.push(name);
        all.delete(one);
        handshakes.remove(one);
        admit();
      },
    };
    all.add(one);
    handshakes.add(one);
    if (!one.isRunning) handshakes.makeRoom(source);
    return one;
  };
  return { begin, moved: (one: Handshake) => handshakes.moved(one), ended, clock, running };
}
