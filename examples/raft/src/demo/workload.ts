// The demo's writers: many clients on one transport, each writing one value after the other, and
// their statistics.

import { systemClock, type Transport } from '@trunkline/transport-core';
import type { KvClient } from '../client.ts';
import type { RaftProtocol } from '../protocol.ts';
import type { Cluster } from './cluster.ts';

export class Workload {
  /** The acknowledged writes, which must never be lost. */
  readonly written = new Map<string, string>();
  readonly #clients: readonly KvClient[];
  readonly #latencies: number[] = [];
  #elapsed = 0;

  constructor(transport: Transport<RaftProtocol>, cluster: Cluster) {
    this.#clients = Array.from({ length: CLIENTS }, (_, i) =>
      cluster.client({ transport, name: `client-${i}`, timeout: PATIENCE }),
    );
  }

  /** Writes one value, outside of the statistics. */
  async write(key: string, value: string): Promise<void> {
    await this.#clients[0]!.set(key, value);
    this.written.set(key, value);
  }

  /**
   * Writes keys `<name>-0` to `<name>-<count - 1>`, with all clients at once; reports the number of
   * committed writes about fifty times.
   */
  async run(
    name: string,
    count: number,
    progress: (committed: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const began = clock.now();
    let next = 0;
    let committed = 0;
    const work = async (client: KvClient) => {
      while (next < count) {
        signal.throwIfAborted();
        const key = `${name}-${next++}`;
        const value = `the value of ${key}, ${'and then some '.repeat(6)}`;
        const asked = clock.now();
        await client.set(key, value);
        this.#latencies.push(clock.now() - asked);
        this.written.set(key, value);
        if (++committed % Math.ceil(count / 50) === 0) progress(committed);
      }
    };
    await Promise.all(this.#clients.map(work));
    this.#elapsed += clock.now() - began;
  }

  /** The statistics of all runs together; times in milliseconds. */
  get statistics(): { commitsPerSecond: number; p50: number; p99: number } {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const rank = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
    return {
      commitsPerSecond: (sorted.length * 1_000) / this.#elapsed,
      p50: rank(0.5),
      p99: rank(0.99),
    };
  }
}

const clock = systemClock;
const CLIENTS = 64;
/** Milliseconds for one write, multiplied by the time scale of the cluster. */
const PATIENCE = 30_000;
