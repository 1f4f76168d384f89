// Raft on simulated nodes: clients work while a nemesis does its worst, then all must be well again, and must have been right all along.

import type { TransportError } from '@trunkline/transport-core';
import { checkLinearizable, createHistory, type NodeContext, type Simulation, type Stop } from '@trunkline/transport-inmem/simulation';
import { type RaftEvent, RaftNode } from '../node.ts';
import { raftProtocol } from '../protocol.ts';
import { type Breach, Laws } from './laws.ts';
import { RecordedClient } from './recorded-client.ts';
import { WatchedMachine } from './watched-machine.ts';
import { type Promised, WatchedStore } from './watched-store.ts';

export interface RaftScenarioOptions {
  /** Default 5. */
  readonly nodes?: number | undefined;
  /** Virtual minutes, of which the last `CALM` milliseconds are calm; the last commands and reads come after them. Default 10. */
  readonly minutes?: number | undefined;
  /** Default 3. */
  readonly clients?: number | undefined;
  /** Mean milliseconds between a client's commands. Default 2,000. */
  readonly pause?: number | undefined;
  /** Milliseconds, as Raft's; a heartbeat is a quarter of it. Default 1,500, as over a wide network: less shows nothing more, and takes longer. */
  readonly electionTimeout?: number | undefined;
  /** Told of each node that comes to lead; what it injects happens at once. */
  readonly onLeader?: ((node: string) => void) | undefined;
  /** Told at the end what there was to check. */
  readonly onEnd?: ((figures: Figures) => void) | undefined;
}

/** How much happened. */
export interface Figures {
  readonly commands: number;
  readonly unanswered: number;
  readonly terms: number;
  readonly committed: number;
  /** Snapshots that a leader sent. */
  readonly snapshots: number;
}

/** Milliseconds at the end of a scenario in which no nemesis may do anything. */
export const CALM = 15_000;

/** A node as it lives now. */
interface Member {
  readonly node: RaftNode;
  readonly machine: WatchedMachine;
}

/**
 * A scenario: it rejects with the law that was broken. A nemesis should be through `CALM` milliseconds before the end; what is still
 * wrong then is mended.
 */
export function raftScenario(options: RaftScenarioOptions = {}): (sim: Simulation) => Promise<void> {
  const { minutes = 10 } = options;
  return async (sim) => {
    const cluster = new SimCluster(sim, options);
    const end = sim.now + Math.max(minutes * 60_000, 2 * CALM);
    sim.at(end - CALM, () => sim.inject({ do: 'recover' }));
    const work = cluster.work(end - CALM + SETTLING);
    await sim.run(end - sim.now);
    for (const client of cluster.clients) client.stop();
    await sim.settle(work, PATIENCE);
    await sim.settle(Promise.all(cluster.clients.map((client) => client.readAll())), PATIENCE);
    await sim.until(() => cluster.agreed, PATIENCE);
    cluster.judge();
    options.onEnd?.(cluster.figures);
  };
}

class SimCluster {
  readonly clients: readonly RecordedClient[];
  readonly #sim: Simulation;
  readonly #names: readonly string[];
  readonly #members = new Map<string, Member>();
  readonly #promises = new Map<string, Promised>();
  readonly #laws: Laws;
  readonly #history = createHistory();
  readonly #times: { readonly electionTimeout: number; readonly heartbeat: number };
  readonly #onLeader: (node: string) => void;
  #lives = 0;
  #snapshots = 0;
  #unanswered = 0;

