// The scenario "churn": nodes leave and others come, again and again, and those that stay are one network all the time.

import { seededRandom } from '@trunkline/transport-core';
import { createSimulation } from '@trunkline/transport-inmem/simulation';
import { Fleet, shuffled } from './fleet.ts';

export interface ChurnOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly cycles: number;
  /** Virtual milliseconds of a cycle. Default 30,000. */
  readonly cycle?: number | undefined;
  /** Share of the nodes that leave in a cycle, and of those that come. Default 0.05. */
  readonly share?: number | undefined;
  /** Whom a newcomer knows: any one that is up (default), or the one seed that all know, which stays. */
  readonly knows?: 'any' | 'seed' | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

/** One cycle. */
export interface Cycle {
  /** Sizes of the connected parts of those that were there at its beginning, and still are. */
  readonly parts: readonly number[];
  /** Newcomers of the cycle without a peer at its end. */
  readonly alone: number;
  readonly dials: number;
}

export interface ChurnOutcome {
  readonly seed: number;
  readonly cycles: readonly Cycle[];
  /** Milliseconds from a newcomer's start to its first peer, in rising order. */
  readonly joins: readonly number[];
  /** Newcomers that had no peer when they left, or at the end. */
  readonly never: number;
  /** A node and minute. */
  readonly dials: number;
  /** Share of the dials, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Addresses in the books at the end: least, median, most. */
  readonly books: readonly [number, number, number];
  readonly outbound: number;
  readonly events: number;
}

export async function churn({ seed, nodes, cycles: count, cycle = 30_000, share = 0.05, knows = 'any', log = () => {} }: ChurnOptions): Promise<ChurnOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const random = seededRandom(seed);
  const fleet = new Fleet(sim);
  const one = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  let made = 0;
  const boot = (known: string | undefined, delay: number) => {
    const name = `n${made++}`;
    fleet.boot({ name, delay, peers: { seeds: known === undefined ? [] : [known], exchange: { seed: knows === 'seed' && name === SEED } } });
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

  // It grows for as long as ten cycles, so that it begins as one that is used to be.
  const growth = 10 * cycle;
  for (let i = 0; i < nodes; i++) boot(i === 0 ? undefined : knows === 'seed' ? SEED : `n${Math.floor(random() * i)}`, (growth * 0.8 * i) / nodes);
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
    log(`cycle ${i + 1}: parts ${parts}, newcomers alone ${alone}, dials ${fleet.dials - dials}, events ${sim.events}`);
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
    rejected: Object.fromEntries([...fleet.rejected].map(([reason, times]) => [reason, times / fleet.dials])),
    books: [books[0]!, books[books.length >> 1]!, books.at(-1)!],
    outbound: ordinary().reduce((sum, { peers }) => sum + peers.snapshot().outbound, 0) / ordinary().length,
    events: sim.events,
  };
  await sim.close();
  return outcome;
}

const SEED = 'n0';
