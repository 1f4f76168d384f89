// The simulation of iroh-gossip (simulations/all.toml): rounds of messages in a network of whole
// nodes.

import type { Figures, ScenarioOptions } from '../job.ts';
import { Fleet } from './fleet.ts';

/**
 * Measures rounds of messages. `how` selects one sender (`one`), many senders (`many`), or all at
 * once (`burst`). Nodes have the default options, except that the first node, which all others
 * know, has room for all of them.
 */
export async function swarm({ seed, nodes, how = 'one', log }: ScenarioOptions): Promise<Figures> {
  const fleet = new Fleet({ seed, honest: nodes, seeds: 1, seedInbound: nodes });
  const met = await fleet.met(Math.min(4, nodes - 1), 300_000);
  await fleet.sim.run(60_000);
  log(`met after ${met} ms`);
  const [missed, hops, redundancy, times, steady]: number[][] = [[], [], [], [], []];
  // A link that replaces another is part of the tree until it brings a duplicate, and the first
  // message floods the network, so these rounds don't count as steady.
  let [unchanged, overlay] = [-1, fleet.overlay()];
  for (let round = 0; round < (how === 'burst' ? BURSTS : ROUNDS); round++) {
    const [delivered, duplicates] = [fleet.payloads('delivered'), fleet.payloads('duplicates')];
    const drawn = fleet.honest[Math.floor(fleet.random() * nodes)]!;
    const senders =
      how === 'burst' ? fleet.honest : [how === 'many' ? drawn : fleet.honest[nodes >> 1]!];
    const sent = senders.map((name) => fleet.publish(name));
    await fleet.sim.run(ROUND);
    missed!.push(
      senders.length * (nodes - 1) - sent.reduce((sum, { heard }) => sum + heard.size, 0),
    );
    hops!.push(Math.max(...sent.map(({ lastHop }) => lastHop)));
    redundancy!.push(
      (fleet.payloads('duplicates') - duplicates) / (fleet.payloads('delivered') - delivered),
    );
    times!.push(Math.max(...sent.flatMap(({ heard }) => [...heard.values()])));
    const now = fleet.overlay();
    unchanged = now === overlay ? unchanged + 1 : -1;
    overlay = now;
    if (unchanged > 0) steady!.push(redundancy!.at(-1)!);
  }
  const { events } = fleet.sim;
  await fleet.close();
  const means = {
    lastHop: mean(hops!),
    redundancy: mean(redundancy!),
    steady: steady!.length === 0 ? 0 : mean(steady!),
    'last ms': mean(times!),
  };
  return { missed: sum(missed!), ...means, 'steady rounds': steady!.length, met, events };
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: number[]) => sum(values) / values.length;

const ROUNDS = 30;
const BURSTS = 5;
/** Milliseconds per round. */
const ROUND = 5_000;
