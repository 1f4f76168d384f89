// The scenario "storm": all nodes start at once, know the same single node, and must soon form one
// network. Then that node is killed.

import { createSimulation } from '@trunkline/simulation';
import type { PeersOptions } from '../../options.ts';
import { Fleet } from './fleet.ts';

/** Options of {@link storm}. */
export interface StormOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Options of all nodes, except `seeds`. Default: the defaults of peers. */
  readonly peers?: Partial<PeersOptions> | undefined;
  /** Milliseconds until the network must be one graph. Default 10,000. */
  readonly patience?: number | undefined;
  /** Milliseconds from that moment until the common node is killed. Default 0. */
  readonly rest?: number | undefined;
  /** Milliseconds from the kill to the final check. Default 1,000. */
  readonly after?: number | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

/** The outcome of {@link storm}. */
export interface StormOutcome {
  /** Milliseconds until the network was one graph; undefined if it was not in time. */
  readonly joined: number | undefined;
  /**
   * Sizes of the connected parts without the common node: right after it was killed, and at the end
   * (`last`).
   */
  readonly killed: readonly number[];
  readonly last: readonly number[];
  /** Dials of all nodes until the kill. */
  readonly dials: number;
  /** The largest number of inbound peers that the common node had. */
  readonly most: number;
  readonly events: number;
}

export async function storm({
  seed,
  nodes,
  peers = {},
  patience = 10_000,
  rest = 0,
  after = 1_000,
  log = () => {},
}: StormOptions): Promise<StormOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const fleet = new Fleet(sim);
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const hub = names[0]!;
  for (const name of names)
    fleet.boot({ name, peers: { ...peers, seeds: name === hub ? [] : [hub] } });
  const parts = () => fleet.parts(fleet.up.values());
  const isOne = () => fleet.up.size === nodes && parts().length === 1;
  let joined: number | undefined;
  let most = 0;
  while (sim.now < patience && joined === undefined) {
    await sim.run(STEP);
    most = Math.max(most, fleet.up.get(hub)?.peers.snapshot().inbound ?? 0);
    if (isOne()) joined = sim.now;
    log(`${sim.now} ms: parts ${parts().length}, the largest ${parts()[0]}, events ${sim.events}`);
  }
  await sim.run(rest);
  const { dials } = fleet;
  fleet.crash(hub);
  const killed = parts();
  await sim.run(after);
  const outcome = { joined, killed, last: parts(), dials, most, events: sim.events };
  log(
    `joined ${joined}, dials ${dials}, rejected ${JSON.stringify([...fleet.rejected])}, killed ${killed}, last ${outcome.last}, events ${sim.events}`,
  );
  await sim.close();
  return outcome;
}

/** Milliseconds between two checks. */
const STEP = 250;
