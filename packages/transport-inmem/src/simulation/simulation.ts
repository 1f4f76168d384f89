// A cluster in one process, in virtual time, on a network that does what the test says: from one seed, and so again and again.

import { integer, optional, optionsSchema, type Protocol, parseOptions, reference, type Transport, withDefault } from '@trunkline/transport-core';
import { always, eventually } from './checking/rules.ts';
import { checkFault, type Fault, type ScheduledFault } from './faults/fault.ts';
import type { Nemesis } from './faults/nemesis.ts';
import { Trouble } from './faults/trouble.ts';
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

export interface SimulationOptions {
  /** An integer; everything that is drawn comes from it. Default 1, as in `explore` and `assertDeterministic`. */
  readonly seed?: number | undefined;
  /** 'message' (default): whole messages over the direct transport. 'stream': the bytes of the whole NetworkTransport. */
  readonly level?: Level | undefined;
  /** Every link, as long as nothing else is said of it. */
  readonly link?: LinkOptions | undefined;
  /** Every disk, as long as nothing else is said of it. */
  readonly disk?: DiskOptions | undefined;
  /** Plans faults when the simulation first runs; or a schedule of them. */
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
  /**
   * A turn of the real event loop after each event. Default false: 8 turns of the microtask queue, and 8 more as long as the world was
   * touched. A chain of more bare awaits then goes on at a later virtual time; that is as deterministic, and ten times as fast.
   */
  readonly strict?: boolean | undefined;
  /** Events that may happen without time going on, before that is called a loop. Default 100,000. */
  readonly stepLimit?: number | undefined;
}

/** Makes a simulation. Nothing runs before `run`, `until` or `settle`. Simulations of one thread run one after the other. */
export function createSimulation(options: SimulationOptions = {}): Simulation {
  return new Simulation(options);
}

/** What `createSimulation` makes. */
export class Simulation {
  readonly seed: number;
  readonly level: Level;
  /** Everything that was planned to go wrong, by `schedule` or by a nemesis. */
  readonly faults: ScheduledFault[] = [];
  readonly #world: World;
  readonly #network: SimNetwork;
  readonly #cluster: Cluster;
  readonly #trouble: Trouble;
  readonly #disk: DiskOptions;
  #nemesis: SimulationOptions['nemesis'];
  /** Scheduled faults whose names nobody has held against the nodes yet. */
  #unchecked: Fault[] = [];
  #unleashed = 0;
  #closing: Promise<Leak[]> | undefined;

  constructor(options: SimulationOptions) {
    const { seed, level, link, disk, nemesis, strict, stepLimit } = parseOptions(schema, options, 'createSimulation');
    this.seed = seed;
    this.level = level;
    this.#disk = disk ?? {};
    checkDisk(this.#disk, 'createSimulation: disk');
    this.#nemesis = nemesis;
    this.#world = new World({ seed, strict, stepLimit });
    const base = linkSettings(CALM, link ?? {}, 'createSimulation: link');
    this.#network = new SimNetwork(this.#world, level, new Topology(seed, base, (name) => this.#cluster.nodes.has(name)));
    this.#cluster = new Cluster(this.#world, this.#network);
    this.#trouble = new Trouble(this.#world, this.#network, this.#cluster);
  }

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.#world.now;
  }

  /** Everything that has happened. Its hash is the same for the same seed and code. */
  get trace(): TraceSummary {
    return this.#world.trace;
  }

  /** Events that have happened, timers that found nothing included. */
  get events(): number {
    return this.#world.steps;
  }

