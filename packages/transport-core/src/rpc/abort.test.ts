// Tests of the shared abort listeners.

import { getEventListeners } from 'node:events';
import test from 'ava';
import { unwatch, watch } from './abort.ts';

const call = () => {
  const reasons: unknown[] = [];
  return { reasons, aborted: (reason: unknown) => void reasons.push(reason) };
};
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('one listener serves all calls of a signal', (t) => {
  const controller = new AbortController();
  const calls = Array.from({ length: 1_000 }, call);
  for (const each of calls) watch(controller.signal, each);
  t.is(listeners(controller.signal), 1);
  const reason = new Error('enough');
  controller.abort(reason);
  for (const each of calls) t.deepEqual(each.reasons, [reason]);
  t.is(listeners(controller.signal), 0);
});

test('the last call to settle removes the listener, and a later call adds it again', (t) => {
  const controller = new AbortController();
  const [first, second, third] = [call(), call(), call()];
  watch(controller.signal, first);
  watch(controller.signal, second);
  unwatch(controller.signal, first);
  unwatch(controller.signal, first);
  t.is(listeners(controller.signal), 1);
  unwatch(controller.signal, second);
  t.is(listeners(controller.signal), 0);
  watch(controller.signal, third);
  controller.abort();
  t.is(third.reasons.length, 1);
  t.deepEqual([first.reasons, second.reasons], [[], []]);
});

test('a call that settles because another was aborted is not aborted itself', (t) => {
  const controller = new AbortController();
  const second = call();
  watch(controller.signal, { aborted: () => unwatch(controller.signal, second) });
  watch(controller.signal, second);
  controller.abort();
  t.deepEqual(second.reasons, []);
});

test('signals are independent of each other', (t) => {
  const [a, b] = [new AbortController(), new AbortController()];
  const [first, second] = [call(), call()];
  watch(a.signal, first);
  watch(b.signal, second);
  a.abort('a');
  t.deepEqual([first.reasons, second.reasons], [['a'], []]);
  unwatch(a.signal, second);
  b.abort('b');
  t.deepEqual(second.reasons, ['b']);
});

test('100,000 calls share one signal', (t) => {
  const { signal } = new AbortController();
  for (let i = 0; i < 100_000; i++) {
    const each = call();
    watch(signal, each);
    unwatch(signal, each);
  }
  t.is(listeners(signal), 0);
});
