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
   * large messages a second (`bulk`), and nanoseconds of CPU per call in each process and in both
   * (`cpu`). A figure is NaN if the scenario does not measure it or the system does not report it.
   * @param server the process of the server.
   */
  async measure(warmUp: number, window: number, server: number): Promise<Figures> {
    await sleep(warmUp);
    this.calls = this.bytes = this.#timed = 0;
    const pids = [process.pid, server];
    const before = pids.map(cpuTime);
    const begin = performance.now();
    do await sleep(window);
    while (this.calls === 0);
    const seconds = (performance.now() - begin) / 1_000;
    const { calls, bytes } = this;
    const times = this.#times.slice(0, Math.min(this.#timed, SAMPLES)).sort();
    const perCall = pids.map((pid, at) => (cpuTime(pid) - before[at]!) / calls);
    const [clientCpu, serverCpu] = perCall as [number, number];
    this.over = true;
    return {
      rate: calls / seconds,
      p50: percentile(times, 0.5) * 1_000,
      p99: percentile(times, 0.99) * 1_000,
      bulk: bytes === 0 ? Number.NaN : bytes / seconds / 1e6,
      clientCpu,
      serverCpu,
      cpu: clientCpu + serverCpu,
    };
  }
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
