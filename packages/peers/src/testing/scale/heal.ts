// The scenario "heal": a network that grew from one seed each loses nodes, is split for two minutes, and must be one network soon after.

import { seededRandom } from '@trunkline/transport-core';
import { createSimulation } from '@trunkline/transport-inmem/simulation';
import { Fleet, type FleetNode, shuffled } from './fleet.ts';

export interface HealOptions {
  readonly seed: number;
  readonly nodes: number;
  /** 'all': every node has room for all. 'default': 40 in, 10 out. */
  readonly caps: 'all' | 'default';
  /** `maxOutbound` of default caps. Default 10; it must be well below half of what is left in one half, or the halves never fill up. */
  readonly outbound?: number | undefined;
  /** What each knows: one node that all know (with default caps one that is a seed), or some one that started before it. */
  readonly knows: 'common' | 'earlier';
  /** Milliseconds of the partition. Default two minutes. */
  readonly partition?: number | undefined;
  /** Milliseconds after healing until it is given up. Default 5 minutes. */
  readonly patience?: number | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

export interface HealOutcome {
  readonly seed: number;
  /** Milliseconds from the first start until all was well: every pair is linked, or one graph with all at their maxOutbound. */
  readonly grown: number | undefined;
  /** The same from the healing on; undefined: it did not come to that. */
  readonly healed: number | undefined;
  /** From the healing on, until the survivors were one connected graph. */
  readonly joined: number | undefined;
  /** Those that are connected to each other, at the end. */
  readonly parts: readonly number[];
  /** Nodes at the end that are not as they should be. */
  readonly wrong: number;
  /** Of real time, milliseconds. */
  readonly events: number;
  readonly virtual: number;
}

export async function heal({
  seed,
  nodes,
  caps,
  knows,
  outbound = 10,
  partition = 120_000,
  patience = 300_000,
  log = () => {},
}: HealOptions): Promise<HealOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const random = seededRandom(seed);
  const fleet = new Fleet(sim);
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const isSeed = (name: string) => caps === 'default' && knows === 'common' && name === names[0];
  const most = caps === 'all' ? { maxInbound: nodes, maxOutbound: nodes } : { maxOutbound: outbound };
  for (const [i, name] of names.entries()) {
    const seeds = i === 0 ? [] : [knows === 'common' ? names[0]! : names[Math.floor(random() * i)]!];
    fleet.boot({ name, delay: (5_000 * i) / nodes, peers: { seeds, ...most, exchange: { seed: isSeed(name) } } });
  }
  /** Those whose links are looked at: a seed has none for long. */
  const ordinary = () => [...fleet.up.values()].filter(({ name }) => !isSeed(name));
  const isFull = ({ linked, peers }: FleetNode) => {
    if (caps === 'all') return linked.size >= fleet.up.size - 1;
    const most = Math.min(outbound, ordinary().length - 1);
    return linked.size >= most && peers.snapshot().outbound === most;
  };
  const wrong = () => ordinary().filter((node) => !isFull(node)).length;
  const isOne = () => fleet.parts(ordinary()).length === 1;

  /** When all is well, and when it is one graph. */
  const settles = async (count: number, time: number) => {
    const from = sim.now;
    let joined: number | undefined;
    for (;;) {
      await sim.run(STEP);
      const now = sim.now - from;
      if (fleet.up.size === count) {
        const full = wrong() === 0;
        if (joined === undefined && (full || Math.round(now / STEP) % 4 === 0) && isOne()) joined = now;
        if (joined !== undefined && full && isOne()) return { joined, healed: now };
      }
      if (now >= time) return { joined, healed: undefined };
    }
  };

  const grown = await settles(nodes, patience);
  log(`grown ${grown.healed}, joined ${grown.joined}, wrong ${wrong()}, events ${sim.events}`);
  for (const name of shuffled(names, random).slice(0, Math.round(nodes * LOST))) fleet.crash(name);
  await sim.run(1_000);
  const survivors = shuffled([...fleet.up.keys()], random);
  const half = Math.floor(survivors.length / 2);
  sim.partition(survivors.slice(0, half), survivors.slice(half));
  await sim.run(partition);
  log(`partition over: parts ${fleet.parts(ordinary())}, wrong ${wrong()}, events ${sim.events}`);
  sim.heal();
  const { joined, healed } = await settles(survivors.length, patience);
  const outcome = { seed, grown: grown.healed, joined, healed, parts: fleet.parts(ordinary()), wrong: wrong(), events: sim.events, virtual: sim.now };
  log(`healed ${healed}, joined ${joined}, wrong ${outcome.wrong}, parts ${outcome.parts}, events ${sim.events}`);
  await sim.close();
  return outcome;
}

/** Share of the nodes that are lost. */
const LOST = 0.3;
/** Milliseconds between two looks. */
const STEP = 250;
