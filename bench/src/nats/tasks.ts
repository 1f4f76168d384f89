// The measured tasks: one request at a time, 256 at a time, and one stream.

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

/** The median time of a request in µs, requests a second, and MB a second. */
export interface Figures {
  readonly p50: number;
  readonly calls: number;
  readonly bulk: number;
}

export type Figure = keyof Figures;

/** Milliseconds of each task, and of the warm-up before it. */
export interface Times {
  readonly warmUp: number;
  readonly window: number;
}

/** Measures the tasks one after the other, and closes the link. */
export async function measure(link: Link, times: Times): Promise<Figures> {
  const one = await requests(link, 1, times);
  const many = await requests(link, IN_FLIGHT, times);
  const bulk = await stream(link, times);
  await link.close();
  return { p50: one.median * 1_000, calls: many.rate, bulk };
}

/** Keeps `atOnce` requests in flight; returns how many ended a second and how long one took. */
async function requests(link: Link, atOnce: number, { warmUp, window }: Times) {
  const request = new Uint8Array(SMALL);
  let isOver = false;
  let times: number[] = [];
  const worker = async () => {
    while (!isOver) {
      const start = performance.now();
      const { length } = await link.call(request);
      if (length !== SMALL) throw new Error(`an echo of ${SMALL} bytes has ${length}`);
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
  const ended = times.sort((a, b) => a - b);
  isOver = true;
  await workers;
  return { rate: ended.length / seconds, median: ended[ended.length >> 1] ?? Number.NaN };
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

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const SMALL = 64;
const IN_FLIGHT = 256;
/** The chunks of the stream, in bytes. */
export const CHUNK = 64 * 1024;
