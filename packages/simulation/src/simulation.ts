// The public face of a simulated cluster: nodes, a network and virtual time in one process, all
// determined by one seed. It owns the schedule of faults, and passes nodes to the cluster, faults
// to the injector and time to the event loop.

import type { Protocol, Transport } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import { always, eventually } from './checking/rules.ts';
import { checkFault, type Fault, type ScheduledFault } from './faults/fault.ts';
import { FaultInjector } from './faults/fault-injector.ts';
import type { Nemesis } from './faults/nemesis.ts';
import { childRandom } from './kernel/distributions.ts';
import { EventLoop } from './kernel/event-loop.ts';
import { Recorder } from './kernel/recorder.ts';
import type { TraceSummary } from './kernel/trace.ts';
import type { Interceptor } from './network/interceptors.ts';
import type { LinkOptions } from './network/link-settings.ts';
import { SimNetwork, type SimulationLevel } from './network/sim-network.ts';
import { Topology } from './network/topology.ts';
import { Cluster } from './nodes/cluster.ts';
import type { SimulationLeak } from './nodes/leaks.ts';
import type { NodeSetup, SimTransportOptions } from './nodes/node-context.ts';
import type { DiskOptions } from './nodes/node-store.ts';
import { type Recording, recordingOf } from './recording.ts';
import { shutDown } from './shut-down.ts';
import { type SimulationOptions, simulationSettings } from './simulation-options.ts';

/**
 * Creates a simulation. Nothing runs before `run`, `until` or `settle` is called. Only one
 * simulation can run in a thread at a time.
 *
 * @throws TypeError that names the invalid option.
 */
export function createSimulation(options: SimulationOptions = {}): Simulation {
  return new Simulation(options);
}

/** A simulated cluster, made by {@link createSimulation}. */
export class Simulation {
  readonly seed: number;
  readonly level: SimulationLevel;
  /** All faults scheduled so far, by `schedule` or by a nemesis. */
  readonly faults: ScheduledFault[] = [];
  readonly #loop: EventLoop;
  readonly #network: SimNetwork;
  readonly #cluster: Cluster;
  readonly #faults: FaultInjector;
  readonly #disk: DiskOptions;
  #nemesis: SimulationOptions['nemesis'];
  /** Scheduled faults whose node names have not been checked yet; the next drive checks them. */
  #unchecked: Fault[] = [];
  #unleashed = 0;
  #closing: Promise<SimulationLeak[]> | undefined;