  constructor(sim: Simulation, { nodes = 5, clients = 3, pause = 2_000, electionTimeout = 1_500, onLeader = () => {} }: RaftScenarioOptions) {
    this.#sim = sim;
    this.#times = { electionTimeout, heartbeat: electionTimeout / 4 };
    this.#onLeader = onLeader;
    this.#laws = new Laws((breach) => this.#broken(breach.law, breach));
    this.#names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
    for (const name of this.#names) {
      this.#promises.set(name, { term: 0, votedFor: '' });
      sim.node(name, (context) => this.#boot(context));
    }
    this.clients = Array.from({ length: clients }, (_, i) => {
      const name = `c${i + 1}`;
      return new RecordedClient({ transport: sim.client(raftProtocol, { name }), nodes: this.#names, name, keys: KEYS, history: this.#history, pause });
    });
  }

  /** All clients work. From `calm` on every command must be answered. */
  async work(calm: number): Promise<void> {
    const unanswered = (began: number, error: TransportError) => {
      this.#unanswered++;
      if (began >= calm)
        this.#broken('liveness', new Error(`a command found no leader ${Math.round(began - calm + SETTLING)} ms after all was well again: ${error.message}`));
    };
    await Promise.all(this.clients.map((client) => client.work(unanswered)));
  }

  /** Is there a leader, and has everyone applied all that it has committed? */
  get agreed(): boolean {
    const members = [...this.#members.values()];
    const statuses = members.map(({ node }) => node.status);
    const leader = statuses.find(({ role }) => role === 'leader');
    return leader !== undefined && statuses.length === this.#names.length && statuses.every(({ applied }) => applied === leader.commit);
  }

  /** What only the end shows. */
  judge(): void {
    const hashes = new Set([...this.#members.values()].map(({ machine }) => machine.kv.hash()));
    if (hashes.size > 1) throw named('equal states', `${hashes.size} different ones on ${this.#names.length} nodes that have applied the same`);
    const verdict = checkLinearizable(this.#history);
    if (verdict.linearizable !== true) throw named('linearizable', `${verdict.text.trimEnd().split('\n').at(-1)}\n${verdict.text}`);
  }

  get figures(): Figures {
    const { terms, committed } = this.#laws.progress;
    return { commands: this.#history.operations.length, unanswered: this.#unanswered, terms, committed, snapshots: this.#snapshots };
  }

  async #boot({ name, transport: open, store, log }: NodeContext): Promise<Stop> {
    this.#members.delete(name);
    const life = `${name} (life ${++this.#lives})`;
    const watched = new WatchedStore(store, name, this.#laws, this.#promises.get(name)!);
    const machine = new WatchedMachine(name, this.#laws, watched);
    const transport = open(raftProtocol);
    await transport.listen();
    const onEvent = (event: RaftEvent) => {
      if (event.type === 'role') {
        const { role, term, leader } = event.status;
        log(role === 'leader' ? `leads term ${term}` : `${role} in term ${term}${leader === undefined ? '' : ` of ${leader}`}`);
        if (role !== 'leader') return;
        this.#laws.leads(name, life, term, watched.base, (index) => watched.log.get(index));
        this.#onLeader(name);
      } else if (event.type === 'restored') {
        if (event.from === 'leader') this.#snapshots++;
        log(`snapshot of ${event.index} entries, from ${event.from}`);
      } else if (event.type === 'failed') this.#failed(name, event.error, log);
    };
    const node = await RaftNode.start({ transport, members: this.#names, machine, store: watched, onEvent, ...this.#times, ...SNAPSHOTS });
    machine.status = () => node.status;
    this.#members.set(name, { node, machine });
    return async () => {
      await node.close();
      await transport.close();
    };
  }

  /** The disk failed: as a supervisor would, it is started anew. Nothing else may stop a node. */
  #failed(name: string, error: unknown, log: (text: string) => void): void {
    const text = error instanceof Error ? error.message : String(error);
    log(`stops: ${text}`);
    if (!text.includes('the disk of')) this.#broken('a node goes on', new Error(`${name} stopped: ${text}`));
    this.#members.delete(name);
    this.#sim.at(this.#sim.now + RESTART, () => this.#sim.isUp(name) && !this.#members.has(name) && this.#sim.restart(name));
  }

  /** Ends the run with the event that goes on now. A rule for each law that might break would be asked after every event. */
  #broken(law: Breach['law'] | string, error: Error): void {
    this.#sim.always(law, () => {
      throw error;
    });
  }
}

const KEYS = ['a', 'b', 'c', 'd'];
/** Errors of another name are other failures to who shrinks them. */
function named(property: string, what: string): Error {
  return Object.assign(new Error(`${property}: ${what}`), { name: property });
}

/** Often enough that whoever was down for a while needs one. */
const SNAPSHOTS = { snapshotEvery: 20, keep: 4 };
/** Milliseconds after which every command is answered, once all is well; and for the last commands, the last reads, and agreement. */
const SETTLING = 10_000;
const PATIENCE = 10_000;
/** Milliseconds until a node whose disk failed is started anew. */
const RESTART = 1_000;
