// A simulated cluster: nodes, a network and virtual time in one process. One seed determines the
// whole run, so every run with that seed is the same.

import type { Protocol, Transport } from '@trunkline/transport-core';
import {
  integer,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  withDefault,
} from '@trunkline/transport-core/backend';
import { always, eventually } from './checking/rules.ts';
import { checkFault, type Fault, type ScheduledFault } from './faults/fault.ts';
import { FaultInjector } from './faults/fault-injector.ts';
import type { Nemesis } from './faults/nemesis.ts';
import type { Interceptor } from './network/interceptors.ts';
import { CALM, type LinkOptions, linkSettings } from './network/link-settings.ts';
import { type Level, SimNetwork } from './network/sim-network.ts';
import { type Direction, Topology } from './network/topology.ts';
import { Cluster } from './nodes/cluster.ts';
import { checkDisk, type DiskOptions } from './nodes/node-store.ts';
import type { Leak, Setup, SimTransportOptions } from './nodes/sim-node.ts';
import { childRandom } from './world/chance.ts';
import type { TraceSummary } from './world/trace.ts';
import { World } from './world/world.ts';

/** Options of {@link createSimulation}. */
export interface SimulationOptions {
  /**
   * The seed of all random numbers in the simulation; an integer. Default 1, as in `explore` and
   * `assertDeterministic`.
   */
  readonly seed?: number | undefined;
  /**
   * 'message' (default) carries whole messages over the direct transport. 'stream' carries bytes
   * and runs the full NetworkTransport.
   */
  readonly level?: Level | undefined;
  /** Settings for every link that no fault has changed. */
  readonly link?: LinkOptions | undefined;
  /** Settings for every disk, unless `node` or a fault sets others. */
  readonly disk?: DiskOptions | undefined;
  /**
   * A nemesis, which plans its faults when the simulation first runs, or a list of scheduled
   * faults.
   */
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
  /**
   * If true, waits for a turn of the real event loop after each event. Default false: runs 8 turns
   * of the microtask queue, and 8 more as long as code touches the simulation. A longer chain of
   * bare awaits then continues at a later virtual time, which is as deterministic and ten times as
   * fast.
   */
  readonly strict?: boolean | undefined;
  /**
   * Number of events that may happen without time advancing. One more fails the run, as a loop that
   * never waits. Default 100,000.
   */
  readonly stepLimit?: number | undefined;
}

/**
 * Creates a simulation. Nothing runs before `run`, `until` or `settle` is called. Only one
 * simulation of a thread can run at a time.
 */
export function createSimulation(options: SimulationOptions = {}): Simulation {
  return new Simulation(options);
}

/** A simulated cluster, made by {@link createSimulation}. */
export class Simulation {
  readonly seed: number;
  readonly level: Level;
  /** All faults scheduled so far, by `schedule` or by a nemesis. */
  readonly faults: ScheduledFault[] = [];
  readonly #world: World;
  readonly #network: SimNetwork;
  readonly #cluster: Cluster;
  readonly #faults: FaultInjector;
  readonly #disk: DiskOptions;
  #nemesis: SimulationOptions['nemesis'];
  /** Scheduled faults whose node names have not been checked yet; the next drive checks them. */
  #unchecked: Fault[] = [];
  #unleashed = 0;
  #closing: Promise<Leak[]> | undefined;

