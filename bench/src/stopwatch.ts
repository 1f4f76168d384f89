// Says when a scenario stops, and notes what happened between the end of the warm-up and then.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { cpuTime } from './cpu-time.ts';
import { percentile } from './statistics.ts';

/** What one window showed. Absent is what the scenario does not tell. */
export interface Figures {
  /** Calls a second. */
  readonly rate: number;
  /** Microseconds of a call. */
  readonly p50?: number;
  readonly p99?: number;
  /** Megabytes (10^6) a second of large messages. */
  readonly bulk?: number;
  /** Nanoseconds of CPU a call, in each process; absent where the system doesn't tell, and of a process that has nothing to do. */
  readonly clientCpu?: number;
  readonly serverCpu?: number;
  /** Nanoseconds that the codecs of a call take at both ends, without a wire. */
  readonly codec?: number;
  /** KiB of the server's memory a connection: of all of it, and in use of the heap. */
  readonly rss?: number;
  readonly heap?: number;
}

export type Figure = keyof Figures;

export class Stopwatch {
  /** The scenario makes no more calls. */
  over = false;
  /** Calls that came back, and bytes of large ones. */
  calls = 0;
  bytes = 0;
  readonly #times = new Float64Array(SAMPLES);
  #timed = 0;
  #breaths = 0;

  /** A promise once in a while: who awaits it lets the loop turn, which answers in the same process never do by themselves. */
  breath(): Promise<void> | undefined {
    return ++this.#breaths % BREATH === 0 ? turn() : undefined;
  }

  /** A call came back after so many milliseconds. */
  took(time: number): void {
    this.#times[this.#timed++ % SAMPLES] = time;
    this.calls++;
  }

  /**
   * Lets the scenario run for `warmUp` and then `window` milliseconds, or until a first call came back.
   * @param serverPids whose CPU is the server's.
   */
  async measure(warmUp: number, window: number, ...serverPids: readonly number[]): Promise<Figures> {
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
      before === undefined || after === undefined || after === before ? undefined : (after - before) / calls;
    const clientCpu = perCall(client, cpuTime(process.pid));
    const serverCpu = perCall(server, cpuOf(serverPids));
    this.over = true;
    return {
      rate: calls / seconds,
      ...(times.length > 0 && { p50: percentile(times, 0.5) * 1_000, p99: percentile(times, 0.99) * 1_000 }),
      ...(bytes > 0 && { bulk: bytes / seconds / 1e6 }),
      ...(clientCpu !== undefined && { clientCpu }),
      ...(serverCpu !== undefined && { serverCpu }),
    };
  }
}

function cpuOf(pids: readonly number[]): number | undefined {
  const times = pids.map(cpuTime);
  return times.every((time) => time !== undefined) ? times.reduce((sum, time) => sum + time, 0) : undefined;
}

/** More calls than one at a time can make in a window; beyond it the last ones count. */
const SAMPLES = 1 << 20;
/** Calls between two turns of the loop: next to nothing where each waits for a socket. */
const BREATH = 1_024;
