// Publishes at a fixed rate that nothing slows down: a late publisher catches up in a burst.

import { setTimeout as sleep } from 'node:timers/promises';
import { writeMessage } from './message.ts';

export interface Publishing {
  /** The number of the first message. */
  readonly first: number;
  readonly count: number;
  /** Messages a second. */
  readonly rate: number;
  /** The size of a message in bytes. */
  readonly size: number;
}

export interface Published {
  /** Messages published a second, from the first to the last. */
  readonly rate: number;
  /** The delay in milliseconds of the message that was published latest after it was due. */
  readonly late: number;
}

/** @param publish may return a promise, which rejects if publishing fails. */
export async function publishAll(
  { first, count, rate, size }: Publishing,
  publish: (message: Uint8Array) => unknown,
): Promise<Published> {
  const results: unknown[] = [];
  const begin = performance.now();
  let late = 0;
  let last = begin;
  for (let sent = 0; sent < count; ) {
    last = performance.now();
    const due = Math.min(count, Math.floor(((last - begin) * rate) / 1_000) + 1);
    if (sent < due) late = Math.max(late, last - begin - (sent * 1_000) / rate);
    while (sent < due) results.push(publish(writeMessage(first + sent++, size)));
    if (sent < count) await sleep(TICK);
  }
  await Promise.allSettled(results);
  const spacing = 1_000 / rate;
  return {
    rate: (count * 1_000) / (last - begin + spacing),
    late,
  };
}

/** Milliseconds between two checks for due messages. */
const TICK = 1;
