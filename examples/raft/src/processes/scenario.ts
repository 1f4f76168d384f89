// Raft as a scenario that runs in virtual time and on real processes alike: it sees of the nodes
// only what they answer and report, and nothing that they keep in memory. The number of seconds is
// in the URL of this module.

import { type NodeContext, nemeses, type Simulation } from '@trunkline/simulation';
import type { RaftEvent } from '../node.ts';
import { RecordedClients } from '../sim/recorded-clients.ts';
import { startNode } from '../sim/start-node.ts';

/** The amount of work in a run, and the number of terms that had a leader. */
export type Figures = RecordedClients['figures'] & { readonly terms: number };

const seconds = Number(new URL(import.meta.url).searchParams.get('seconds') ?? 60);

/** The figures of the last run in this process. */
export let figures: Figures | undefined;

/** Kinds of faults that processes can have, until three seconds before the end. */
export const nemesis = nemeses.swarm({
  duration: Math.max(1, seconds - 3) * 1_000,
  kinds: ['splitBrain', 'isolate', 'oneWay', 'flappingLink', 'resets', 'crashes', 'pauses'],
});

/**
 * Runs five nodes and four clients, which work for some seconds. At most one node may lead a term,
 * after the faults every key must be readable, and the history must be linearizable.
 */
export default async function scenario(sim: Simulation): Promise<void> {
  const leaders = new Map<string, string>();
  for (const name of NODES) sim.node(name, raftServer);
  sim.always('at most one leader per term', () => checkLeaders(leaders, sim.trace.states));
  const clients = new RecordedClients(sim, { count: 4, nodes: NODES, keys: KEYS, pause: 50 });
  clients.start();
  await sim.run(seconds * 1_000);
  sim.inject({ do: 'recover' });
  await clients.finish(PATIENCE);
  clients.check();
  figures = { ...clients.figures, terms: leaders.size };
}

/** A node of Raft, which reports its role and its term. */
async function raftServer(context: NodeContext) {
  const onEvent = (event: RaftEvent) => {
    if (event.type === 'role') context.state({ role: event.status.role, term: event.status.term });
    // A node whose disk fails stops, which would end the run.
    if (event.type === 'failed') throw event.error;
  };
  const times = { electionTimeout: 1_000, heartbeat: 250 };
  const options = { ...times, members: NODES, snapshotEvery: 200, keep: 50, onEvent };
  return (await startNode(context, options)).stop;
}

function checkLeaders(leaders: Map<string, string>, states: Readonly<Record<string, string>>) {
  for (const [name, state] of Object.entries(states)) {
    const term = /^role leader, term (\d+)$/.exec(state)?.[1];
    if (term === undefined) continue;
    const first = leaders.get(term) ?? name;
    leaders.set(term, first);
    if (first !== name) throw new Error(`${first} and ${name} both led term ${term}`);
  }
}

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** Milliseconds for the last commands and reads, once all faults are over. */
const PATIENCE = 30_000;
