// The parts that tasks of several benchmarks share, in Node and in a page: requests that are echoed,
// some at a time, and their rate and time.

/** The median time of a call in µs, calls a second, and MB a second. */
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

/** Returns a task that sends a small request by `call`, and checks its echo. */
export function echoed(call: (request: Uint8Array) => Promise<Uint8Array>): () => Promise<void> {
  const request = new Uint8Array(SMALL);
  return async () => {
    const { length } = await call(request);
    if (length !== SMALL) throw new Error(`an echo of ${SMALL} bytes has ${length}`);
  };
}

/**
 * Keeps `atOnce` tasks in flight, and returns how many ended a second, and the median of their
 * milliseconds.
 */
export async function repeat(
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
  const ended = times.sort((a, b) => a - b);
  isOver = true;
  await workers;
  return { rate: ended.length / seconds, median: ended[ended.length >> 1] ?? Number.NaN };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const SMALL = 64;
