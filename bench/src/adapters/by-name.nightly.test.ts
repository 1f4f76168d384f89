// Tests that every adapter carries calls as the scenarios make them: many at a time, small ones
// beside large ones.

import test from 'ava';
import { answer, check, Messages, numbered } from '../messages.ts';
import { ADAPTER_NAMES, adapterOf } from './by-name.ts';

for (const name of ADAPTER_NAMES) {
  // Serial, because a call has its default deadline, and tests that run in parallel would use up
  // its time.
  test.serial(`${name} carries small calls, many at a time, beside large ones`, async (t) => {
    const adapter = await adapterOf(name);
    t.is(adapter.name, name);
    const serving = await adapter.serve(answer);
    const caller = await adapter.connect(serving.address);
    const messages = new Messages(64, 250);
    const requests = Array.from({ length: 500 }, () => messages.take());
    const large = [
      16 * 1024,
      16 * 1024 + 1,
      64 * 1024,
      64 * 1024 + 1,
      1024 * 1024,
      4 * 1024 * 1024,
    ].map(numbered);
    requests.splice(250, 0, ...large);
    for (const call of [caller.call, caller.callElsewhere ?? caller.call]) {
      const replies = await Promise.all(requests.map((request) => call(request)));
      for (const [at, reply] of replies.entries()) t.notThrows(() => check(requests[at]!, reply));
    }
    for (const request of large)
      t.notThrows(() => check(request, caller.inProcess?.(request) ?? answer(request)));
    await caller.close();
    await serving.close();
  });
}
