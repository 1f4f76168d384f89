// The measured tasks. They run in Node and in a page.

import { echoed, type Figures, repeat, type Times } from '../echo-task.ts';
import { median } from '../statistics.ts';

/** A connection to the server, by whichever way of carrying messages. */
export interface Link {
  /** Sends a message, and returns the server's echo. */
  call(request: Uint8Array): Promise<Uint8Array>;
  /** Sends a large message, and waits until the server has received all of it. */
  put(message: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** The figures of a column. */
export interface LinkFigures extends Figures {
  /** Median of the times to connect, signaling included, in milliseconds. */
  readonly connect: number;
}

/** Measures how long it takes to connect, and then the tasks over one link, one after the other. */
export async function measure(connect: () => Promise<Link>, times: Times): Promise<LinkFigures> {
  const took: number[] = [];
  for (let n = 0; n < CONNECTS; n++) {
    const begin = performance.now();
    const link = await connect();
    took.push(performance.now() - begin);
    await link.close();
  }
  const link = await connect();
  const large = new Uint8Array(LARGE);
  const call = echoed((request) => link.call(request));
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

const CONNECTS = 9;
const LARGE = 1024 * 1024;
const IN_FLIGHT = 128;
const PUTS_IN_FLIGHT = 4;