  /** The names of all nodes, in order of declaration. */
  get nodes(): readonly string[] {
    return [...this.#cluster.nodes.keys()];
  }

  /** The moment from which nothing has been wrong; undefined while something is. */
  get calmSince(): number | undefined {
    return this.#trouble.calmSince;
  }

  // Who is there.

  /** Declares a node. It boots at the next `run`, `until` or `settle`, in order of declaration; `set-up` runs anew at each restart. */
  node(name: string, setup: Setup, { disk }: { readonly disk?: DiskOptions | undefined } = {}): this {
    this.#cluster.declare(name, setup, { ...this.#disk, ...disk });
    return this;
  }

  /** A transport outside every node: it never crashes, and no partition holds it off. Its links are as bad as the others. */
  client<P extends Protocol>(protocol: P, options: SimTransportOptions = {}): Transport<P> {
    return this.#cluster.client(protocol, options);
  }

  isUp(name: string): boolean {
    return this.#cluster.node(name).isUp;
  }

  // Time.

  /** Runs for so many virtual milliseconds. Rejects with a SimulationError where a rule breaks. */
  async run(milliseconds: number): Promise<void> {
    await this.#drive(() => false, milliseconds, 'run', true);
  }

  /** Runs until `done` is true, which is asked after every event. A SimulationError where it is not `within` so many virtual milliseconds. */
  async until(done: () => unknown, within = DEFAULT_WITHIN): Promise<void> {
    const outcome = await this.#drive(() => Boolean(done()), within, 'until', false);
    if (outcome !== 'done') throw this.#unfinished('until', 'it did not come to be true', outcome, within);
  }

  /** Runs until a promise settles, and gives what it gives. A SimulationError where it does not `within` so many virtual milliseconds. */
  async settle<T>(promise: PromiseLike<T>, within = DEFAULT_WITHIN): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
      this.#world.touch();
    };
    promise.then(settle, settle);
    const outcome = await this.#drive(() => settled, within, 'settle', false);
    if (outcome !== 'done') throw this.#unfinished('settle', 'the promise did not settle', outcome, within);
    return promise;
  }

  /** `action` happens at a virtual time, or now where that is past. */
  at(time: number, action: () => void): void {
    if (!Number.isFinite(time)) throw new TypeError(`at: takes a virtual time in milliseconds, got ${String(time)}`);
    this.#world.scheduleAt(Math.max(time, this.now), 'world', undefined, action, undefined);
  }

  // What must hold.

  /** Checked after every event: false or a throw ends the run with a SimulationError. The returned function ends the check. */
  always(name: string, holds: () => unknown): () => void {
    return always(this.#world, name, holds);
  }

  /** Must come to be true within so many milliseconds whenever the network is whole again and every node up, as at the beginning. */
  eventually(name: string, holds: () => unknown, { within = DEFAULT_WITHIN }: { readonly within?: number | undefined } = {}): () => void {
    return eventually(this.#world, name, holds, within, () => this.calmSince);
  }

  /** Looks at each message as it arrives, and says what becomes of it. The returned function takes it out again. */
  intercept(interceptor: Interceptor): () => void {
    return this.#network.interceptors.add(interceptor);
  }

  // What goes wrong, from now on.

  /** Splits the nodes: two reach each other where one group holds both; a node in no group stands in one of its own. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.inject({ do: 'partition', groups });
  }

  /** What a sends to b, and b to a unless it is one-way, is lost, what is on its way too. */
  cut(a: string, b: string, { direction = 'both' }: { readonly direction?: Direction | undefined } = {}): void {
    this.inject({ do: 'cut', from: a, to: b, direction });
  }

  /** What a sends to b, and b to a unless it is one-way, waits for `release`, what is on its way too. */
  hold(a: string, b: string, { direction = 'both' }: { readonly direction?: Direction | undefined } = {}): void {
    this.inject({ do: 'hold', from: a, to: b, direction });
  }

  release(a: string, b: string, { direction = 'both' }: { readonly direction?: Direction | undefined } = {}): void {
    this.inject({ do: 'release', from: a, to: b, direction });
  }

  /** Makes a link otherwise than createSimulation's `link`, until `heal`. */
  link(a: string, b: string, link: LinkOptions, { direction = 'both' }: { readonly direction?: Direction | undefined } = {}): void {
    this.inject({ do: 'link', from: a, to: b, link, direction });
  }

  /** Breaks off every connection between two nodes, as a firewall may. */
  reset(a: string, b: string): void {
    this.inject({ do: 'reset', from: a, to: b });
  }

  /** Ends partitions, cuts, holds and changed links. */
  heal(): void {
    this.inject({ do: 'heal' });
  }

  /** Ends a node with no clean-up. Others see a reset; with `power: 'lost'` nothing at all. */
  crash(name: string, { power = 'kept' }: { readonly power?: 'kept' | 'lost' | undefined } = {}): void {
    this.inject({ do: 'crash', node: name, power });
  }

  /** Boots a node anew, with what its store had synced. */
  restart(name: string): void {
    this.inject({ do: 'restart', node: name });
  }

  /** A node's event loop stands still for so long; what comes meanwhile waits. */
  pause(name: string, milliseconds: number): void {
    this.inject({ do: 'pause', node: name, for: milliseconds });
  }

  /** A slow CPU: each event costs the node so many milliseconds. */
  slow(name: string, cost: number): void {
    this.inject({ do: 'slow', node: name, cost });
  }

  /** A node's clock jumps. Its wall clock goes back where that is negative, its monotonic clock runs at half speed until it is right. */
  skew(name: string, by: number): void {
    this.inject({ do: 'skew', node: name, by });
  }

  /** A node's clock, and its timers, run fast by so many millionths, or slow where it is negative. */
  drift(name: string, ppm: number): void {
    this.inject({ do: 'drift', node: name, ppm });
  }

  /** Who dials the node is refused, until `heal`. */
  refuse(name: string): void {
    this.inject({ do: 'refuse', node: name });
  }

  /** A node's disk is slow, or fails. */
  disk(name: string, disk: DiskOptions): void {
    this.inject({ do: 'disk', node: name, disk });
  }

  /** Has a fault happen now. @throws TypeError for a name that nobody has. */
  inject(fault: Fault): void {
    this.#trouble.inject(fault);
  }

  /** Has faults happen at their times. The next drive refuses those that name nobody: TypeError. */
  schedule(faults: readonly ScheduledFault[]): void {
    for (const fault of faults) {
      checkFault(fault);
      this.faults.push(fault);
      this.#unchecked.push(fault);
      this.at(fault.at, () => this.inject(fault));
    }
  }

  /** Plans what a nemesis does from now on, and schedules it. */
  unleash(nemesis: Nemesis): readonly ScheduledFault[] {
    const random = childRandom(this.seed, 'nemesis', nemesis.name, ++this.#unleashed);
    const faults = nemesis.plan({ nodes: this.nodes, random, from: this.now });
    this.schedule(faults);
    return faults;
  }

  // The end.

  /**
   * Stops the nodes as their set-ups said how, and gives what they left: open calls, timers, connections and transports, by owner.
   * A node whose set-up gave no stop has its transports closed. Leaves nothing behind; idempotent. Rejects if a node fails meanwhile, or
   * if nothing has handled a rejection by now; never because of what a run has failed of before.
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
    // What follows from a failure is no news: it was told.
    const { failure } = world;
    if (failure !== undefined) world.forgive();
    const isTold = (error: unknown) => failure !== undefined && (error === failure || error === (failure as Error).cause);
    let found: unknown;
    const leaks = await this.#cluster.stop(async (promise) => {
      found ??= await this.#settleQuietly(promise);
    }, isTold);
    found ??= await world.end();
    if (failure === undefined && found !== undefined) throw found;
    return leaks;
  }

  /** A node that hangs as it stops has left something: that is told as a leak. Gives the first error of a node meanwhile. */
  async #settleQuietly(promise: Promise<unknown>): Promise<unknown> {
    const world = this.#world;
    const end = this.now + CLOSING;
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    let found: unknown;
    // Once it forgives, only a loop without end stops a drive.
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

  async #drive(done: () => boolean, milliseconds: number, what: string, patient: boolean): Promise<'done' | 'end' | 'nothing left'> {
    if (typeof milliseconds !== 'number' || !(milliseconds >= 0))
      throw new TypeError(`${what}: takes virtual milliseconds from 0 on, got ${String(milliseconds)}`);
    if (this.#closing !== undefined) throw new TypeError(`${what}: this simulation is closed`);
    this.#cluster.boot();
    this.#trouble.weigh(false);
    if (this.#nemesis !== undefined) {
      const nemesis = this.#nemesis;
      this.#nemesis = undefined;
      if ('plan' in nemesis) this.unleash(nemesis);
      else this.schedule(nemesis);
    }
    for (const fault of this.#unchecked.splice(0)) this.#trouble.check(fault);
    return this.#world.drive(done, this.now + milliseconds, patient);
  }

  #unfinished(rule: string, what: string, outcome: 'end' | 'nothing left', within: number): Error {
    const waits = this.#cluster.everyone.flatMap((node) => node.openWaits());
    const shown = waits.slice(0, WAITS).join('; ') || 'no call, dial or store is waited for';
    if (outcome === 'nothing left') return this.#world.error('deadlock', `${what}, and nothing is left that could happen: ${shown}`);
    return this.#world.error(rule, `${what} within ${within} ms: ${shown}`);
  }
}

const schema = optionsSchema({
  seed: withDefault(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1),
  level: withDefault(
    reference<Level>((value) => value === 'message' || value === 'stream', "'message' or 'stream'"),
    'message',
  ),
  link: optional(reference<LinkOptions>((value) => typeof value === 'object' && value !== null, 'an object of options')),
  disk: optional(reference<DiskOptions>((value) => typeof value === 'object' && value !== null, 'an object of options')),
  nemesis: optional(
    reference<NonNullable<SimulationOptions['nemesis']>>((value) => typeof value === 'object' && value !== null, 'a nemesis, or a list of faults'),
  ),
  strict: withDefault(
    reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    false,
  ),
  stepLimit: withDefault(integer(1, Number.MAX_SAFE_INTEGER), 100_000),
});

/** Virtual milliseconds, where none are given. */
const DEFAULT_WITHIN = 60_000;
/** Virtual milliseconds that nodes have to stop. */
const CLOSING = 60_000;
/** Waits that a message lists. */
const WAITS = 10;
