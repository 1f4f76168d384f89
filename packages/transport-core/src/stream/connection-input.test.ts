// Tests of the receive rate of one connection. transport/fair-turns.test.ts tests its turns.

import test from 'ava';
import { UNBOUNDED } from '../session/session-context.ts';
import { ConnectionInput } from './connection-input.ts';
import type { ConnectionOwner } from './connection-output.ts';
import { TokenBuckets } from './transport-resources.ts';

/** Creates the input of a connection that may receive 1,000 bytes a second. */
function scene() {
  const state = { now: 0, paused: 0, resumed: 0, excused: 0 };
  const ticker = { now: () => state.now, enter: () => state.now, leave: () => {} };
  const scheduler = { number: 0, units: 4_096, allowance: 4_096, spend: () => {} };
  const context = {
    units: UNBOUNDED,
    grant(units: number) {
      this.units = units;
    },
    wakeBy: () => {},
  };
  const input = new ConnectionInput({
    host: { ticker, scheduler, rates: { receive: new TokenBuckets(1_000) } },
    session: {
      state: 'up',
      parts: { context },
      receive: () => true,
      excuse: (lateness: number) => {
        state.excused += lateness;
      },
    },
    stream: { pause: () => void state.paused++, resume: () => void state.resumed++ },
  } as unknown as ConnectionOwner);
  return { state, input };
}

test('the time in which nothing is read is excused once, even if data in flight prolongs it', (t) => {
  const { state, input } = scene();
  input.data(new Uint8Array(1_500));
  t.like(state, { paused: 1, excused: 500 });
  input.data(new Uint8Array(500));
  t.is(input.due, 1_000);
  t.like(state, { paused: 1, excused: 1_000 });
  state.now = 900;
  input.data(new Uint8Array(100));
  t.like(state, { paused: 1, excused: 1_100 });
  state.now = 1_100;
  input.wake(1_100);
  t.is(state.resumed, 1);
  input.data(new Uint8Array(100));
  t.like(state, { paused: 2, excused: 1_200 });
});
