// Tests of outgoing calls: their deadlines, and the abort listeners that they share.

import { getEventListeners } from 'node:events';
import test from 'ava';
import { bytes } from '../protocol/codec.ts';
import { defineProtocol, methodTable } from '../protocol/protocol.ts';
import { Call, NO_OPTIONS, unwatchSignal, watchSignal } from './call.ts';
import { configOf, mountOf, protocol } from './testing/call-fixture.ts';

const method = methodTable(protocol).byName.get('ask')!;
const at = (now: number) => mountOf({ config: configOf(5_000), ticker: { now: () => now } });

test('the remaining time is rounded up, and a call without any is late', (t) => {
  const call = new Call(at(100), method, new Uint8Array(0), 'a:1', NO_OPTIONS);
  const left = (now: number) => call.timeLeft(now);
  t.deepEqual([100, 100.001, 101, 5_099, 5_099.999].map(left), [5_000, 5_000, 4_999, 1, 1]);
  t.is(left(5_100 - 2 ** -20), 1);
  const times = [100, 5_099.999, 5_100, 6_000];
  t.is(times.map((now) => call.timeLeft(now) < 0).join(), 'false,false,true,true');
  const lasting = (timeout: number) =>
    new Call(at(0), method, new Uint8Array(0), 'a:1', { timeout });
  const never = lasting(Number.POSITIVE_INFINITY);
  t.is(never.timeLeft(1e9), 0);
  const long = lasting(2 ** 31 + 0.5);
  t.is(long.timeLeft(0), 2 ** 31 + 1);
  const longer = lasting(2 ** 40);
  t.is(longer.timeLeft(0), 0xffff_ffff);
});

test('a call counts from the beginning, and one with an invalid upload or signal not at all', (t) => {
  const counts = { begun: 0, settled: 0 };
  const begin = () => void counts.begun++;
  const settled = () => void counts.settled++;
  const counted = mountOf({}, { begin, settled });
  const controller = new AbortController();
  const { signal } = controller;
  const call = new Call(counted, method, new Uint8Array(0), 'a:1', { signal });
  call.promise.catch(() => {});
  controller.abort();
  t.deepEqual(counts, { begun: 1, settled: 1 });

  const other = new AbortController();
  const upload = {
    [Symbol.asyncIterator]: () => {
      throw new Error('closed');
    },
  };
  t.throws(
    () =>
      new Call(counted, methodTable(protocol).byName.get('give')!, new Uint8Array(0), 'a:1', {
        signal: other.signal,
        upload,
      }),
    { message: 'closed' },
  );
  other.abort();
  t.deepEqual(counts, { begun: 1, settled: 1 });
  const invalid = { signal: {} as AbortSignal };
  for (let attempt = 0; attempt < 2; attempt++)
    t.throws(() => new Call(counted, method, new Uint8Array(0), 'a:1', invalid), {
      instanceOf: TypeError,
    });
  t.deepEqual(counts, { begun: 1, settled: 1 });
});

test('a codec that aborts the call while it decodes the response settles the call once', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const decode = () => controller.abort();
  const aborting = { name: 'aborting', encode: () => new Uint8Array(0), decode };
  const methods = { ask: { id: 1, request: bytes, response: aborting } };
  const aborted = defineProtocol({ name: 'aborted', version: 1, channel: 0x20, methods });
  const codes: unknown[] = [];
  const mount = mountOf({}, { settled: (code) => void codes.push(code) });
  const ask = methodTable(aborted).byName.get('ask')!;
  const call = new Call(mount, ask, new Uint8Array(0), 'a:1', { signal });
  call.answered(new Uint8Array(0));
  t.deepEqual(codes, ['cancelled']);
  await t.throwsAsync(call.promise, { code: 'cancelled' });
});

/** Returns a call that records the reasons of its aborts. */
const abortable = () => {
  const reasons: unknown[] = [];
  return { reasons, signalAborted: (reason: unknown) => void reasons.push(reason) };
};
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('one listener serves all calls of a signal', (t) => {
  const controller = new AbortController();
  const calls = Array.from({ length: 1_000 }, abortable);
  for (const each of calls) watchSignal(controller.signal, each);
  t.is(listeners(controller.signal), 1);
  const reason = new Error('enough');
  controller.abort(reason);
  for (const each of calls) t.deepEqual(each.reasons, [reason]);
  t.is(listeners(controller.signal), 0);
});

test('the last call to settle removes the listener, and a later call adds it again', (t) => {
  const controller = new AbortController();
  const [first, second, third] = [abortable(), abortable(), abortable()];
  watchSignal(controller.signal, first);
  watchSignal(controller.signal, second);
  unwatchSignal(controller.signal, first);
  unwatchSignal(controller.signal, first);
  t.is(listeners(controller.signal), 1);
  unwatchSignal(controller.signal, second);
  t.is(listeners(controller.signal), 0);
  watchSignal(controller.signal, third);
  controller.abort();
  t.is(third.reasons.length, 1);
  t.deepEqual([first.reasons, second.reasons], [[], []]);
});

test('a call that settles because another was aborted is not aborted itself', (t) => {
  const controller = new AbortController();
  const second = abortable();
  watchSignal(controller.signal, { signalAborted: () => unwatchSignal(controller.signal, second) });
  watchSignal(controller.signal, second);
  controller.abort();
  t.deepEqual(second.reasons, []);
});

test('signals are independent of each other', (t) => {
  const [a, b] = [new AbortController(), new AbortController()];
  const [first, second] = [abortable(), abortable()];
  watchSignal(a.signal, first);
  watchSignal(b.signal, second);
  a.abort('a');
  t.deepEqual([first.reasons, second.reasons], [['a'], []]);
  unwatchSignal(a.signal, second);
  b.abort('b');
  t.deepEqual(second.reasons, ['b']);
});
