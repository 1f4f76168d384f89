// What the stories of the demo have in common.

import { systemClock } from '@trunkline/transport-core';
import { type Acquaintance, Cluster } from './cluster.ts';
import type { MakeNetwork, Network } from './networks.ts';

export interface StoryOptions {
  readonly nodes: number;
  /** The number of writes before something happens, and again after. */
  readonly writes: number;
  /** Receives the phase that has begun, and its progress. */
  readonly progress: (phase: string, count?: string) => void;
  /** Receives lines that stay visible. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Story {
  /** The columns of the table between the backend and the verdict. */
  readonly columns: readonly string[];
  /**
   * Runs the story once and closes everything. Rejects if it cannot continue, and with the signal's
   * reason.
   */
  play(makeNetwork: MakeNetwork, options: StoryOptions): Promise<Ending>;
  /** Returns what a run has shown if nothing failed. */
  readonly moral: (options: Pick<StoryOptions, 'nodes' | 'writes'>) => string;
}

export interface Ending {
  /** One cell for each column. */
  readonly cells: readonly string[];
  /** Failed checks; empty if the run passed. */
  readonly failures: readonly string[];
}

/** Runs `play` with a cluster, and closes everything. The last place is for the clients. */
export async function withCluster(
  makeNetwork: MakeNetwork,
  { nodes, writes, signal }: StoryOptions,
  acquaintance: Acquaintance | undefined,
  play: (cluster: Cluster, network: Network) => Promise<Ending>,
): Promise<Ending> {
  const network = await makeNetwork(nodes + 1);
  const cluster = new Cluster(network, { writes, signal, acquaintance });
  try {
    return await play(cluster, network);
  } finally {
    await cluster.close();
    await network.close?.();
  }
}

/** Returns a function that tells the milliseconds since now. */
export function stopwatch(): () => number {
  const began = systemClock.now();
  return () => systemClock.now() - began;
}
