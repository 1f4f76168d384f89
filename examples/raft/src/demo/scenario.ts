// The story that is the same on every backend: elect, write, lose the leader, elect, write, heal by snapshot, compare.

import { type Clock, systemClock, type Transport } from '@trunkline/transport-core';
import { KvClient } from '../client.ts';
import type { RaftProtocol } from '../protocol.ts';
import type { Open } from './backends.ts';
import { Cluster, type Member } from './cluster.ts';

export interface ScenarioOptions {
  readonly nodes: number;
  readonly writes: number;
  /** Told what goes on, as often as it changes. */
  readonly progress: (phase: string, count?: string) => void;
  readonly signal: AbortSignal;
}

/** Times are milliseconds. */
export interface Report {
  electionMs: number;
  failoverMs: number;
  commitsPerSecond: number;
  p50: number;
  p99: number;
  catchUpMs: number;
  snapshotBytes: number;
  /** What was not as it must be; empty is a pass. */
  failures: string[];
}

export async function runScenario(open: Open, { nodes, writes, progress, signal }: ScenarioOptions): Promise<Report> {
  const cluster = new Cluster(open, writes);
  const written = new Map<string, string>();
  const latencies: number[] = [];
  let desk: Transport<RaftProtocol> | undefined;
  try {
    progress(`${nodes} nodes are looking for a leader`);
    const started = clock.now();
    await cluster.start(nodes);
    const first = await until('a leader', () => cluster.leader, signal);
    const electionMs = clock.now() - started;

    desk = await open();
    const addrs = cluster.members.map(({ addr }) => addr);
    const clients = Array.from({ length: CLIENTS }, (_, i) => new KvClient({ transport: desk!, nodes: addrs, name: `client-${i}` }));
    const write = async (phase: string) => {
      const began = clock.now();
      await writeAll(clients, phase, writes, written, latencies, (done) => progress(`${writes} writes ${phase} the loss of the leader`, `${done} committed`), signal);
      return clock.now() - began;
    };
    const before = await write('before');

    const lost = clock.now();
    const lostEnd = first.node.status.last;
    const lostTerm = first.node.status.term;
    progress(`the leader of term ${lostTerm} is lost, ${nodes - 1} nodes are looking for another`);
    await cluster.lose(first);
    await clients[0]!.set('fail-over', 'the first write after it');
    written.set('fail-over', 'the first write after it');
    const failoverMs = clock.now() - lost;
    const second = await until('a second leader', () => cluster.leader, signal);
    const after = await write('after');

    const failures: string[] = [];
    const check = (holds: boolean, failure: string) => void (holds || failures.push(failure));
    check(second.node.status.base > lostEnd, `the log still reaches back to ${second.node.status.base}, and the lost node had ${lostEnd}: no snapshot is needed`);
    progress('the lost node is back and catches up by snapshot');
    const returned = clock.now();
    await cluster.bringBack(first);
    const end = () => cluster.leader?.node.status.commit;
    await until('all nodes to apply all there is', () => cluster.members.every(({ node }) => node.status.applied === end()) || undefined, signal);
    const catchUpMs = clock.now() - returned;

    check(first.snapshotBytes > 0, 'the node that came back got no snapshot');
    check(second.node.status.term > lostTerm, `the second leader's term, ${second.node.status.term}, is not after ${lostTerm}`);
    for (const [term, leaders] of cluster.leadersByTerm) check(leaders.size === 1, `term ${term} had ${leaders.size} leaders`);
    for (const member of cluster.members) check(missing(member, written) === 0, `${member.addr} lacks ${missing(member, written)} of ${written.size} writes`);
    const hashes = new Set(cluster.members.map(({ machine }) => machine.hash()));
    check(hashes.size === 1, `the ${nodes} state hashes are ${hashes.size} different ones`);

    latencies.sort((a, b) => a - b);
    const commitsPerSecond = (2 * writes * 1_000) / (before + after);
    return { electionMs, failoverMs, commitsPerSecond, p50: rank(latencies, 0.5), p99: rank(latencies, 0.99), catchUpMs, snapshotBytes: first.snapshotBytes, failures };
  } finally {
    await desk?.close();
    await cluster.close();
  }
}

/** Each client writes one after the other; all of them at once. */
async function writeAll(
  clients: readonly KvClient[],
  phase: string,
  writes: number,
  written: Map<string, string>,
  latencies: number[],
  progress: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let next = 0;
  let done = 0;
  const work = async (client: KvClient) => {
    while (next < writes) {
      signal.throwIfAborted();
      const key = `${phase}-${next++}`;
      const value = `the value of ${key}, ${'and then some '.repeat(6)}`;
      const began = clock.now();
      await client.set(key, value);
      latencies.push(clock.now() - began);
      written.set(key, value);
      if (++done % Math.ceil(writes / 50) === 0 || done === writes) progress(done);
    }
  };
  await Promise.all(clients.map(work));
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

function missing({ machine }: Member, written: ReadonlyMap<string, string>): number {
  return [...written].filter(([key, value]) => machine.get(key) !== value).length;
}

function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

const clock: Clock = systemClock;
/** Clients that write at once. */
const CLIENTS = 64;
/** Milliseconds for anything that the demo waits for. */
const PATIENCE = 15_000;
