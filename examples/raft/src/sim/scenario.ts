// Raft on simulated nodes: clients work while a nemesis injects faults; afterwards everything must
// recover, and every result must have been correct.

import { check, type NodeContext, type NodeStop, type Simulation } from '@trunkline/simulation';
import type { TransportError } from '@trunkline/transport-core';
import { RaftNode } from '../node.ts';
import type { RaftEvent } from '../node-options.ts';
import { raftProtocol } from '../protocol.ts';
import { type Breach, Laws } from './laws.ts';
import { RecordedClient } from './recorded-client.ts';
import { WatchedMachine } from './watched-machine.ts';
import { type Promised, WatchedStore } from './watched-store.ts';

export interface RaftScenarioOptions {
  /** Default: 5. */
  readonly nodes?: number | undefined;
  /**
   * Virtual minutes, of which the last `CALM` milliseconds are calm; the last commands and reads
   * come after them. Default: 10.
   */
  readonly minutes?: number | undefined;
  /** Default: 3. */
  readonly clients?: number | undefined;
  /** Mean milliseconds between a client's commands. Default: 2,000. */
  readonly pause?: number | undefined;
  /**
   * Raft's election timeout in milliseconds; the heartbeat interval is a quarter of it. Default:
   * 1,500, as over a wide-area network; shorter times find nothing more and take longer.
   */
  readonly electionTimeout?: number | undefined;
  /** Called when a node becomes leader; faults that it injects take effect at once. */
  readonly onLeader?: ((node: string) => void) | undefined;
  /** Called at the end with the amount of work that was checked. */
  readonly onEnd?: ((figures: Figures) => void) | undefined;
}

/** The amount of work in a run. */
export interface Figures {
  readonly commands: number;
  readonly unanswered: number;
  readonly terms: number;
  readonly committed: number;
  /** The number of snapshots that leaders sent. */
  readonly snapshots: number;
}

/** Milliseconds at the end of a scenario in which no nemesis may be active. */
export const CALM = 15_000;

/** A node in its current life. */
interface Member {
  readonly node: RaftNode;
  readonly machine: WatchedMachine;
}

/**
 * Creates a scenario, which rejects with the guarantee that was violated. A nemesis should end
 * `CALM` milliseconds before the scenario does; faults that remain then are repaired.
 */
