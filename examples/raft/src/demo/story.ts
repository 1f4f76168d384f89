// What the stories of the demo have in common.

import { systemClock } from '@trunkline/transport-core';
import type { MakeNetwork, Network } from './networks.ts';

export interface StoryOptions {
  readonly nodes: number;
  /** The number of writes before something happens, and again after. */
  readonly writes: number;
  /** Receives lines about what happens. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Story {
  /** The columns of the table between the backend and the verdict. */
  readonly columns: readonly string[];
  /**
   * Runs the story once, on a network with one place more than nodes. Rejects if it cannot
   * continue, and with the signal's reason.
   */
  play(network: Network, options: StoryOptions): Promise<Ending>;
}

export interface Ending {
  /** One cell for each column. */
  readonly cells: readonly string[];
  /** Failed checks; empty if the run passed. */
  readonly failures: readonly string[];
}

/** Plays a story on a network of its own. */
export async function play(
  story: Story,
  makeNetwork: MakeNetwork,
  options: StoryOptions,
): Promise<Ending> {
  const network = await makeNetwork(options.nodes + 1);
  try {
    return await story.play(network, options);
  } finally {
    await network.close?.();
  }
}

/** Returns a function that tells the milliseconds since now. */
export function stopwatch(): () => number {
  const began = systemClock.now();
  return () => systemClock.now() - began;
}

/** Returns the first digits of a node id, which are enough for people to compare. */
export function brief(nodeId: string): string {
  return nodeId.slice(0, 8);
}
