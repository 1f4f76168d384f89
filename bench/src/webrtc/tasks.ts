// The measured tasks. They run in Node and in a page.

import { echoed, type Figures, repeat, type Times } from '../echo-task.ts';

/** A connection to the server, by whichever way of carrying messages. */
export interface Link {
  /** Sends a message, and returns the server's echo. */
  call(request: Uint8Array): Promise<Uint8Array>;
  /** Sends a large message, and waits until the server has received all of it. */
  put(message: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Measures the tasks one after the other, and closes the link. */
export async function measure(link: Link, times: Times): Promise<Figures> {
  const large = new Uint8Array(LARGE);
  const call = echoed((request) => link.call(request));
  const one = await repeat(call, 1, times);
  const many = await repeat(call, IN_FLIGHT, times);
  const puts = await repeat(() => link.put(large), PUTS_IN_FLIGHT, times);
  await link.close();
  return {
    p50: one.median * 1_000,
    calls: many.rate,
    bulk: (puts.rate * LARGE) / 1e6,
  };
}

const LARGE = 1024 * 1024;
const IN_FLIGHT = 128;
const PUTS_IN_FLIGHT = 4;
