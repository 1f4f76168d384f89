// S2 to S5: calls of one size, many in flight on one connection.

import type { Caller } from '../adapters/adapter.ts';
import { Messages } from '../messages.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { CallScenario } from './call-scenario.ts';
import type { Shown } from './scenario.ts';
import { bulk, CODEC, CPU, RATE } from './shown.ts';

const KIB = 1024;

export const small = many({
  name: 's2',
  title: '64 B echo, 128 in flight',
  size: 64,
  inFlight: 128,
  figure: RATE,
});
export const medium = many({
  name: 's3',
  title: '1 KiB echo, 128 in flight',
  size: KIB,
  inFlight: 128,
  figure: RATE,
});
export const large = many({
  name: 's4',
  title: '64 KiB echo, 16 in flight',
  size: 64 * KIB,
  inFlight: 16,
  figure: bulk('MB/s each way'),
});
export const oneWay = many({
  name: 's5',
  title: '1 MiB one way, 4 in flight',
  size: KIB * KIB,
  inFlight: 4,
  figure: bulk('MB/s'),
});

interface Load {
  readonly name: string;
  readonly title: string;
  /** The size of a request in bytes. */
  readonly size: number;
  readonly inFlight: number;
  /** The figure that the scenario is about. */
  readonly figure: Shown;
}

function many({ name, title, size, inFlight, figure }: Load): CallScenario {
  return {
    name,
    title,
    figures: [figure, ...CPU, CODEC],
    suits: () => true,
    async run(caller, watch) {
      const messages = new Messages(size, inFlight);
      const counted = figure.figure === 'bulk' ? size : 0;
      await Promise.all(
        Array.from({ length: inFlight }, () => work(caller, messages, counted, watch)),
      );
      return caller.inProcess && { codec: codecCost(caller.inProcess, messages) };
    },
  };
}

/**
 * Returns the nanoseconds that the codecs of a call take. Runs right after the calls, while the
 * code is compiled for exactly these messages.
 */
function codecCost(inProcess: NonNullable<Caller['inProcess']>, messages: Messages): number {
  let calls = 0;
  let passed = 0;
  const begin = performance.now();
  do {
    for (let i = 0; i < 100; i++) {
      const request = messages.take();
      messages.check(request, inProcess(request));
    }
    calls += 100;
    passed = performance.now() - begin;
  } while (passed < MEASURED);
  return (passed * 1e6) / calls;
}

/** The time in milliseconds that the codecs run. */
const MEASURED = 100;

async function work(
  caller: Caller,
  messages: Messages,
  counted: number,
  watch: Stopwatch,
): Promise<void> {
  while (!watch.over) {
    const request = messages.take();
    messages.check(request, await caller.call(request));
    watch.calls++;
    watch.bytes += counted;
    const breath = watch.breath();
    if (breath !== undefined) await breath;
  }
}
