// S6: a 64-byte call, one at a time, while two messages of 4 MiB are always in flight through the same client.

import type { Caller } from '../adapters/adapter.ts';
import { check, numbered } from '../messages.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { alone, oneAtATime } from './alone.ts';
import type { Scenario } from './scenario.ts';

export const beside: Scenario = {
  name: 's6',
  title: '64 B beside 4 MiB, same channel',
  against: alone.name,
  suits: () => true,
  run: (caller, watch) => bothAtOnce(caller, watch, (request) => caller.call(request)),
};

export const besideElsewhere: Scenario = {
  name: 's6-elsewhere',
  title: '64 B beside 4 MiB, another channel',
  against: alone.name,
  suits: (caller) => caller.callElsewhere !== undefined,
  run: (caller, watch) => bothAtOnce(caller, watch, caller.callElsewhere!),
};

async function bothAtOnce(caller: Caller, watch: Stopwatch, bulk: Caller['call']): Promise<void> {
  await Promise.all([oneAtATime(caller, watch), load(bulk, watch, 1), load(bulk, watch, 2)]);
}

/** One large message after the other. */
async function load(call: Caller['call'], watch: Stopwatch, number: number): Promise<void> {
  const request = numbered(LARGE, number);
  while (!watch.over) {
    check(request, await call(request));
    watch.bytes += LARGE;
  }
}

const LARGE = 4 * 1024 * 1024;
