// The scenario "storm": all nodes start at once, know the same single node, and must soon form one
// network. Then that node is killed.

import { createSimulation } from '@trunkline/simulation';
import { Fleet } from './fleet.ts';

/** The outcome of {@link storm}. */
export interface StormOutcome {
  /** Milliseconds until the network was one graph; undefined if that took more than 10 seconds. */
  readonly joined: number | undefined;
  /**
   * Sizes of the connected parts without the common node: right after it was killed, and a second
   * later (`last`).
   */
  readonly killed: readonly number[];
  readonly last: readonly number[];
  /** The largest number of inbound peers that the common node had. */
  readonly most: number;
}

export async function storm(seed: number, nodes: number): Promise<StormOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const fleet = new Fleet(sim);
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const hub = names[0]!;
  for (const name of names) fleet.boot({ name, peers: { seeds: name === hub ? [] : [hub] } });
  const parts = () => fleet.parts(fleet.up.values());
  let joined: number | undefined;
  let most = 0;
  while (sim.now < PATIENCE && joined === undefined) {
    await sim.run(STEP);
    most = Math.max(most, fleet.up.get(hub)?.peers.snapshot().inbound ?? 0);
    if (fleet.up.size === nodes && parts().length === 1) joined = sim.now;
  }
  fleet.crash(hub);
  const killed = parts();
  await sim.run(1_000);
  const last = parts();
  await sim.close();
  return { joined, killed, last, most };
}

/** Milliseconds until the network must be one graph. */
const PATIENCE = 10_000;
/** Milliseconds between two checks. */
const STEP = 250;
