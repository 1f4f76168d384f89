// S1: a 64-byte call, one at a time, and nothing else. The wake-ups of two processes dominate its
// time.

import type { Caller } from '../adapters/adapter.ts';
import { Messages } from '../messages.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { CallScenario } from './call-scenario.ts';
import { CPU, TIMES } from './shown.ts';

export const alone: CallScenario = {
  name: 's1',
  title: '64 B echo, 1 in flight',
  figures: [...TIMES, ...CPU],
  // Needs a longer warm-up because V8 compiles code only after enough calls, and one call at a time
  // makes few: 15,000 in 1.5 s.
  warmUps: 3,
  suits: () => true,
  run: oneAtATime,
};

/** Makes calls one after the other and times each. */
export async function oneAtATime(caller: Caller, watch: Stopwatch): Promise<void> {
  const messages = new Messages(64, 1);
  while (!watch.over) {
    const request = messages.take();
    const begin = performance.now();
    const reply = await caller.call(request);
    watch.took(performance.now() - begin);
    messages.check(request, reply);
    const breath = watch.breath();
    if (breath !== undefined) await breath;
  }
}
