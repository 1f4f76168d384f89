// Raft on simulated nodes: clients work while a nemesis injects faults; afterwards everything must
// recover, and every result must have been correct.

import type { NodeContext, Simulation } from '@trunkline/simulation';
import type { RaftEvent, RaftNode } from '../node.ts';
import { Laws } from './laws.ts';
import { named, RecordedClients } from './recorded-clients.ts';
import { startNode } from './start-node.ts';
import { type Promised, WatchedMachine, WatchedStorage } from './watched.ts';

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
}

/** Milliseconds at the end of a scenario in which no nemesis may be active. */
export const CALM = 15_000;

/**
 * Creates a scenario, which resolves with the amount of work that was checked, and rejects with the
 * guarantee that was violated. A nemesis should end `CALM` milliseconds before the scenario does;
 * faults that remain then are repaired.
 */
export function raftScenario(options: RaftScenarioOptions = {}) {
  return async (sim: Simulation) => {
    const { nodes: size = 5, minutes = 10, clients: count = 3, pause = 2_000 } = options;
    const nodes = Array.from({ length: size }, (_, i) => `n${i + 1}`);
    const cluster = new SimCluster(sim, nodes, options);
    const end = sim.now + Math.max(minutes * 60_000, 2 * CALM);
    const recovery = end - CALM;
    const onUnanswered = ({ message }: Error, began: number) => {
      const after = Math.round(began - recovery);
      if (after >= SETTLING)
        cluster.broken(
          'liveness',
          `a command found no leader ${after} ms after the last fault was healed: ${message}`,
        );
    };
    const clients = new RecordedClients(sim, { count, nodes, keys: KEYS, pause, onUnanswered });
    sim.at(recovery, () => sim.inject({ do: 'recover' }));
    clients.start();
    await sim.run(end - sim.now);
    await clients.finish(PATIENCE);
    await sim.until(() => cluster.agreed, PATIENCE);
    cluster.compareStates();
    clients.check();
    return { ...clients.figures, ...cluster.laws.progress, snapshots: cluster.snapshots };
  };
}

class SimCluster {
  readonly laws = new Laws((law, what) => this.broken(law, what));
  /** The number of snapshots that leaders sent. */
  snapshots = 0;
  readonly #sim: Simulation;
  readonly #names: readonly string[];
  readonly #options: RaftScenarioOptions;
  /** The nodes in their current lives. */
  readonly #members = new Map<string, { node: RaftNode; machine: WatchedMachine }>();
  readonly #promises = new Map<string, Promised>();
  #lives = 0;

  constructor(sim: Simulation, names: readonly string[], options: RaftScenarioOptions) {
    this.#sim = sim;
    this.#names = names;
    this.#options = options;
    for (const name of names) sim.node(name, (context) => this.#boot(context));
  }

  /** Whether there is a leader, and all nodes have applied everything that it has committed. */
  get agreed(): boolean {
    const statuses = [...this.#members.values()].map(({ node }) => node.status);
    const leader = statuses.find(({ role }) => role === 'leader');
    return (
      statuses.length === this.#names.length &&
      statuses.every(({ applied }) => applied === leader?.commit)
    );
  }

  /** Checks that nodes that have applied the same entries have the same state. */
  compareStates(): void {
    const hashes = new Set([...this.#members.values()].map(({ machine }) => machine.hash()));
    if (hashes.size > 1) throw named('equal states', `${hashes.size} different states`);
  }

  /**
   * Ends the run at the current event. Separate rules for each guarantee would be evaluated after
   * every event.
   */
  broken(law: string, what: string): void {
    this.#sim.always(law, () => {
      throw new Error(what);
    });
  }

  async #boot(context: NodeContext) {
    const { name, store, log } = context;
    this.#members.delete(name);
    const life = `${name} (life ${++this.#lives})`;
    const storage = new WatchedStorage(store, name, this.laws, this.#promises);
    const machine = new WatchedMachine(name, this.laws, storage);
    const onEvent = (event: RaftEvent) => {
      if (event.type === 'role') {
        const { role, term, leader } = event.status;
        if (role !== 'leader')
          return log(`${role} in term ${term}${leader ? ` of ${leader}` : ''}`);
        log(`leads term ${term}`);
        this.laws.leads(name, life, term, storage.base, (index) => storage.log.get(index));
        this.#options.onLeader?.(name);
      } else if (event.type === 'restored') {
        this.snapshots++;
        log(`snapshot of ${event.index} entries`);
      } else if (event.type === 'failed') this.#failed(name, event.error, log);
    };
    const { electionTimeout = 1_500 } = this.#options;
    const { node, stop } = await startNode(context, {
      members: this.#names,
      machine,
      storage,
      onEvent,
      electionTimeout,
      heartbeat: electionTimeout / 4,
      // So frequent that a node that was down for a while needs one.
      snapshotEvery: 20,
      keep: 4,
    });
    machine.status = () => node.status;
    this.#members.set(name, { node, machine });
    return stop;
  }

  /**
   * Handles a failed disk: restarts the node, as a supervisor would. Nothing else may stop a node.
   */
  #failed(name: string, error: unknown, log: (text: string) => void): void {
    const text = error instanceof Error ? error.message : String(error);
    log(`stops: ${text}`);
    if (!text.includes('the disk of')) this.broken('a node goes on', `${name} stopped: ${text}`);
    this.#members.delete(name);
    this.#sim.at(
      this.#sim.now + RESTART,
      () => this.#sim.isUp(name) && !this.#members.has(name) && this.#sim.restart(name),
    );
  }
}

const KEYS = ['a', 'b', 'c', 'd'];
/**
 * Milliseconds after recovery from which on every command must be answered; and the time allowed
 * for the last commands, the last reads, and agreement.
 */
const SETTLING = 10_000;
const PATIENCE = 10_000;
/** Milliseconds until a node whose disk failed is restarted. */
const RESTART = 1_000;
