// S2: 64-byte calls, 128 in flight on one connection.

import type { Caller } from '../adapters/adapter.ts';
import { check, SmallMessages } from '../messages.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { Scenario } from './scenario.ts';

export const inFlight: Scenario = {
  name: 's2',
  title: `64 B, 128 in flight`,
  suits: () => true,
  async run(caller, watch) {
    const messages = new SmallMessages(64);
    await Promise.all(Array.from({ length: 128 }, () => work(caller, messages, watch)));
  },
};

async function work(caller: Caller, messages: SmallMessages, watch: Stopwatch): Promise<void> {
  while (!watch.over) {
    const request = messages.take();
    check(request, await caller.call(request));
    watch.calls++;
  }
}
