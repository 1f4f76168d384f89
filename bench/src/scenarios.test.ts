// Tests that every scenario of calls checks replies and stops with its watch.

import test from 'ava';
import type { Caller } from './adapters/adapter.ts';
import { answer } from './messages.ts';
import { CALLS } from './scenarios.ts';
import { Stopwatch } from './stopwatch.ts';

for (const scenario of CALLS)
  test(`${scenario.name}: a wrong answer fails, the event loop turns, and it stops in time`, async (t) => {
    let calls = 0;
    const lying = honest((request) =>
      ++calls === 200 ? answer(request).slice(1) : answer(request),
    );
    const first = new Stopwatch();
    await t.throwsAsync(scenario.run(lying, first), { message: /a wrong answer/ });
    first.over = true;

    const second = new Stopwatch();
    setImmediate(() => {
      second.over = true;
    });
    let bytes = 0;
    const near = honest((request) => {
      bytes += request.length;
      if (bytes > 2 ** 33) throw new Error('the event loop did not turn');
      return answer(request);
    });
    await t.notThrowsAsync(scenario.run(near, second));

    const third = new Stopwatch();
    calls = 0;
    await scenario.run(
      honest((request) => {
        if (++calls === 200) third.over = true;
        return answer(request);
      }),
      third,
    );
    t.true(third.calls > 0 && third.bytes >= 0);
    t.true(calls < 400);
  });

/** Answers after a turn of the microtask queue, because on a wire no answer comes at once. */
function honest(answered: (request: Uint8Array) => Uint8Array): Caller {
  const call = async (request: Uint8Array) => {
    await null;
    return answered(request);
  };
  return { call, close: async () => {} };
}
