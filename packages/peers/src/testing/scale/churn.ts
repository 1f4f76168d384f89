// The scenario "churn": in each cycle some nodes leave and others join. The nodes that stay must
// form one network all the time.

import { createSimulation } from '@trunkline/simulation';
import { seededRandom } from '@trunkline/transport-core/testing';
import { Fleet, shuffled } from './fleet.ts';

/** Options of {@link churn}. */
export interface ChurnOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly cycles: number;
  /** Length of a cycle in virtual milliseconds. Default 30,000. */
  readonly cycle?: number | undefined;
  /**
   * The share of the nodes that leave in each cycle, and are replaced by new ones. Default 0.05.
   */
  readonly share?: number | undefined;
  /**
   * The node that a newcomer knows: any node that is up (default), or the one seed that all nodes
   * know and that never leaves.
   */
  readonly knows?: 'any' | 'seed' | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

/** The outcome of one cycle. */
export interface Cycle {
  /** Sizes of the connected parts formed by the nodes that were up during the whole cycle. */
  readonly parts: readonly number[];
  /** The number of newcomers of the cycle that have no peer at its end. */
  readonly alone: number;
  readonly dials: number;
}

/** The outcome of {@link churn}. */
export interface ChurnOutcome {
  readonly seed: number;
  readonly cycles: readonly Cycle[];
  /** Milliseconds from each newcomer's start to its first peer, in ascending order. */
  readonly joins: readonly number[];
  /** The number of newcomers that had no peer yet when they left, or at the end. */
  readonly never: number;
  /** Number of dials per node and minute. */
  readonly dials: number;
  /** The share of the dials that were rejected, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Numbers of addresses in the books at the end: minimum, median, maximum. */
  readonly books: readonly [number, number, number];
  readonly outbound: number;
  readonly events: number;
}

export async function churn({
  seed,
  nodes,
  cycles: count,
  cycle = 30_000,
  share = 0.05,
  knows = 'any',
  log = () => {},
}: ChurnOptions): Promise<ChurnOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const random = seededRandom(seed);
  const fleet = new Fleet(sim);
  const one = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  let made = 0;
  const boot = (known: string | undefined, delay: number) => {
    const name = `n${made++}`;
    fleet.boot({
      name,
      delay,
      peers: {
        seeds: known === undefined ? [] : [known],
        exchange: { seed: knows === 'seed' && name === SEED },
      },
    });
  };
  const isSeed = (name: string) => knows === 'seed' && name === SEED;
  const ordinary = () => [...fleet.up.values()].filter(({ name }) => !isSeed(name));
  const joins: number[] = [];
  let never = 0;
  const goes = (name: string) => {
    const { joined } = fleet.up.get(name)!;
    if (joined === undefined) never++;
    else joins.push(joined);
  };

  // The network grows for the time of ten cycles, so that the first cycle starts from a settled
  // state.
  const growth = 10 * cycle;
  for (let i = 0; i < nodes; i++)
    boot(
      i === 0 ? undefined : knows === 'seed' ? SEED : `n${Math.floor(random() * i)}`,
      (growth * 0.8 * i) / nodes,
    );
  await sim.run(growth);
  log(`grown: parts ${fleet.parts(ordinary())}, dials ${fleet.dials}, events ${sim.events}`);
  fleet.dials = 0;
  fleet.rejected.clear();
  const began = sim.now;

  const cycles: Cycle[] = [];
  for (let i = 0; i < count; i++) {
    const dials = fleet.dials;
    const there = new Set(ordinary());
    const going = shuffled(there, random)
      .slice(0, Math.round(nodes * share))
      .map(({ name }) => name);
    for (const name of going) goes(name);
    const half = Math.floor(going.length / 2);
    for (const name of going.slice(half)) fleet.crash(name);
    const from = sim.now;
    await fleet.leave(going.slice(0, half));
    const live = [...fleet.up.keys()];
    for (const _ of going) boot(knows === 'seed' ? SEED : one(live), random() * 5_000);
    await sim.run(cycle - (sim.now - from));
    const stayed = [...there].filter(({ name }) => fleet.up.has(name));
    const parts = fleet.parts(stayed);
    const alone = ordinary().filter((node) => !there.has(node) && node.linked.size === 0).length;
    cycles.push({ parts, alone, dials: fleet.dials - dials });
    log(
      `cycle ${i + 1}: parts ${parts}, newcomers alone ${alone}, dials ${fleet.dials - dials}, events ${sim.events}`,
    );
  }
  for (const { name } of ordinary()) goes(name);
  const books = ordinary()
    .map(({ peers }) => peers.snapshot().book.size)
    .sort((a, b) => a - b);
  const outcome: ChurnOutcome = {
    seed,
    cycles,
    joins: joins.sort((a, b) => a - b),
    never,
    dials: fleet.dials / nodes / ((sim.now - began) / 60_000),
    rejected: Object.fromEntries(
      [...fleet.rejected].map(([reason, times]) => [reason, times / fleet.dials]),
    ),
    books: [books[0]!, books[books.length >> 1]!, books.at(-1)!],
    outbound:
      ordinary().reduce((sum, { peers }) => sum + peers.snapshot().outbound, 0) / ordinary().length,
    events: sim.events,
  };
  await sim.close();
  return outcome;
}

const SEED = 'n0';