  constructor(options: SimulationOptions) {
    const { seed, level, link, disk, nemesis, strict, stepLimit } = parseOptions(
      schema,
      options,
      'createSimulation',
    );
    this.seed = seed;
    this.level = level;
    this.#disk = disk ?? {};
    checkDisk(this.#disk, 'createSimulation: disk');
    this.#nemesis = nemesis;
    this.#world = new World({ seed, strict, stepLimit });
    const base = linkSettings(CALM, link ?? {}, 'createSimulation: link');
    this.#network = new SimNetwork(
      this.#world,
      level,
      new Topology(seed, base, (name) => this.#cluster.nodes.has(name)),
    );
    this.#cluster = new Cluster(this.#world, this.#network);
    this.#faults = new FaultInjector(this.#world, this.#network, this.#cluster);
  }

  /** Virtual milliseconds since the simulation began. */
  get now(): number {
    return this.#world.now;
  }

  /** The trace of everything that has happened. Its hash is the same for the same seed and code. */
  get trace(): TraceSummary {
    return this.#world.trace;
  }

  /** Number of events that have happened, including timers that had nothing to do. */
  get events(): number {
    return this.#world.steps;
  }

  /** The names of all nodes, in order of declaration. */
  get nodes(): readonly string[] {
    return [...this.#cluster.nodes.keys()];
  }

  /**
   * The virtual time since which the network has been whole and every node up, accepting
   * connections and not slowed down; undefined while something is wrong. Pauses, wrong clocks and
   * disk faults do not count.
   */
  get calmSince(): number | undefined {
    return this.#faults.calmSince;
  }

  // Nodes and clients.

  /**
   * Declares a node. It boots at the next `run`, `until` or `settle`; nodes boot in order of
   * declaration. `setup` runs again at each restart.
   *
   * @throws TypeError if the name is malformed or already taken.
   */
  node(
    name: string,
    setup: Setup,
    { disk }: { readonly disk?: DiskOptions | undefined } = {},
  ): this {
    this.#cluster.declare(name, setup, { ...this.#disk, ...disk });
    return this;
  }

  /**
   * Creates a transport outside all nodes. It never crashes, and partitions do not affect it. Its
   * links have the same settings as those between nodes.
   */
  client<P extends Protocol>(protocol: P, options: SimTransportOptions = {}): Transport<P> {
    return this.#cluster.client(protocol, options);
  }

  /** Returns whether a node is running: it has booted and not crashed. */
  isUp(name: string): boolean {
    return this.#cluster.node(name).isUp;
  }

  // Time.

  /**
   * Runs for the given number of virtual milliseconds. Rejects with a SimulationError if a rule
   * breaks.
   */
  async run(milliseconds: number): Promise<void> {
    await this.#drive(() => false, milliseconds, 'run', true);
  }

  /**
   * Runs until `done` returns true; it is called after every event. Rejects with a SimulationError
   * if that takes more than `within` virtual milliseconds (default 60,000).
   */
  async until(done: () => unknown, within = DEFAULT_WITHIN): Promise<void> {
    const outcome = await this.#drive(() => Boolean(done()), within, 'until', false);
    if (outcome !== 'done')
      throw this.#unfinished('until', 'it did not become true', outcome, within);
  }

  /**
   * Runs until a promise settles, and settles the same way. Rejects with a SimulationError if that
   * takes more than `within` virtual milliseconds (default 60,000).
   */
  async settle<T>(promise: PromiseLike<T>, within = DEFAULT_WITHIN): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
      this.#world.touch();
    };
    promise.then(settle, settle);
    const outcome = await this.#drive(() => settled, within, 'settle', false);
    if (outcome !== 'done')
      throw this.#unfinished('settle', 'the promise did not settle', outcome, within);
    return promise;
  }

  /** Calls `action` at a virtual time, or now if that time has passed. */
  at(time: number, action: () => void): void {
    if (!Number.isFinite(time))
      throw new TypeError(`at: expected a virtual time in milliseconds, got ${String(time)}`);
    this.#world.scheduleAt(Math.max(time, this.now), 'world', undefined, action, undefined);
  }

  // Rules that must hold.

