// Tests of the places of watchers, and of the pace of their first states.

import type { Remote } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Watchers } from './watchers.ts';

const tool = (host: string, nodeId?: string) =>
  ({ endpoint: `${host}:4711`, ...(nodeId && { nodeId }) }) as Remote;

/** Opens a stream that yields its number, and then waits until its signal aborts. */
function opener(watchers: Watchers) {
  return async (
    from: Remote | undefined,
    number: number,
    signal = new AbortController().signal,
  ) => {
    const stream = watchers.counted(from, signal, async function* (own) {
      yield number;
      await new Promise<void>((resolve) => own.addEventListener('abort', () => resolve()));
    });
    const { value } = await stream.next();
    return { value, next: () => stream.next(), return: () => stream.return() };
  };
}

test('if all places are taken, the tool with the most loses its oldest to one with fewer', async (t) => {
  const open = opener(new Watchers(3));
  const first = await open(tool('10.0.0.1'), 1);
  await open(tool('10.0.0.1'), 2);
  await open(tool('10.0.0.1'), 3);
  const lost = t.throwsAsync(first.next(), {
    code: 'resource_exhausted',
    message: /3 of them by this tool/,
  });
  t.is((await open(tool('10.0.0.2'), 4)).value, 4);
  await lost;
});

test('a tool with as many, or with one fewer, is refused and nobody loses a place', async (t) => {
  const open = opener(new Watchers(3));
  const streams = [
    await open(tool('10.0.0.1', 'a'), 1),
    await open(tool('10.0.0.1', 'b'), 2),
    await open(tool('10.0.0.9', 'b'), 3),
  ];
  const refused = { code: 'resource_exhausted', message: /3 tools watch this node already/ };
  await t.throwsAsync(open(tool('10.0.0.8', 'a'), 4), refused);
  await t.throwsAsync(open(tool('10.0.0.8', 'b'), 4), refused);
  await streams[0]!.return();
  t.is((await open(undefined, 5)).value, 5, 'this node itself');
});

test('a call that its caller ends frees its place', async (t) => {
  const open = opener(new Watchers(1));
  const caller = new AbortController();
  const stream = await open(tool('10.0.0.1'), 1, caller.signal);
  const ended = stream.next();
  caller.abort();
  t.is((await open(tool('10.0.0.1'), 2)).value, 2);
  t.true((await ended).done);
});

test('the first states of watchers are 250 ms apart, and a watcher that is gone takes no turn', async (t) => {
  const clock = createManualClock();
  const watchers = new Watchers(16);
  const turns: string[] = [];
  const take = async (name: string, signal = new AbortController().signal) => {
    await watchers.turn(clock, signal);
    if (!signal.aborted) turns.push(`${name} ${clock.now()}`);
  };
  const start = clock.now();
  const gone = new AbortController();
  await take('a');
  const waiting = [take('b', gone.signal), take('c'), take('d')];
  gone.abort();
  clock.advance(250);
  await waiting[1];
  clock.advance(250);
  await Promise.all(waiting);
  t.deepEqual(turns, [`a ${start}`, `c ${start + 250}`, `d ${start + 500}`]);
});
