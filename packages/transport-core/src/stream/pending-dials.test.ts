// Tests of PendingDials: how a dial settles, and what it releases.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { createManualClock } from '../manual-clock.ts';
import { type PendingDial, PendingDials, type StreamConnection } from './stream-layer.ts';

const connection = {} as StreamConnection;

/** Opens a dial, whose `begin` calls `during`, and records what is released. */
function opened(during: (dial: PendingDial, dials: PendingDials, own: AbortController) => void) {
  const clock = createManualClock();
  const dials = new PendingDials(clock);
  const own = new AbortController();
  const released: unknown[] = [];
  let dial: PendingDial | undefined;
  const options = { timeout: 100, signal: own.signal };
  const promise = dials.open('there:1', options, (begun) => {
    dial = begun;
    during(begun, dials, own);
    return (error) => void released.push(error);
  });
  promise.catch(() => {});
  return { clock, dials, own, released, promise, dial: dial! };
}

for (const [what, fail] of Object.entries<Parameters<typeof opened>[0]>({
  'it fails': ({ failed }) => failed(new Error('refused')),
  'its signal aborts': (_dial, _dials, own) => own.abort(new Error('given up')),
  'its layer closes': (_dial, dials) => dials.close(),
})) {
  test(`if ${what} while it begins or later, a dial is released once, and leaves no timer`, async (t) => {
    const early = opened(fail);
    const late = opened(() => {});
    fail(late.dial, late.dials, late.own);
    for (const { promise, released, clock, dial } of [early, late]) {
      const error = await t.throwsAsync(promise);
      t.false(dial.wanted());
      dial.connected(connection);
      dial.failed(new Error('later'));
      t.deepEqual(released, [error]);
      t.is(clock.timers, 0);
    }
  });
}

test('a dial that connects is not released, also if its layer closes later', async (t) => {
  for (const during of [({ connected }: PendingDial) => connected(connection), () => {}]) {
    const { promise, dial, dials, released, clock } = opened(during);
    dial.connected(connection);
    t.is(await promise, connection);
    dials.close();
    dial.failed(new Error('later'));
    t.deepEqual(released, []);
    t.is(clock.timers, 0);
  }
});

test('a dial that takes too long is released, and says what was exceeded', async (t) => {
  const { promise, clock, released } = opened(() => {});
  clock.advance(100);
  const error = await t.throwsAsync(promise, { instanceOf: TransportError });
  t.like(error, { reason: 'dial_timeout', target: 'there:1' });
  t.is(error?.message, 'Cannot connect to there:1: no answer within 100 ms (dialTimeout)');
  t.deepEqual(released, [error]);
});

test('a dial whose begin throws, or whose signal has aborted, rejects with that error', async (t) => {
  const wrong = new Error('wrong address');
  const { promise, clock } = opened(() => {
    throw wrong;
  });
  t.is(await t.throwsAsync(promise), wrong);
  t.is(clock.timers, 0);
  const dials = new PendingDials(clock);
  const begin = () => t.fail('it must not begin');
  const gone = dials.open('there:1', { timeout: 100, signal: AbortSignal.abort(wrong) }, begin);
  t.is(await t.throwsAsync(gone), wrong);
});
