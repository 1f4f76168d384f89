// S1: a 64-byte call, one at a time, and nothing else. What it takes is the wake-ups of two processes.

import type { Caller } from '../adapters/adapter.ts';
import { check, SmallMessages } from '../messages.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { Scenario } from './scenario.ts';

export const alone: Scenario = {
  name: 's1',
  title: '64 B, 1 in flight',
  suits: () => true,
  run: oneAtATime,
};

/** Calls one after the other, each timed. */
export async function oneAtATime(caller: Caller, watch: Stopwatch): Promise<void> {
  const messages = new SmallMessages(64);
  while (!watch.over) {
    const request = messages.take();
    const begin = performance.now();
    const reply = await caller.call(request);
    watch.took(performance.now() - begin);
    check(request, reply);
  }
}
