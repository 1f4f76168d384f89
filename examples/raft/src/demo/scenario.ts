// The story that is the same on every backend: elect, write, lose the leader, elect, write, heal by snapshot, compare.

import { systemClock, type Transport } from '@trunkline/transport-core';
import type { RaftProtocol } from '../protocol.ts';
import type { Open } from './backends.ts';
import { Cluster } from './cluster.ts';
import { Workload } from './workload.ts';

export interface ScenarioOptions {
  readonly nodes: number;
  /** Before the leader is lost, and again after. */
  readonly writes: number;
  /** Told which phase has begun, and how far it is. */
  readonly progress: (phase: string, count?: string) => void;
  readonly signal: AbortSignal;
}

/** Times are milliseconds. */
export interface Report {
  /** From the first node's start to the first leader. */
  readonly electionMs: number;
  /** From the loss of the leader to the first write that is committed without it. */
  readonly failoverMs: number;
  readonly commitsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** From the lost node's return until it has applied all there is. */
  readonly catchUpMs: number;
  readonly snapshotBytes: number;
  /** What was not as it must be; empty is a pass. */
  readonly failures: readonly string[];
}

/** Plays it once and closes everything. Rejects where it can't go on, and with the signal's reason. */
export async function runScenario(open: Open, { nodes, writes, progress, signal }: ScenarioOptions): Promise<Report> {
  const cluster = new Cluster(open, writes);
  let desk: Transport<RaftProtocol> | undefined;
  try {
    progress(`${nodes} nodes are looking for a leader`);
    const started = clock.now();
    await cluster.start(nodes);
    await until('a leader', () => cluster.leader, signal);
    const electionMs = clock.now() - started;

    desk = await open();
    const workload = new Workload(desk, cluster.addrs);
    await workload.run('before', writes, (count) => progress(`${writes} writes before the leader is lost`, `${count} committed`), signal);

    const lost = await until('a leader', () => cluster.leader, signal);
    const before = lost.node.status;
    progress(`the leader of term ${before.term} is lost, ${nodes - 1} nodes are looking for another`);
    const lostAt = clock.now();
    await cluster.lose(lost);
    await workload.write('fail-over', 'committed without the lost leader');
    const failoverMs = clock.now() - lostAt;
    await workload.run('after', writes, (count) => progress(`${writes} writes after the leader is lost`, `${count} committed`), signal);

    progress('the lost node is back and catches up by snapshot');
    const returnedAt = clock.now();
    await cluster.bringBack(lost);
    const leader = await until('all nodes to have applied all there is', () => cluster.agreed, signal);
    const catchUpMs = clock.now() - returnedAt;

    const { base, term } = leader.node.status;
    const failures = cluster.breaches(workload.written);
    if (term <= before.term) failures.push(`the leader that followed on term ${before.term} leads term ${term}`);
    if (lost.snapshotBytes === 0) failures.push(`no snapshot was sent to a node whose log ended at ${before.last}; the leader's begins behind ${base}`);
    return { electionMs, failoverMs, ...workload.statistics, catchUpMs, snapshotBytes: lost.snapshotBytes, failures };
  } finally {
    await desk?.close();
    await cluster.close();
  }
}

async function until<T>(what: string, found: () => T | undefined, signal: AbortSignal): Promise<T> {
  const deadline = clock.now() + PATIENCE;
  for (;;) {
    const value = found();
    if (value !== undefined) return value;
    if (clock.now() > deadline) throw new Error(`waited ${PATIENCE / 1_000} s in vain for ${what}`);
    await clock.sleep(2, signal);
  }
}

const clock = systemClock;
/** Milliseconds for anything that the demo waits for. */
const PATIENCE = 15_000;