export function raftScenario(
  options: RaftScenarioOptions = {},
): (sim: Simulation) => Promise<void> {
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
  readonly #history: check.History;
  readonly #times: { readonly electionTimeout: number; readonly heartbeat: number };
  readonly #onLeader: (node: string) => void;
  #lives = 0;
  #snapshots = 0;
  #unanswered = 0;

  constructor(
    sim: Simulation,
    {
      nodes = 5,
      clients = 3,
      pause = 2_000,
      electionTimeout = 1_500,
      onLeader = () => {},
    }: RaftScenarioOptions,
  ) {
    this.#sim = sim;
    this.#history = check.createHistory(sim);
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
      return new RecordedClient({
        transport: sim.client(raftProtocol, { name }),
        nodes: this.#names,
        name,
        keys: KEYS,
        history: this.#history,
        pause,
      });
    });
  }

  /** Runs all clients. From the time `calm` on, every command must be answered. */
  async work(calm: number): Promise<void> {
    const unanswered = (began: number, error: TransportError) => {
      this.#unanswered++;
      if (began >= calm)
        this.#broken(
          'liveness',
          new Error(
            `a command found no leader ${Math.round(began - calm + SETTLING)} ms after the last fault was healed: ${error.message}`,
          ),
        );
    };
    await Promise.all(this.clients.map((client) => client.work(unanswered)));
  }

  /** Whether there is a leader, and all nodes have applied everything that it has committed. */
  get agreed(): boolean {
    const members = [...this.#members.values()];
    const statuses = members.map(({ node }) => node.status);
    const leader = statuses.find(({ role }) => role === 'leader');
    return (
      leader !== undefined &&
      statuses.length === this.#names.length &&
      statuses.every(({ applied }) => applied === leader.commit)
    );
  }

  /** Checks what only the end of a run can show. */
  judge(): void {
    const hashes = new Set([...this.#members.values()].map(({ machine }) => machine.kv.hash()));
    if (hashes.size > 1)
      throw named(
        'equal states',
        `${hashes.size} different states on ${this.#names.length} nodes that have applied the same entries`,
      );
    const verdict = check.linearizable(this.#history);
    if (verdict.linearizable !== true)
      throw named(
        'linearizable',
        `${verdict.text.trimEnd().split('\n').at(-1)}\n${verdict.text}`,
        verdict,
      );
  }

  get figures(): Figures {
    const { terms, committed } = this.#laws.progress;
    return {
      commands: this.#history.operations.length,
      unanswered: this.#unanswered,
      terms,
      committed,
      snapshots: this.#snapshots,
    };
  }

  async #boot({ name, transport: open, store, log }: NodeContext): Promise<NodeStop> {
    this.#members.delete(name);
    const life = `${name} (life ${++this.#lives})`;
    const watched = new WatchedStore(store, name, this.#laws, this.#promises.get(name)!);
    const machine = new WatchedMachine(name, this.#laws, watched);
    const transport = open(raftProtocol);
    await transport.listen();
    const onEvent = (event: RaftEvent) => {
      if (event.type === 'role') {
        const { role, term, leader } = event.status;
        log(
          role === 'leader'
            ? `leads term ${term}`
            : `${role} in term ${term}${leader === undefined ? '' : ` of ${leader}`}`,
        );
        if (role !== 'leader') return;
        this.#laws.leads(name, life, term, watched.base, (index) => watched.log.get(index));
        this.#onLeader(name);
      } else if (event.type === 'restored') {
        if (event.from === 'leader') this.#snapshots++;
        log(`snapshot of ${event.index} entries, from ${event.from}`);
      } else if (event.type === 'failed') this.#failed(name, event.error, log);
    };
    const node = await RaftNode.start({
      transport,
      members: this.#names,
      machine,
      store: watched,
      onEvent,
      ...this.#times,
      ...SNAPSHOTS,
    });
    machine.status = () => node.status;
    this.#members.set(name, { node, machine });
    return async () => {
      await node.close();
      await transport.close();
    };
  }

  /**
   * Handles a failed disk: restarts the node, as a supervisor would. Nothing else may stop a node.
   */
  #failed(name: string, error: unknown, log: (text: string) => void): void {
    const text = error instanceof Error ? error.message : String(error);
    log(`stops: ${text}`);
    if (!text.includes('the disk of'))
      this.#broken('a node goes on', new Error(`${name} stopped: ${text}`));
    this.#members.delete(name);
    this.#sim.at(
      this.#sim.now + RESTART,
      () => this.#sim.isUp(name) && !this.#members.has(name) && this.#sim.restart(name),
    );
  }

  /**
   * Ends the run at the current event. Separate rules for each guarantee would be evaluated after
   * every event.
   */
  #broken(law: Breach['law'] | string, error: Error): void {
    this.#sim.always(law, () => {
      throw error;
    });
  }
}

const KEYS = ['a', 'b', 'c', 'd'];
/**
 * Creates an error whose name is the property, because shrinking treats errors of different names
 * as different failures.
 */
function named(property: string, what: string, cause?: object): Error {
  return Object.assign(new Error(`${property}: ${what}`, { cause }), { name: property });
}

/** Snapshots are so frequent that a node that was down for a while needs one. */
const SNAPSHOTS = { snapshotEvery: 20, keep: 4 };
/**
 * Milliseconds after recovery from which on every command must be answered; and the time allowed
 * for the last commands, the last reads, and agreement.
 */
const SETTLING = 10_000;
const PATIENCE = 10_000;
/** Milliseconds until a node whose disk failed is restarted. */
const RESTART = 1_000;
