// The scenario "churn": in each cycle some nodes leave and others join. Each newcomer knows a
// node that is up. The nodes that stay must form one network all the time.

import { createSimulation } from '@trunkline/simulation';
import { seededRandom } from '@trunkline/transport-core/testing';
import { Fleet, shuffled } from './fleet.ts';

/** Options of {@link churn}. */
export interface ChurnOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly cycles: number;
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
  readonly cycles: readonly Cycle[];
  /** Milliseconds from each newcomer's start to its first peer, in ascending order. */
  readonly joins: readonly number[];
  /** The number of newcomers that had no peer yet when they left, or at the end. */
  readonly never: number;
  /** Number of dials per node and minute. */
  readonly dials: number;
  /** The median of the numbers of addresses in the books at the end. */
  readonly book: number;
  readonly outbound: number;
  readonly events: number;
}

export async function churn({
  seed,
  nodes,
  cycles: count,
  log = () => {},
}: ChurnOptions): Promise<ChurnOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const random = seededRandom(seed);
  const fleet = new Fleet(sim);
  const one = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  let made = 0;
  const boot = (known: string | undefined, delay: number) =>
    fleet.boot({ name: `n${made++}`, delay, peers: { seeds: known === undefined ? [] : [known] } });
  const all = () => [...fleet.up.values()];
  const joins: number[] = [];
  let never = 0;
  const goes = (name: string) => {
    const { joined } = fleet.up.get(name)!;
    if (joined === undefined) never++;
    else joins.push(joined);
  };

  // The network grows for the time of ten cycles, so that the first cycle starts from a settled
  // state.
  const growth = 10 * CYCLE;
  for (let i = 0; i < nodes; i++)
    boot(i === 0 ? undefined : `n${Math.floor(random() * i)}`, (growth * 0.8 * i) / nodes);
  await sim.run(growth);
  log(`grown: parts ${fleet.parts(all())}, dials ${fleet.dials}, events ${sim.events}`);
  fleet.dials = 0;
  const began = sim.now;

  const cycles: Cycle[] = [];
  for (let i = 0; i < count; i++) {
    const dials = fleet.dials;
    const there = new Set(all());
    const going = shuffled(there, random)
      .slice(0, Math.round(nodes * SHARE))
      .map(({ name }) => name);
    for (const name of going) goes(name);
    const half = Math.floor(going.length / 2);
    for (const name of going.slice(half)) fleet.crash(name);
    const from = sim.now;
    await fleet.leave(going.slice(0, half));
    const live = [...fleet.up.keys()];
    for (const _ of going) boot(one(live), random() * 5_000);
    await sim.run(CYCLE - (sim.now - from));
    const stayed = [...there].filter(({ name }) => fleet.up.has(name));
    const parts = fleet.parts(stayed);
    const alone = all().filter((node) => !there.has(node) && node.linked.size === 0).length;
    cycles.push({ parts, alone, dials: fleet.dials - dials });
    log(
      `cycle ${i + 1}: parts ${parts}, newcomers alone ${alone}, dials ${fleet.dials - dials}, events ${sim.events}`,
    );
  }
  for (const { name } of all()) goes(name);
  const books = all()
    .map(({ peers }) => peers.snapshot().book.size)
    .sort((a, b) => a - b);
  const outcome: ChurnOutcome = {
    cycles,
    joins: joins.sort((a, b) => a - b),
    never,
    dials: fleet.dials / nodes / ((sim.now - began) / 60_000),
    book: books[books.length >> 1]!,
    outbound: all().reduce((sum, { peers }) => sum + peers.snapshot().outbound, 0) / all().length,
    events: sim.events,
  };
  await sim.close();
  return outcome;
}

/** Length of a cycle in virtual milliseconds. */
const CYCLE = 30_000;
/** The share of the nodes that leave in each cycle, and are replaced by new ones. */
const SHARE = 0.05;
