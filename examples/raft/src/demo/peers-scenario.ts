// The story of `--peers`: nodes that know one seed find each other, elect and write by node id, and
// survive changes of address.

import { systemClock } from '@trunkline/transport-core';
import { ById } from './by-id.ts';
import { Cluster, type Member, type Seat } from './cluster.ts';
import type { MakeNetwork } from './network.ts';
import { until } from './patience.ts';
import type { ScenarioOptions } from './scenario.ts';
import { brief } from './screen.ts';
import { Workload } from './workload.ts';

/** The results; times are in milliseconds. */
export interface PeersReport {
  /** From the first node's start until each is connected to all others. */
  readonly meshMs: number;
  /** From then to the first leader. */
  readonly electionMs: number;
  readonly commitsPerSecond: number;
  /** From the return of a node, at another address, until all others are connected to it. */
  readonly backMs: number;
  /** The same for another node, when the seed is gone. */
  readonly backWithoutSeedMs: number;
  /** Failed checks; empty if the run passed. */
  readonly failures: readonly string[];
}

/**
 * Runs the story once and closes everything. Needs at least five nodes, because two are away at
 * once. Rejects if it cannot continue, or with the signal's reason if it aborts.
 */
export async function runPeersScenario(
  makeNetwork: MakeNetwork,
  { nodes, writes, progress, note, signal }: ScenarioOptions,
): Promise<PeersReport> {
  // The last place is for the clients.
  const network = await makeNetwork(nodes + 1);
  const acquaintance = new ById(signal);
  const cluster = new Cluster(network, writes, acquaintance);
  const { timeScale } = cluster;
  let desk: Seat | undefined;
  try {
    progress(`${nodes} nodes look for each other; they know only the address of the first one`);
    const opened = clock.now();
    await cluster.gather(nodes);
    const meshMs = clock.now() - opened;

    progress('all nodes are connected to each other and elect a leader');
    const met = clock.now();
    await cluster.start();
    await until('a leader', () => cluster.leader, timeScale, signal);
    const electionMs = clock.now() - met;
    const [seed, ...others] = cluster.members;
    note(
      `members   ${cluster.targets.map(brief).join(' ')}, found through ${seed!.addr} in ${meshMs.toFixed(0)} ms`,
    );

    desk = await acquaintance.open(network.places[nodes]!);
    await acquaintance.meet([desk], timeScale);
    const workload = new Workload(desk.transport, cluster);
    const write: DemoContext['write'] = (name, count, phase) =>
      workload.run(
        name,
        count,
        (committed) => progress(`${count} writes ${phase}`, `${committed} committed`),
        signal,
      );
    await write('before', writes, 'by node id');

    const context = { acquaintance, cluster, write, writes: Math.ceil(writes / 2), note, signal };
    const backMs = await move(others.find((member) => member !== cluster.leader)!, context);

    progress('the seed stops for good');
    await cluster.lose(seed!);
    const leader = await until('a leader', () => cluster.leader, timeScale, signal);
    note(`seed      ${brief(seed!.target)} has stopped for good`);
    const backWithoutSeedMs = await move(others.findLast((member) => member !== leader)!, context);

    const { commitsPerSecond } = workload.statistics;
    return {
      meshMs,
      electionMs,
      commitsPerSecond,
      backMs,
      backWithoutSeedMs,
      failures: cluster.breaches(workload.written),
    };
  } finally {
    await desk?.close();
    await cluster.close();
    await network.close?.();
  }
}

interface DemoContext {
  readonly acquaintance: ById;
  readonly cluster: Cluster;
  readonly write: (name: string, count: number, phase: string) => Promise<void>;
  /** The number of writes while the node is away, and again while it returns. */
  readonly writes: number;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Stops a node and brings it back with the same id at another address, while clients write. Returns
 * the time from its return until all others have found it.
 */
async function move(
  member: Member,
  { acquaintance, cluster, write, writes, note, signal }: DemoContext,
): Promise<number> {
  const { target, addr } = member;
  const { timeScale } = cluster;
  const id = brief(target);
  await cluster.lose(member);
  await write(`without-${id}`, writes, `while ${id} is away`);

  const returned = clock.now();
  await cluster.bringBackElsewhere(member);
  const found = async () => {
    await until(
      `${id} to be found at ${member.addr}`,
      () => acquaintance.haveFound(member) || undefined,
      timeScale,
      signal,
    );
    return clock.now() - returned;
  };
  const [backMs] = await Promise.all([
    found(),
    write(`with-${id}`, writes, `while ${id} returns at another address`),
  ]);
  await until(`${id} to have applied all entries`, () => cluster.agreed, timeScale, signal);
  const caughtUpMs = clock.now() - returned;
  note(
    `moved     ${id}: ${addr} → ${member.addr}, found by its id in ${backMs.toFixed(0)} ms, caught up in ${caughtUpMs.toFixed(0)} ms`,
  );
  return backMs;
}

const clock = systemClock;