  /**
   * Checks a rule after every event. If `holds` returns false or throws, the run rejects with a
   * SimulationError. Returns a function that removes the rule.
   */
  always(name: string, holds: () => unknown): () => void {
    return always(this.#world, name, holds);
  }

  /**
   * Requires that `holds` becomes true within `within` milliseconds (default 60,000) of each moment
   * from which the network is whole and every node is up; the first such moment is the start.
   * Returns a function that removes the rule.
   */
  eventually(
    name: string,
    holds: () => unknown,
    { within = DEFAULT_WITHIN }: { readonly within?: number | undefined } = {},
  ): () => void {
    return eventually(this.#world, name, holds, within, () => this.calmSince);
  }

  /**
   * Calls `interceptor` for each message as it arrives; its verdict decides what happens to the
   * message. Returns a function that removes the interceptor.
   */
  intercept(interceptor: Interceptor): () => void {
    return this.#network.interceptors.add(interceptor);
  }

  // Faults, injected now.

  /**
   * Splits the nodes into groups: two nodes reach each other only if some group contains both. A
   * node in no group is isolated.
   */
  partition(...groups: readonly (readonly string[])[]): void {
    this.inject({ do: 'partition', groups });
  }

  /**
   * Lets nothing that `a` sends to `b` through; with `direction: 'both'` (default) nothing in
   * either direction. Messages are lost, including those in flight; bytes of streams are sent again
   * once the cut ends.
   */
  cut(
    a: string,
    b: string,
    { direction = 'both' }: { readonly direction?: Direction | undefined } = {},
  ): void {
    this.inject({ do: 'cut', from: a, to: b, direction });
  }

  /**
   * Holds back everything that `a` sends to `b` until `release`, including messages in flight; with
   * `direction: 'both'` (default) also what `b` sends to `a`.
   */
  hold(
    a: string,
    b: string,
    { direction = 'both' }: { readonly direction?: Direction | undefined } = {},
  ): void {
    this.inject({ do: 'hold', from: a, to: b, direction });
  }

  /** Ends a `hold`: what was held back travels on. */
  release(
    a: string,
    b: string,
    { direction = 'both' }: { readonly direction?: Direction | undefined } = {},
  ): void {
    this.inject({ do: 'release', from: a, to: b, direction });
  }

  /** Changes a link from the settings given to `createSimulation`, until `heal`. */
  link(
    a: string,
    b: string,
    link: LinkOptions,
    { direction = 'both' }: { readonly direction?: Direction | undefined } = {},
  ): void {
    this.inject({ do: 'link', from: a, to: b, link, direction });
  }

  /** Resets every connection between two nodes, as a firewall may. */
  reset(a: string, b: string): void {
    this.inject({ do: 'reset', from: a, to: b });
  }

  /** Ends partitions, cuts, holds, changed links and refusals. */
  heal(): void {
    this.inject({ do: 'heal' });
  }

  /**
   * Stops a node without any cleanup. Its peers see a reset; with `power: 'lost'` they see nothing.
   */
  crash(
    name: string,
    { power = 'kept' }: { readonly power?: 'kept' | 'lost' | undefined } = {},
  ): void {
    this.inject({ do: 'crash', node: name, power });
  }

  /**
   * Boots a node again, with the data that its store had synced. A node that is up crashes first.
   */
  restart(name: string): void {
    this.inject({ do: 'restart', node: name });
  }

  /**
   * Stops a node's event loop for the given number of virtual milliseconds. Events that arrive
   * meanwhile wait.
   */
  pause(name: string, milliseconds: number): void {
    this.inject({ do: 'pause', node: name, for: milliseconds });
  }

  /** Slows a node's CPU down: each event takes `cost` milliseconds. 0 ends that. */
  slow(name: string, cost: number): void {
    this.inject({ do: 'slow', node: name, cost });
  }

  /**
   * Makes a node's clock jump `by` milliseconds. If that is negative, its wall clock goes back, and
   * its monotonic clock runs at half speed until the wall clock has caught up.
   */
  skew(name: string, by: number): void {
    this.inject({ do: 'skew', node: name, by });
  }

  /** Makes a node's clock and timers run fast by `ppm` millionths, or slow if that is negative. */
  drift(name: string, ppm: number): void {
    this.inject({ do: 'drift', node: name, ppm });
  }

  /** Makes a node refuse every new connection, until `heal`. */
  refuse(name: string): void {
    this.inject({ do: 'refuse', node: name });
  }

  /** Makes a node's disk slow or faulty. Options that are left out get their defaults. */
  disk(name: string, disk: DiskOptions): void {
    this.inject({ do: 'disk', node: name, disk });
  }

  /**
   * Injects a fault now.
   *
   * @throws TypeError if the fault names an unknown node or client, or has an invalid number.
   */
  inject(fault: Fault): void {
    this.#faults.inject(fault);
  }

  /**
   * Schedules faults for their times. The next drive rejects with a TypeError if one names an
   * unknown node or client.
   */
  schedule(faults: readonly ScheduledFault[]): void {
    for (const fault of faults) {
      checkFault(fault);
      this.faults.push(fault);
      this.#unchecked.push(fault);
      this.at(fault.at, () => this.inject(fault));
    }
  }

  /** Lets a nemesis plan its faults from now on, and schedules and returns them. */
  unleash(nemesis: Nemesis): readonly ScheduledFault[] {
    const random = childRandom(this.seed, 'nemesis', nemesis.name, ++this.#unleashed);
    const faults = nemesis.plan({ nodes: this.nodes, random, from: this.now });
    this.schedule(faults);
    return faults;
  }

  // The end.

  /**
   * Stops all nodes, each with the function that its setup returned, and resolves to what they left
   * behind: open calls, timers, connections and transports, by owner. If a setup returned no such
   * function, the transports of the node are closed. Nothing stays behind in the process
   * afterwards. Calling it again returns the same promise. Rejects if a node fails meanwhile or if
   * a rejection is still unhandled, but never with an error that a run has already rejected with.
   */
  close(): Promise<Leak[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<Leak[]> {
    const world = this.#world;
    world.rules.clear();
    this.#network.interceptors.clear();
    this.#network.topology.heal();
    // Errors that follow from an earlier failure are not reported: the run has rejected with that
    // failure.
    const { failure } = world;
    if (failure !== undefined) world.forgive();
    const isTold = (error: unknown) =>
      failure !== undefined && (error === failure || error === (failure as Error).cause);
    let found: unknown;
    const leaks = await this.#cluster.stop(async (promise) => {
      found ??= await this.#settleQuietly(promise);
    }, isTold);
    found ??= await world.end();
    if (failure === undefined && found !== undefined) throw found;
    return leaks;
  }

  /**
   * Drives the world until `promise` settles, for at most {@link CLOSING} ms. A node that hangs
   * while it stops is reported as a leak. Returns the first error of a node meanwhile.
   */
  async #settleQuietly(promise: Promise<unknown>): Promise<unknown> {
    const world = this.#world;
    const end = this.now + CLOSING;
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    let found: unknown;
    // After `forgive`, only an endless loop makes a drive reject.
    for (let tries = 0; tries < 2; tries++) {
      try {
        await world.drive(() => settled, end, false);
        break;
      } catch (error) {
        found ??= error;
        world.forgive();
      }
    }
    if (settled) await promise;
    return found;
  }

  async #drive(
    done: () => boolean,
    milliseconds: number,
    what: string,
    patient: boolean,
  ): Promise<'done' | 'end' | 'nothing left'> {
    if (typeof milliseconds !== 'number' || !(milliseconds >= 0))
      throw new TypeError(
        `${what}: expected virtual milliseconds, 0 or more, got ${String(milliseconds)}`,
      );
    if (this.#closing !== undefined) throw new TypeError(`${what}: this simulation is closed`);
    this.#cluster.boot();
    this.#faults.weigh(false);
    if (this.#nemesis !== undefined) {
      const nemesis = this.#nemesis;
      this.#nemesis = undefined;
      if ('plan' in nemesis) this.unleash(nemesis);
      else this.schedule(nemesis);
    }
    for (const fault of this.#unchecked.splice(0)) this.#faults.check(fault);
    return this.#world.drive(done, this.now + milliseconds, patient);
  }

  #unfinished(rule: string, what: string, outcome: 'end' | 'nothing left', within: number): Error {
    const waits = this.#cluster.everyone.flatMap((node) => node.openWaits());
    const shown = waits.slice(0, WAITS).join('; ') || 'no call, dial or store operation is pending';
    if (outcome === 'nothing left')
      return this.#world.error('deadlock', `${what}, and no further event can happen: ${shown}`);
    return this.#world.error(rule, `${what} within ${within} ms: ${shown}`);
  }
}

const schema = optionsSchema({
  seed: withDefault(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1),
  level: withDefault(
    reference<Level>((value) => value === 'message' || value === 'stream', "'message' or 'stream'"),
    'message',
  ),
  link: optional(
    reference<LinkOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object of options',
    ),
  ),
  disk: optional(
    reference<DiskOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object of options',
    ),
  ),
  nemesis: optional(
    reference<NonNullable<SimulationOptions['nemesis']>>(
      (value) => typeof value === 'object' && value !== null,
      'a nemesis, or a list of faults',
    ),
  ),
  strict: withDefault(
    reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    false,
  ),
  stepLimit: withDefault(integer(1, Number.MAX_SAFE_INTEGER), 100_000),
});

/** Virtual milliseconds that `until`, `settle` and `eventually` allow by default. */
const DEFAULT_WITHIN = 60_000;
/** Virtual milliseconds that nodes have to stop. */
const CLOSING = 60_000;
/** Number of open waits that an error message lists. */
const WAITS = 10;
