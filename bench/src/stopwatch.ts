// Stops a scenario, and records what happened between the end of the warm-up and the stop.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Figures } from './benchmark.ts';
import { cpuTime } from './cpu-time.ts';
import { percentile } from './statistics.ts';

export class Stopwatch {
  /** Set when the scenario must make no more calls. */
  over = false;
  /** Calls that returned, and bytes of large ones. */
  calls = 0;
  bytes = 0;
  readonly #times = new Float64Array(SAMPLES);
  #timed = 0;
  #breaths = 0;

  /**
   * Returns a promise now and then. Awaiting it lets the event loop turn, which never happens by
   * itself if answers come from the same process.
   * @param weight the number of small calls that the last call was as long as.
   */
  breath(weight = 1): Promise<void> | undefined {
    this.#breaths += weight;
    if (this.#breaths < BREATH) return undefined;
    this.#breaths = 0;
    return turn();
  }

  /** Counts a call that took `time` milliseconds. */
  took(time: number): void {
    this.#times[this.#timed++ % SAMPLES] = time;
    this.calls++;
  }

  /**
   * Lets the scenario run for `warmUp` and then `window` milliseconds, or longer until a first call
   * has returned. Returns calls a second (`rate`), the times of a call in µs (`p50`, `p99`), MB of
   * large messages a second (`bulk`), and nanoseconds of CPU per call in each process; absent are
   * those that the scenario does not measure or the system does not report.
   * @param serverPids the processes whose CPU counts as the server's.
   */
  async measure(
    warmUp: number,
    window: number,
    ...serverPids: readonly number[]
  ): Promise<Figures> {
    await sleep(warmUp);
    this.calls = this.bytes = this.#timed = 0;
    const client = cpuTime(process.pid);
    const server = cpuOf(serverPids);
    const begin = performance.now();
    do await sleep(window);
    while (this.calls === 0);
    const seconds = (performance.now() - begin) / 1_000;
    const { calls, bytes } = this;
    const times = this.#times.slice(0, Math.min(this.#timed, SAMPLES)).sort();
    const perCall = (before: number | undefined, after: number | undefined) =>
      before === undefined || after === undefined || after === before
        ? undefined
        : (after - before) / calls;
    const clientCpu = perCall(client, cpuTime(process.pid));
    const serverCpu = perCall(server, cpuOf(serverPids));
    this.over = true;
    return {
      rate: calls / seconds,
      ...(times.length > 0 && {
        p50: percentile(times, 0.5) * 1_000,
        p99: percentile(times, 0.99) * 1_000,
      }),
      ...(bytes > 0 && { bulk: bytes / seconds / 1e6 }),
      ...(clientCpu !== undefined && { clientCpu }),
      ...(serverCpu !== undefined && { serverCpu }),
    };
  }
}

function cpuOf(pids: readonly number[]): number | undefined {
  const times = pids.map(cpuTime);
  return times.every((time) => time !== undefined)
    ? times.reduce((sum, time) => sum + time, 0)
    : undefined;
}

/**
 * More samples than calls one at a time can make in a window; if there are more calls, the last
 * ones count.
 */
const SAMPLES = 1 << 20;
/**
 * Small calls between two turns of the loop; the cost is negligible if each call waits for a
 * socket.
 */
const BREATH = 1_024;
