// The story that is the same on every backend: elect, write, lose the leader, elect, write, heal by
// snapshot, compare. If ids are proven, there are two more scenes.

import { systemClock, type Transport } from '@trunkline/transport-core';
import type { RaftProtocol } from '../protocol.ts';
import { Cluster } from './cluster.ts';
import type { MakeNetwork } from './network.ts';
import { until } from './patience.ts';
import { denyAndLetIn, introduce, refuseStranger } from './security.ts';
import { Workload } from './workload.ts';

export interface ScenarioOptions {
  readonly nodes: number;
  /** The number of writes before the leader stops, and again after. */
  readonly writes: number;
  /** Receives the phase that has begun, and its progress. */
  readonly progress: (phase: string, count?: string) => void;
  /** Receives lines that stay visible. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The results; times are in milliseconds. */
export interface Report {
  /** From the first node's start to the first leader. */
  readonly electionMs: number;
  /** From the loss of the leader to the first write that is committed without it. */
  readonly failoverMs: number;
  readonly commitsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** From the lost node's return until it has applied everything. */
  readonly catchUpMs: number;
  readonly snapshotBytes: number;
  /** Failed checks; empty if the run passed. */
  readonly failures: readonly string[];
}

/**
 * Runs the story once and closes everything. Rejects if it cannot continue, and with the signal's
 * reason.
 */
export async function runScenario(
  makeNetwork: MakeNetwork,
  { nodes, writes, progress, note, signal }: ScenarioOptions,
): Promise<Report> {
  // The last place is for the clients.
  const network = await makeNetwork(nodes + 1);
  const { places, stranger, accident } = network;
  const cluster = new Cluster(network, writes);
  const { timeScale } = cluster;
  let desk: Transport<RaftProtocol> | undefined;
  try {
    progress(`${nodes} nodes elect a leader`);
    const started = clock.now();
    await cluster.gather(nodes);
    await cluster.start();
    const failures = stranger === undefined ? [] : introduce(cluster, note);
    await until('a leader', () => cluster.leader, timeScale, signal);
    const electionMs = clock.now() - started;

    desk = await places[nodes]!.open();
    const workload = new Workload(desk, cluster);
    await workload.run(
      'before',
      writes,
      (count) => progress(`${writes} writes before the leader stops`, `${count} committed`),
      signal,
    );

    const lost = await until('a leader', () => cluster.leader, timeScale, signal);
    const before = lost.node.status;
    progress(`the leader of term ${before.term} stops, ${nodes - 1} nodes elect another`);
    const lostAt = clock.now();
    await cluster.lose(lost);
    await workload.write('fail-over', 'committed without the stopped leader');
    const failoverMs = clock.now() - lostAt;
    await workload.run(
      'after',
      writes,
      (count) => progress(`${writes} writes after the leader stops`, `${count} committed`),
      signal,
    );

    if (accident !== undefined) {
      progress(accident.phase);
      note(await accident.happen());
      await workload.run(
        'accident',
        writes,
        (count) => progress(`${writes} writes meanwhile`, `${count} committed`),
        signal,
      );
    }

    progress('the stopped node returns and catches up by snapshot');
    const returnedAt = clock.now();
    await cluster.bringBack(lost);
    const leader = await until(
      'all nodes to have applied all entries',
      () => cluster.agreed,
      timeScale,
      signal,
    );
    const catchUpMs = clock.now() - returnedAt;

    const { base, term } = leader.node.status;
    const { statistics } = workload;

    if (stranger !== undefined) {
      progress('a member is denied and admitted again, a stranger is refused');
      const context = { cluster, workload, writes: Math.ceil(writes / 10), note, signal };
      failures.push(...(await denyAndLetIn(context)), ...(await refuseStranger(stranger, context)));
    }
    failures.push(...cluster.breaches(workload.written));
    if (term <= before.term)
      failures.push(`the leader after term ${before.term} leads term ${term}`);
    if (lost.snapshotBytes === 0)
      failures.push(
        `no snapshot was sent to a node whose log ended at ${before.last}; the log of the leader begins after ${base}`,
      );
    return {
      electionMs,
      failoverMs,
      ...statistics,
      catchUpMs,
      snapshotBytes: lost.snapshotBytes,
      failures,
    };
  } finally {
    await desk?.close();
    await cluster.close();
    await network.close?.();
  }
}

const clock = systemClock;