  constructor(options: SimulationOptions) {
    const { seed, level, link, disk, nemesis, strict, stepLimit, record } =
      simulationSettings(options);
    this.seed = seed;
    this.level = level;
    this.#disk = disk;
    this.#nemesis = nemesis;
    this.#loop = new EventLoop({ seed, strict, stepLimit });
    const topology = new Topology(seed, link, (name) => this.#cluster.nodes.has(name));
    this.#network = new SimNetwork(this.#loop, level, topology);
    this.#cluster = new Cluster(this.#loop, this.#network);
    const { trace } = this.#loop;
    trace.inspect = () => this.#cluster.report();
    if (record > 0) trace.recorder = new Recorder(this.#loop, record, trace.inspect);
    this.#faults = new FaultInjector(this.#loop, this.#network, this.#cluster);
  }

  /** Virtual milliseconds since the simulation began. */
  get now(): number {
    return this.#loop.now;
  }

  /** The trace of everything that has happened. Its hash is the same for the same seed and code. */
  get trace(): TraceSummary {
    return this.#loop.trace;
  }

  /**
   * The last events as plain data, and all nodes as they are now, for `@trunkline/admin/replay`. A
   * failure of the run, or `close`, ends the recording, so it shows the moment of the failure.
   * Undefined unless the option `record` is set.
   */
  get recording(): Recording | undefined {
    const { recorder } = this.#loop.trace;
    return recorder && recordingOf(this, recorder.take(), this.#loop.failure);
  }

  /** Number of events that have happened, including timers that had nothing to do. */
  get events(): number {
    return this.#loop.steps;
  }

  /** The names of all nodes, in order of declaration. */
  get nodes(): readonly string[] {
    return [...this.#cluster.nodes.keys()];
  }

  /**
   * The virtual time since which the network has been whole and every node up, accepting
   * connections and neither paused nor slowed down; undefined while something is wrong. Wrong clocks
   * and disk faults do not count, nor does a node that was taken out of its group.
   */
  get calmSince(): number | undefined {
    return this.#faults.calmSince;
  }

  // Nodes and clients.

  /**
   * Declares a node. It boots at the next `run`, `until` or `settle`; nodes boot in order of
   * declaration. `setup` runs again at each restart.
   *
   * @throws TypeError if the name is malformed or already taken, or an option is invalid.
   */
  node(
    name: string,
    setup: NodeSetup,
    options: { readonly disk?: DiskOptions | undefined } = {},
  ): this {
    refuseUnknown(options, 'node', ['disk']);
    const { disk } = options;
    this.#cluster.declare(name, setup, { ...this.#disk, ...disk });
    return this;
  }

  /**
   * Creates a transport outside all nodes. It never crashes, and partitions do not affect it. Its
   * links have the same settings as those between nodes.
   *
   * @throws TypeError if the name is malformed or already taken, or an option is invalid.
   */
  client<P extends Protocol>(protocol: P, options: SimTransportOptions = {}): Transport<P> {
    return this.#cluster.client(protocol, options);
  }

  /**
   * Returns true if a node is running, that is, if it has booted and not crashed.
   *
   * @throws TypeError if there is no node of this name.
   */
  isUp(name: string): boolean {
    return this.#cluster.node(name).isUp;
  }

  // Time.

  /**
   * Runs for the given number of virtual milliseconds. Rejects with a SimulationError if a rule
   * breaks or a node fails, and with a TypeError if this or another simulation of the thread is
   * already running, if it is closed, or if a scheduled fault names an unknown node or client.
   */
  async run(milliseconds: number): Promise<void> {
    await this.#drive(() => false, milliseconds, 'run', true);
  }

  /**
   * Runs until `done` returns true; it is called after every event. Rejects as `run` does, and with
   * a SimulationError if that takes more than `within` virtual milliseconds (default 60,000) or if
   * no further event can happen.
   */
  async until(done: () => unknown, within = DEFAULT_WITHIN): Promise<void> {
    const outcome = await this.#drive(() => Boolean(done()), within, 'until', false);
    if (outcome !== 'done')
      throw this.#unfinished('until', 'it did not become true', outcome, within);
  }

  /**
   * Runs until a promise settles, and then settles in the same way. Rejects as `run` does, and with
   * a SimulationError if that takes more than `within` virtual milliseconds (default 60,000) or if
   * no further event can happen.
   */
  async settle<T>(promise: PromiseLike<T>, within = DEFAULT_WITHIN): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
      this.#loop.touch();
    };
    promise.then(settle, settle);
    const outcome = await this.#drive(() => settled, within, 'settle', false);
    if (outcome !== 'done')
      throw this.#unfinished('settle', 'the promise did not settle', outcome, within);
    return promise;
  }

  /**
   * Calls `action` at a virtual time, or now if that time has passed; in both cases during a run.
   *
   * @throws TypeError if `time` is not a finite number.
   */
  at(time: number, action: () => void): void {
    if (!Number.isFinite(time))
      throw new TypeError(`at: expected a virtual time in milliseconds, got ${String(time)}`);
    this.#loop.scheduleAt(Math.max(time, this.now), 'task', undefined, action, undefined);
  }

  // Rules that must hold.

  /**
   * Checks a rule after every event. If `holds` returns false or throws, the run rejects with a
   * SimulationError. Returns a function that removes the rule.
   */
  always(name: string, holds: () => unknown): () => void {
    return always(this.#loop, name, holds);
  }

  /**
   * Requires that `holds` becomes true within `within` milliseconds (default 60,000) whenever the
   * network has become whole and every node is up; the first such moment is the start. Returns a
   * function that removes the rule.
   */
  eventually(
    name: string,
    holds: () => unknown,
    options: { readonly within?: number | undefined } = {},
  ): () => void {
    refuseUnknown(options, 'eventually', ['within']);
    const { within = DEFAULT_WITHIN } = options;
    return eventually(this.#loop, name, holds, within, () => this.calmSince);
  }

  /**
   * Calls `interceptor` for each message as it arrives; its verdict decides what happens to the
   * message. Returns a function that removes the interceptor.
   */
  intercept(interceptor: Interceptor): () => void {
    return this.#network.interceptors.add(interceptor);
  }

  // Faults, injected now. Each method throws as `inject` does.

  /**
   * Splits the nodes into groups: two nodes reach each other only if some group contains both. A
   * node in no group is isolated.
   */
  partition(...groups: readonly (readonly string[])[]): void {
    this.inject({ do: 'partition', groups });
  }

  /**
   * Blocks everything that `a` sends to `b`; with `direction: 'both'` (default), blocks both
   * directions. Messages are lost, including those in flight. Bytes of streams are sent again when
   * the cut ends.
   */
  cut(
    a: string,
    b: string,
    options: { readonly direction?: 'both' | 'one-way' | undefined } = {},
  ): void {
    refuseUnknown(options, 'cut', ['direction']);
    const { direction = 'both' } = options;
    this.inject({ do: 'cut', from: a, to: b, direction });
  }

  /**
   * Holds back everything that `a` sends to `b` until `release`, including messages in flight; with
   * `direction: 'both'` (default), also everything that `b` sends to `a`.
   */
  hold(
    a: string,
    b: string,
    options: { readonly direction?: 'both' | 'one-way' | undefined } = {},
  ): void {
    refuseUnknown(options, 'hold', ['direction']);
    const { direction = 'both' } = options;
    this.inject({ do: 'hold', from: a, to: b, direction });
  }

  /** Ends a `hold`: everything that was held back continues on its way. */
  release(
    a: string,
    b: string,
    options: { readonly direction?: 'both' | 'one-way' | undefined } = {},
  ): void {
    refuseUnknown(options, 'release', ['direction']);
    const { direction = 'both' } = options;
    this.inject({ do: 'release', from: a, to: b, direction });
  }

  /** Changes a link from the settings given to `createSimulation`, until `heal`. */
  link(
    a: string,
    b: string,
    link: LinkOptions,
    options: { readonly direction?: 'both' | 'one-way' | undefined } = {},
  ): void {
    refuseUnknown(options, 'link', ['direction']);
    const { direction = 'both' } = options;
    this.inject({ do: 'link', from: a, to: b, link, direction });
  }

  /** Resets every connection between two nodes, as a firewall may do. */
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
  crash(name: string, options: { readonly power?: 'kept' | 'lost' | undefined } = {}): void {
    refuseUnknown(options, 'crash', ['power']);
    const { power = 'kept' } = options;
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

  /**
   * Slows a node's CPU down: each event takes `cost` milliseconds. 0 ends that, as does a crash.
   */
  slow(name: string, cost: number): void {
    this.inject({ do: 'slow', node: name, cost });
  }

  /**
   * Makes a node's wall clock jump `by` milliseconds, back if `by` is negative; the monotonic clock
   * and timers do not notice it. With `clock: 'both'`, the monotonic clock jumps as well, as after
   * the machine was suspended; then `by` can't be negative.
   */
  skew(
    name: string,
    by: number,
    options: { readonly clock?: 'wall' | 'both' | undefined } = {},
  ): void {
    refuseUnknown(options, 'skew', ['clock']);
    this.inject({ do: 'skew', node: name, by, clock: options.clock });
  }

  /** Makes a node's clock and timers run fast by `ppm` millionths, or slow if `ppm` is negative. */
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
   * Tells how the faults `remove` and `add` change the group of the nodes, for example by a command
   * to the leader. Both functions get the name of a node. They may return a promise; if it rejects
   * and nothing handles that, `close` rejects. `recover` adds all nodes that are out of the group.
   *
   * @throws TypeError if one of them is not a function.
   */
  membership(functions: {
    /** Puts a node back into the group. */
    readonly add: (node: string) => unknown;
    /** Takes a node out of the group. */
    readonly remove: (node: string) => unknown;
  }): void {
    this.#faults.membership.use(functions);
  }

  /**
   * Injects a fault now.
   *
   * @throws TypeError if the fault names an unknown node or client, has an invalid number or
   * option, or changes the group before a call of `membership`.
   */
  inject(fault: Fault): void {
    this.#faults.inject(fault);
  }

  /**
   * Schedules faults for their times; none happens after `close` is called. The next drive rejects
   * with a TypeError if one names an unknown node or client.
   *
   * @throws TypeError if a number or disk option of a fault is invalid.
   */
  schedule(faults: readonly ScheduledFault[]): void {
    for (const fault of faults) {
      checkFault(fault);
      this.faults.push(fault);
      this.#unchecked.push(fault);
      this.at(fault.at, () => {
        if (this.#closing === undefined) this.inject(fault);
      });
    }
  }

  /**
   * Lets a nemesis plan faults that begin now, schedules them as `schedule` does, and returns them.
   */
  unleash(nemesis: Nemesis): readonly ScheduledFault[] {
    const random = childRandom(this.seed, 'nemesis', nemesis.name, ++this.#unleashed);
    const faults = nemesis.plan({ nodes: this.nodes, random, from: this.now });
    this.schedule(faults);
    return faults;
  }

  // The end.

  /**
   * Stops all nodes, each with the function that its setup returned, and resolves to the resources
   * that they left behind: open calls, timers, connections and transports, by owner. If a setup
   * returned no such function, the transports of the node are closed. Afterwards, nothing of the
   * simulation remains in the process. Calling `close` again returns the same promise. Rejects if a
   * node fails meanwhile or if a rejection is still unhandled. After a run has failed, it drops the
   * nodes at once, and resolves to an empty list.
   */
  close(): Promise<SimulationLeak[]> {
    return this.end(false);
  }

  /** @internal Closes the simulation; drops the nodes at once if its scenario has failed. */
  end(hasFailed: boolean): Promise<SimulationLeak[]> {
    this.#closing ??= shutDown(this.#loop, this.#network, this.#cluster, hasFailed);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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
    this.#faults.updateCalm(false);
    if (this.#nemesis !== undefined) {
      const nemesis = this.#nemesis;
      this.#nemesis = undefined;
      if ('plan' in nemesis) this.unleash(nemesis);
      else this.schedule(nemesis);
    }
    for (const fault of this.#unchecked.splice(0)) this.#faults.check(fault);
    return this.#loop.drive(done, this.now + milliseconds, patient);
  }

  #unfinished(rule: string, what: string, outcome: 'end' | 'nothing left', within: number): Error {
    const waits = this.#cluster.everyone.flatMap((node) => node.openWaits());
    const shown = waits.slice(0, WAITS).join('; ') || 'no call, dial or store operation is pending';
    if (outcome === 'nothing left')
      return this.#loop.error('deadlock', `${what}, and no further event can happen: ${shown}`);
    return this.#loop.error(rule, `${what} within ${within} ms: ${shown}`);
  }
}

/** Virtual milliseconds that `until`, `settle` and `eventually` allow by default. */
const DEFAULT_WITHIN = 60_000;
/** Maximum number of open waits that an error message lists. */
const WAITS = 10;
