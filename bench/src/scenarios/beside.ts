// S6: a 64-byte call, one at a time, while two messages of 4 MiB are always in flight through the
// same client.

import type { Caller } from '../adapters/adapter.ts';
import { Messages } from '../messages.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { oneAtATime } from './alone.ts';
import type { CallScenario } from './call-scenario.ts';
import { bulk, TIMES } from './shown.ts';

// CPU is not shown, because it includes that of the large messages.
const figures = [...TIMES, bulk('bulk MB/s')];

export const beside: CallScenario = {
  name: 's6',
  title: '64 B echo beside two of 4 MiB, same channel',
  figures,
  suits: () => true,
  run: (caller, watch) => bothAtOnce(caller, watch, (request) => caller.call(request)),
};

export const besideElsewhere: CallScenario = {
  name: 's6-elsewhere',
  title: '64 B echo beside two of 4 MiB on another channel',
  figures,
  // The limits have no channels, so s6 is what this scenario is compared with.
  against: beside.name,
  suits: (caller) => caller.callElsewhere !== undefined,
  run: (caller, watch) => bothAtOnce(caller, watch, caller.callElsewhere!),
};

async function bothAtOnce(caller: Caller, watch: Stopwatch, bulk: Caller['call']): Promise<void> {
  const messages = new Messages(LARGE, 1);
  await Promise.all([
    oneAtATime(caller, watch),
    load(bulk, watch, messages),
    load(bulk, watch, messages),
  ]);
}

/** Sends one large message after the other. */
async function load(call: Caller['call'], watch: Stopwatch, messages: Messages): Promise<void> {
  while (!watch.over) {
    const request = messages.take();
    messages.check(request, await call(request));
    watch.bytes += LARGE;
    const breath = watch.breath(WEIGHT);
    if (breath !== undefined) await breath;
  }
}

const LARGE = 4 * 1024 * 1024;
/** The small calls that take as long as a large one. */
const WEIGHT = 64;
