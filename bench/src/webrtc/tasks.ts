// The measured tasks. They run in Node and in a page.

import type { Figures } from '../benchmark.ts';
import { median } from '../statistics.ts';

/** A connection to the server, by whichever way of carrying messages. */
export interface Link {
  /** Sends a message, and returns the server's echo. */
  call(request: Uint8Array): Promise<Uint8Array>;
  /** Sends a large message, and waits until the server has received all of it. */
  put(message: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds of each task, and of the warm-up before it. */
export interface Times {
  readonly warmUp: number;
  readonly window: number;
}

/**
 * Measures how long it takes to connect, signaling included, and then the tasks over one link, one
 * after the other. Returns the medians of connecting in milliseconds and of a call in µs, calls a
 * second, and MB a second.
 */
export async function measure(connect: () => Promise<Link>, times: Times): Promise<Figures> {
  const took: number[] = [];
  for (let n = 0; n < CONNECTS; n++) {
    const begin = performance.now();
    const link = await connect();
    took.push(performance.now() - begin);
    await link.close();
  }
  const link = await connect();
  const large = new Uint8Array(LARGE);
  const call = async () => {
    const { length } = await link.call(SMALL);
    if (length !== SMALL.length) throw new Error(`an echo of ${SMALL.length} bytes has ${length}`);
  };
  const one = await repeat(call, 1, times);
  const many = await repeat(call, IN_FLIGHT, times);
  const puts = await repeat(() => link.put(large), PUTS_IN_FLIGHT, times);
  await link.close();
  return {
    connect: median(took),
    p50: one.median * 1_000,
    calls: many.rate,
    bulk: (puts.rate * LARGE) / 1e6,
  };
}

/**
 * Keeps `atOnce` tasks in flight, and returns how many ended a second, and the median of their
 * milliseconds.
 */
async function repeat(
  task: () => Promise<void>,
  atOnce: number,
  { warmUp, window }: Times,
): Promise<{ readonly rate: number; readonly median: number }> {
  let isOver = false;
  let times: number[] = [];
  const worker = async () => {
    while (!isOver) {
      const start = performance.now();
      await task();
      times.push(performance.now() - start);
    }
  };
  const workers = Promise.all(Array.from({ length: atOnce }, worker));
  // A failure ends the wait.
  await Promise.race([sleep(warmUp), workers]);
  times = [];
  const start = performance.now();
  await Promise.race([sleep(window), workers]);
  const seconds = (performance.now() - start) / 1_000;
  const ended = [...times];
  isOver = true;
  await workers;
  return { rate: ended.length / seconds, median: median(ended) };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const SMALL = new Uint8Array(64);
const CONNECTS = 9;
/** The bytes of a large message. */
export const LARGE = 1024 * 1024;
const IN_FLIGHT = 128;
const PUTS_IN_FLIGHT = 4;
