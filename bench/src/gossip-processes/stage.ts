// The messages of a stage: they are published at a fixed rate, and each receiver tracks them.

import { setTimeout as sleep } from 'node:timers/promises';

/** The messages of a stage: the number of the first, their count, rate per second, and size. */
export interface Stage {
  readonly first: number;
  readonly count: number;
  readonly rate: number;
  readonly size: number;
}

/** The bytes that the time and the number of a message take; the rest is padding. */
const LEAST_SIZE = 16;

/** Makes a message, published now. @param size in bytes, at least `LEAST_SIZE`. */
export function writeMessage(sequence: number, size: number): Uint8Array {
  const message = new Uint8Array(size);
  const view = new DataView(message.buffer);
  view.setFloat64(0, commonNow());
  view.setFloat64(8, sequence);
  return message;
}

export function readMessage({ buffer, byteOffset }: Uint8Array) {
  const view = new DataView(buffer, byteOffset, LEAST_SIZE);
  return { publishedAt: view.getFloat64(0), sequence: view.getFloat64(8) };
}

/** Returns nanoseconds of the machine's monotonic clock, which all its processes share. */
function commonNow(): number {
  // biome-ignore lint/nursery/noJsRestrictedProperties: core's Clock begins anew in each process
  return Number(process.hrtime.bigint());
}

/**
 * Publishes at a rate that nothing slows down: a late publisher catches up in a burst. Returns the
 * messages published a second, from the first to the last.
 * @param publish may return a promise, which rejects if publishing fails.
 */
export async function publishAll(
  { first, count, rate, size }: Stage,
  publish: (message: Uint8Array) => unknown,
): Promise<number> {
  const results: unknown[] = [];
  const begin = performance.now();
  let last = begin;
  for (let sent = 0; sent < count; ) {
    last = performance.now();
    const due = Math.min(count, Math.floor(((last - begin) * rate) / 1_000) + 1);
    while (sent < due) results.push(publish(writeMessage(first + sent++, size)));
    if (sent < count) await sleep(TICK);
  }
  await Promise.allSettled(results);
  return (count * 1_000) / (last - begin + 1_000 / rate);
}

/** Tracks what one process receives of a stage. */
export class Receiver {
  readonly #first: number;
  readonly #seen: Uint8Array;
  readonly #delays: number[] = [];
  #wrong = 0;

  /** @param first the number of the first of `count` expected messages. */
  constructor(first: number, count: number) {
    this.#first = first;
    this.#seen = new Uint8Array(count);
  }

  take(message: Uint8Array): void {
    const { publishedAt, sequence } = readMessage(message);
    const at = sequence - this.#first;
    if (this.#seen[at] !== 0) return void this.#wrong++;
    this.#seen[at] = 1;
    this.#delays.push(Math.round((commonNow() - publishedAt) / 1_000));
  }

  /**
   * Waits until all messages are here, or none has arrived for `patience` milliseconds. `wrong` is
   * the number of messages that were delivered more than once or belong to another stage, and
   * `delays` has the delay of each other message in µs.
   */
  async end(patience: number) {
    let [before, changed] = [this.#delays.length, performance.now()];
    while (before < this.#seen.length && performance.now() - changed < patience) {
      await sleep(LOOK);
      if (this.#delays.length > before) changed = performance.now();
      before = this.#delays.length;
    }
    return { wrong: this.#wrong, delays: this.#delays };
  }
}

/** Milliseconds between two checks for due messages, and for those that arrived. */
const TICK = 1;
const LOOK = 10;
