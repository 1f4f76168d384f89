// The scenarios of calls: what a client does to a server.

import type { Caller } from './adapters/adapter.ts';
import type { Figure, Figures } from './benchmark.ts';
import { Messages } from './messages.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface CallScenario<C = Caller> {
  /** The name for `--scenario`. */
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  /** The factor of the usual warm-up that the scenario needs. Default 1. */
  readonly warmUps?: number;
  /**
   * Makes calls until the watch says stop, and checks every reply. May return figures in addition
   * to those of the watch.
   */
  run(caller: C, watch: Stopwatch): Promise<Figures | void>;
}

/** A number of calls of one size in flight. */
export interface Load {
  /** The size of a request in bytes. */
  readonly size: number;
  readonly inFlight: number;
}

const CPU: readonly Figure[] = [
  { key: 'clientCpu', unit: 'client ns' },
  { key: 'serverCpu', unit: 'server ns' },
];
const TIMES: readonly Figure[] = [
  { key: 'p50', unit: 'p50 µs' },
  { key: 'p99', unit: 'p99 µs' },
];
const RATE: Figure = { key: 'rate', unit: 'calls/s' };
const bulk = (unit: string): Figure => ({ key: 'bulk', unit });
const KIB = 1024;
const LARGE = 4 * KIB * KIB;

export const CALLS: readonly CallScenario[] = [
  {
    name: 's1',
    title: '64 B echo, 1 in flight',
    figures: [...TIMES, ...CPU],
    // Needs a longer warm-up because V8 compiles code only after enough calls, and one call at a
    // time makes few: 15,000 in 1.5 s.
    warmUps: 3,
    run: oneAtATime,
  },
  many('s2', '64 B echo, 128 in flight', { size: 64, inFlight: 128 }, RATE),
  many('s3', '1 KiB echo, 128 in flight', { size: KIB, inFlight: 128 }, RATE),
  many('s4', '64 KiB echo, 16 in flight', { size: 64 * KIB, inFlight: 16 }, bulk('MB/s each way')),
  many(
    's5',
    '1 MiB request, short response, 4 in flight',
    { size: KIB * KIB, inFlight: 4 },
    bulk('MB/s'),
  ),
  {
    name: 's6',
    title: '64 B echo beside two requests of 4 MiB on the same channel',
    figures: [...TIMES, bulk('bulk MB/s')],
    run: besideLarge,
  },
];

/** A stream from the server, for adapters that have one. */
export const STREAM: CallScenario = {
  name: 'stream',
  title: 'a stream of 64 KiB chunks',
  figures: [bulk('MB/s')],
  async run({ stream }, watch) {
    await stream!((length) => {
      watch.calls++;
      watch.bytes += length;
      return !watch.over;
    });
  },
};

/** Makes calls one after the other and times each. */
async function oneAtATime(caller: Caller, watch: Stopwatch): Promise<void> {
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

/** Calls of one size, many in flight on one connection. */
function many(name: string, title: string, load: Load, figure: Figure): CallScenario {
  return {
    name,
    title,
    figures: [figure, ...CPU, { key: 'codec', unit: 'codec ns' }],
    async run(caller, watch) {
      const messages = await runLoad(caller, watch, load);
      return caller.inProcess && { codec: codecCost(caller.inProcess, messages) };
    },
  };
}

/**
 * Keeps a load in flight until the watch says stop. A request of no bytes has no number to check.
 * @param weight the number of small calls that take as long as one of these. Heavier calls than
 *   those of the scenario count only as bytes.
 */
export async function runLoad(
  caller: Caller,
  watch: Stopwatch,
  { size, inFlight }: Load,
  weight = 1,
): Promise<Messages> {
  const messages = new Messages(size, inFlight);
  const work = async () => {
    while (!watch.over) {
      const request = messages.take();
      messages.check(request, await caller.call(request));
      if (weight === 1) watch.calls++;
      watch.bytes += size;
      const breath = watch.breath(weight);
      if (breath !== undefined) await breath;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return messages;
}

/**
 * A 64-byte call, one at a time, while two messages of 4 MiB are always in flight through the same
 * client. CPU is not shown, because it includes that of the large messages.
 */
async function besideLarge(caller: Caller, watch: Stopwatch): Promise<void> {
  const large = runLoad(caller, watch, { size: LARGE, inFlight: 2 }, WEIGHT);
  await Promise.all([oneAtATime(caller, watch), large]);
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
  } while (passed < CODEC_TIME);
  return (passed * 1e6) / calls;
}

/** The small calls that take as long as a large one. */
const WEIGHT = 64;
/** The time in milliseconds that the codecs run. */
const CODEC_TIME = 100;
