// The demo's writers: many clients on one transport, each writing one value after the other, and
// their statistics.

import { systemClock } from '@trunkline/transport-core';
import type { KvClient } from '../client.ts';
import type { Cluster } from './cluster.ts';

export class Workload {
  /** The acknowledged writes, which must never be lost. */
  readonly written = new Map<string, string>();
  readonly #clients: readonly KvClient[];
  readonly #signal: AbortSignal;
  readonly #latencies: number[] = [];
  #elapsed = 0;

  constructor(cluster: Cluster, signal: AbortSignal) {
    const names = Array.from({ length: CLIENTS }, (_, i) => `client-${i}`);
    this.#clients = names.map((name) => cluster.client(name, PATIENCE));
    this.#signal = signal;
  }

  /** Writes one value, outside of the statistics. */
  async write(key: string, value: string): Promise<void> {
    await this.#clients[0]!.set(key, value);
    this.written.set(key, value);
  }

  /** Writes keys `<name>-0` to `<name>-<count - 1>`, with all clients at once. */
  async run(name: string, count: number): Promise<void> {
    const began = now();
    let next = 0;
    const work = async (client: KvClient) => {
      while (next < count) {
        this.#signal.throwIfAborted();
        const key = `${name}-${next++}`;
        const value = `the value of ${key}, ${'and then some '.repeat(6)}`;
        const asked = now();
        await client.set(key, value);
        this.#latencies.push(now() - asked);
        this.written.set(key, value);
      }
    };
    await Promise.all(this.#clients.map(work));
    this.#elapsed += now() - began;
  }

  /** The statistics of all runs together; times in milliseconds. */
  get statistics(): { commitsPerSecond: number; p50: number; p99: number } {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const rank = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
    const commitsPerSecond = (sorted.length * 1_000) / this.#elapsed;
    return { commitsPerSecond, p50: rank(0.5), p99: rank(0.99) };
  }
}

const { now } = systemClock;
const CLIENTS = 64;
/** Milliseconds for one write. */
const PATIENCE = 30_000;
