// Tests that every scenario of calls checks replies and stops with its watch.

import test from 'ava';
import type { Caller } from '../adapters/adapter.ts';
import { answer } from '../messages.ts';
import { Stopwatch } from '../stopwatch.ts';
import { scenariosOf } from './by-name.ts';
import { CALLS } from './calls.ts';

for (const scenario of CALLS) {
  test(`${scenario.name}: a caller with one wrong answer fails`, async (t) => {
    let calls = 0;
    const lying = honest((request) =>
      ++calls === 200 ? answer(request).slice(1) : answer(request),
    );
    const watch = new Stopwatch();
    await t.throwsAsync(scenario.run(lying, watch), { message: /a wrong answer/ });
    watch.over = true;
  });

  test(`${scenario.name}: the event loop turns even if every answer comes in the same turn`, async (t) => {
    const watch = new Stopwatch();
    setImmediate(() => {
      watch.over = true;
    });
    let bytes = 0;
    const near = honest((request) => {
      bytes += request.length;
      if (bytes > 2 ** 33) throw new Error('the event loop did not turn');
      return answer(request);
    });
    await t.notThrowsAsync(scenario.run(near, watch));
  });

  test(`${scenario.name}: it stops when its time is over`, async (t) => {
    const watch = new Stopwatch();
    let calls = 0;
    await scenario.run(
      honest((request) => {
        if (++calls === 200) watch.over = true;
        return answer(request);
      }),
      watch,
    );
    t.true(watch.calls > 0);
    t.true(calls < 400);
    t.is(
      watch.bytes > 0,
      scenario.figures.some(({ figure }) => figure === 'bulk'),
    );
  });
}

test('--scenario accepts full names and prefixes', (t) => {
  const names = (wanted: string[]) => scenariosOf(wanted).map(({ name }) => name);
  t.deepEqual(names(['s6', 's2']), ['s2', 's6']);
  t.deepEqual(names(['s6-']), ['s6-elsewhere']);
  t.throws(() => scenariosOf(['s9']), {
    instanceOf: TypeError,
    message: /--scenario: .*'s9'; there are s1, s2/,
  });
});

/** Answers after a turn of the microtask queue, because on a wire no answer comes at once. */
function honest(answered: (request: Uint8Array) => Uint8Array): Caller {
  const call = async (request: Uint8Array) => {
    await null;
    return answered(request);
  };
  return { call, callElsewhere: call, close: async () => {} };
}
