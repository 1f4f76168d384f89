// The scenario "heal": a network in which each node initially knew one other node loses some nodes
// and is partitioned for two minutes. Soon after the partition ends, it must be one network again.

import { createSimulation } from '@trunkline/simulation';
import { seededRandom } from '@trunkline/transport-core/testing';
import { Fleet, type FleetNode, shuffled } from './fleet.ts';

/** Options of {@link heal}. */
export interface HealOptions {
  readonly seed: number;
  readonly nodes: number;
  /** 'all': every node has room for all others. 'default': 40 inbound and 10 outbound peers. */
  readonly caps: 'all' | 'default';
  /**
   * `maxOutbound` for default caps. Default 10. It must be well below half the number of nodes left
   * in one half; otherwise the halves never fill up.
   */
  readonly outbound?: number | undefined;
  /**
   * The node that each node knows: one node common to all (with default caps it is a seed), or a
   * random node that started earlier.
   */
  readonly knows: 'common' | 'earlier';
  /** Duration of the partition in milliseconds. Default two minutes. */
  readonly partition?: number | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

/** The outcome of {@link heal}. */
export interface HealOutcome {
  /**
   * Milliseconds from the first start until the network was complete: every pair is connected, or
   * the nodes form one graph and all have their maxOutbound.
   */
  readonly grown: number | undefined;
  /**
   * The same time, counted from the end of the partition; undefined if the network was never
   * complete again.
   */
  readonly healed: number | undefined;
  /** Milliseconds from the end of the partition until the survivors formed one connected graph. */
  readonly joined: number | undefined;
  /** Sizes of the connected parts at the end. */
  readonly parts: readonly number[];
  /** The number of nodes without their full set of peers at the end. */
  readonly wrong: number;
  /** The number of simulation events. */
  readonly events: number;
}

/** Runs the scenario once. */
export async function heal({
  seed,
  nodes,
  caps,
  knows,
  outbound = 10,
  partition = 120_000,
  log = () => {},
}: HealOptions): Promise<HealOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const random = seededRandom(seed);
  const fleet = new Fleet(sim);
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const isSeed = (name: string) => caps === 'default' && knows === 'common' && name === names[0];
  const most =
    caps === 'all' ? { maxInbound: nodes, maxOutbound: nodes } : { maxOutbound: outbound };
  for (const [i, name] of names.entries()) {
    const seeds =
      i === 0 ? [] : [knows === 'common' ? names[0]! : names[Math.floor(random() * i)]!];
    fleet.boot({
      name,
      delay: (5_000 * i) / nodes,
      peers: { seeds, ...most, exchange: { seed: isSeed(name) } },
    });
  }
  /**
   * The nodes whose connections are checked. A seed is left out because it keeps no connection for
   * long.
   */
  const ordinary = () => [...fleet.up.values()].filter(({ name }) => !isSeed(name));
  const isFull = ({ linked, peers }: FleetNode) => {
    if (caps === 'all') return linked.size >= fleet.up.size - 1;
    const most = Math.min(outbound, ordinary().length - 1);
    return linked.size >= most && peers.snapshot().outbound === most;
  };
  const wrong = () => ordinary().filter((node) => !isFull(node)).length;
  const isOne = () => fleet.parts(ordinary()).length === 1;

  /**
   * Waits until the network is one graph and all nodes are complete. Returns the times at which
   * each of the two happened.
   */
  const settles = async (count: number) => {
    const from = sim.now;
    let joined: number | undefined;
    for (;;) {
      await sim.run(STEP);
      const now = sim.now - from;
      if (fleet.up.size === count) {
        const full = wrong() === 0;
        if (joined === undefined && (full || Math.round(now / STEP) % 4 === 0) && isOne())
          joined = now;
        if (joined !== undefined && full && isOne()) return { joined, healed: now };
      }
      if (now >= PATIENCE) return { joined, healed: undefined };
    }
  };

  const grown = await settles(nodes);
  log(`grown ${grown.healed}, joined ${grown.joined}, wrong ${wrong()}, events ${sim.events}`);
  for (const name of shuffled(names, random).slice(0, Math.round(nodes * LOST))) fleet.crash(name);
  await sim.run(1_000);
  const survivors = shuffled([...fleet.up.keys()], random);
  const half = Math.floor(survivors.length / 2);
  sim.partition(survivors.slice(0, half), survivors.slice(half));
  await sim.run(partition);
  log(`partition over: parts ${fleet.parts(ordinary())}, wrong ${wrong()}, events ${sim.events}`);
  sim.heal();
  const { joined, healed } = await settles(survivors.length);
  const outcome = {
    grown: grown.healed,
    joined,
    healed,
    parts: fleet.parts(ordinary()),
    wrong: wrong(),
    events: sim.events,
  };
  log(
    `healed ${healed}, joined ${joined}, wrong ${outcome.wrong}, parts ${outcome.parts}, events ${sim.events}`,
  );
  await sim.close();
  return outcome;
}

/** The share of the nodes that crash. */
const LOST = 0.3;
/** Milliseconds to wait for the network to grow, and to heal after the partition. */
const PATIENCE = 300_000;
/** Milliseconds between two checks. */
const STEP = 250;
