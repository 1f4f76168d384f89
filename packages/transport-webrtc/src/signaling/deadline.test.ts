// Tests of the bounds of a dial.

import { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { rejection } from '../testing/rejection.ts';
import { nobodyThere, withDeadline } from './deadline.ts';

const never = () => new Promise<never>(() => {});

test('a dial that takes too long rejects with dial_timeout, and its signal aborts', async (t) => {
  const clock = createManualClock();
  let signal: AbortSignal | undefined;
  const dial = rejection(
    withDeadline({ clock, timeout: 1_000, target: 'ada' }, (ending) => {
      signal = ending;
      return never();
    }),
  );
  clock.advance(999);
  t.false(signal?.aborted);
  clock.advance(1);
  t.is((await dial).reason, 'dial_timeout');
  t.true(signal?.aborted);
});

test('a dial rejects with the reason of its signal, and leaves no timer', async (t) => {
  const clock = createManualClock();
  const controller = new AbortController();
  const dial = rejection(
    withDeadline({ clock, timeout: 1_000, signal: controller.signal, target: 'ada' }, never),
  );
  const reason = new Error('enough');
  controller.abort(reason);
  t.is<unknown, Error>(await dial, reason);
  t.is(clock.timers, 0);
});

test('not_found means that nobody is there, and other errors stay', (t) => {
  const error = nobodyThere(new TransportError('not_found', 'nobody'), 'ada') as TransportError;
  t.is(error.reason, 'connection_refused');
  const other = new TransportError('internal', 'x');
  t.is(nobodyThere(other, 'ada'), other);
});
