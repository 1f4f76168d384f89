// The measured tasks: one request at a time, 256 at a time, and one stream.

import { echoed, type Figures, repeat, type Times } from '../echo-task.ts';

/** A client of the server of the benchmark. */
export interface Link {
  /** Sends a request, and returns the server's echo. */
  call(request: Uint8Array): Promise<Uint8Array>;
  /**
   * Receives an endless stream until `take`, which gets the length of each chunk, returns false.
   */
  stream(take: (length: number) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** Measures the tasks one after the other, and closes the link. */
export async function measure(link: Link, times: Times): Promise<Figures> {
  const call = echoed((request) => link.call(request));
  const one = await repeat(call, 1, times);
  const many = await repeat(call, IN_FLIGHT, times);
  const bulk = await stream(link, times);
  await link.close();
  return { p50: one.median * 1_000, calls: many.rate, bulk };
}

/** Returns the MB a second of the stream. */
async function stream(link: Link, { warmUp, window }: Times): Promise<number> {
  const began = performance.now();
  let start: number | undefined;
  let now = began;
  let bytes = 0;
  await link.stream((length) => {
    now = performance.now();
    if (start !== undefined) bytes += length;
    else if (now - began >= warmUp) start = now;
    return now - (start ?? now) < window;
  });
  return bytes / 1_000 / (now - start!);
}

const IN_FLIGHT = 256;
/** The chunks of the stream, in bytes. */
export const CHUNK = 64 * 1024;
