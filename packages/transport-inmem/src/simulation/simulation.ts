// A cluster in one process, in virtual time, on a network that does what the test says: from one seed, and so again and again.

import { integer, optional, optionsSchema, type Protocol, parseOptions, reference, type Transport, withDefault } from '@trunkline/transport-core';
import { always, eventually } from './checking/rules.ts';
import { checkFault, describeFault, type Fault, type ScheduledFault } from './faults/fault.ts';
import type { Nemesis } from './faults/nemesis.ts';
import type { Interceptor } from './network/interceptors.ts';
import { CALM, type LinkOptions, linkSettings } from './network/link-settings.ts';
import { isAddress } from './network/sim-layer.ts';
import { type Level, SimNetwork } from './network/sim-network.ts';
import { type Direction, Topology } from './network/topology.ts';
import { checkDisk, type DiskOptions } from './nodes/node-store.ts';
import { type Leak, type Setup, SimNode, type SimTransportOptions } from './nodes/sim-node.ts';
import { childRandom } from './world/chance.ts';
import { Happening, type TraceSummary } from './world/trace.ts';
import { describeError, World } from './world/world.ts';

export interface SimulationOptions {
  /** An integer; everything that is drawn comes from it. */
  readonly seed: number;
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
export function createSimulation(options: SimulationOptions): Simulation {
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
  readonly #nodes = new Map<string, SimNode>();
  readonly #clients = new Map<string, SimNode>();
  readonly #disk: DiskOptions;
  #nemesis: SimulationOptions['nemesis'];
  /** Nodes that boot at the next drive. */
  #waiting: SimNode[] = [];
  /** Scheduled faults whose names nobody has held against the nodes yet. */
  #unchecked: Fault[] = [];
  #unleashed = 0;
  #calmSince: number | undefined = 0;
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
    this.#network = new SimNetwork(this.#world, level, new Topology(seed, base, (name) => this.#nodes.has(name)));
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
    return [...this.#nodes.keys()];
  }

  /** The moment from which nothing has been wrong; undefined while something is. */
  get calmSince(): number | undefined {
    return this.#calmSince;
  }

  // Who is there.

  /** Declares a node. It boots at the next `run`, `until` or `settle`, in order of declaration; `set-up` runs anew at each restart. */
  node(name: string, setup: Setup, { disk }: { readonly disk?: DiskOptions | undefined } = {}): this {
    if (!isNodeName(name)) throw new TypeError(`node: ${NAMES}, got ${JSON.stringify(name)}`);
    if (typeof setup !== 'function') throw new TypeError(`node: the set-up of '${name}' must be a function, got ${String(setup)}`);
    if (this.#nodes.has(name) || this.#clients.has(name)) throw new TypeError(`node: there is one named '${name}' already`);
    const node = new SimNode(this.#world, this.#network, name, setup, { ...this.#disk, ...disk });
    this.#nodes.set(name, node);
    this.#waiting.push(node);
    return this;
  }

  /** A transport outside every node: it never crashes, and no partition holds it off. Its links are as bad as the others. */
  client<P extends Protocol>(protocol: P, { name = `client-${this.#clients.size + 1}`, ...options }: SimTransportOptions = {}): Transport<P> {
    if (this.#nodes.has(name) || this.#clients.has(name)) throw new TypeError(`client: there is one named '${name}' already`);
    if (!isNodeName(name)) throw new TypeError(`client: ${NAMES}, got ${JSON.stringify(name)}`);
    const node = new SimNode(this.#world, this.#network, name, () => {}, {});
    const transport = node.boot().transport(protocol, options);
    this.#clients.set(name, node);
    return transport;
  }

  isUp(name: string): boolean {
    return this.#node(name).isUp;
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
    return eventually(this.#world, name, holds, within, () => this.#calmSince);
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
    const world = this.#world;
    this.#check(fault);
    this.#apply(fault);
    world.trace.tell(world.now, Happening.fault, 0, describeFault(fault));
    world.touch();
    this.#weigh(fault.do === 'recover');
  }

  /** Is all well now? A node that has not booted yet is. */
  #weigh(recovered: boolean): void {
    const isWell = (node: SimNode) => (node.isUp || node.waits) && !node.refusing && (node.life?.cost ?? 0) === 0;
    const calm = this.#network.topology.whole && [...this.#nodes.values()].every(isWell);
    if (!calm) this.#calmSince = undefined;
    else if (this.#calmSince === undefined || recovered) this.#calmSince = this.now;
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
   * A node whose set-up gave no stop has its transports closed. Leaves nothing behind; idempotent.
   */
  close(): Promise<Leak[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<Leak[]> {
    this.#world.rules.clear();
    this.#network.interceptors.clear();
    this.#network.topology.heal();
    this.#waiting = [];
    this.#unchecked = [];
    this.#nemesis = undefined;
    const nodes = [...this.#nodes.values()];
    const clients = [...this.#clients.values()];
    const leaks = new Map(clients.map((client) => [client, client.leaks().filter(({ kind }) => kind === 'call')]));
    let failure: Error | undefined;
    const stop = async (node: SimNode) => {
      try {
        await node.stop();
      } catch (error) {
        failure ??= new Error(`the stop of ${node.name} failed: ${describeError(error)}`, { cause: error });
      }
      // At once: what others leave as they stop is not its own.
      leaks.set(node, node.leaks());
    };
    await this.#settleQuietly(Promise.all(nodes.map(stop)));
    for (const node of nodes) if (!leaks.has(node)) leaks.set(node, node.leaks());
    await this.#settleQuietly(Promise.all([...nodes, ...clients].map((node) => node.closeTransports())));
    for (const node of [...nodes, ...clients]) node.crash(true);
    if (failure !== undefined) throw failure;
    return [...nodes, ...clients].flatMap((node) => leaks.get(node)!);
  }

  /** A node that hangs as it stops has left something: that is told as a leak. */
  async #settleQuietly(promise: Promise<unknown>): Promise<void> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.#world.drive(() => settled, this.now + CLOSING, false);
    if (settled) await promise;
  }

  async #drive(done: () => boolean, milliseconds: number, what: string, patient: boolean): Promise<'done' | 'end' | 'nothing left'> {
    if (typeof milliseconds !== 'number' || !(milliseconds >= 0))
      throw new TypeError(`${what}: takes virtual milliseconds from 0 on, got ${String(milliseconds)}`);
    if (this.#closing !== undefined) throw new TypeError(`${what}: this simulation is closed`);
    for (const node of this.#waiting.splice(0)) if (node.waits) this.at(this.now, () => node.waits && node.boot());
    this.#weigh(false);
    if (this.#nemesis !== undefined) {
      const nemesis = this.#nemesis;
      this.#nemesis = undefined;
      if ('plan' in nemesis) this.unleash(nemesis);
      else this.schedule(nemesis);
    }
    for (const fault of this.#unchecked.splice(0)) this.#check(fault);
    return this.#world.drive(done, this.now + milliseconds, patient);
  }

  #unfinished(rule: string, what: string, outcome: 'end' | 'nothing left', within: number): Error {
    const waits = [...this.#nodes.values(), ...this.#clients.values()].flatMap((node) => node.openWaits());
    const shown = waits.slice(0, WAITS).join('; ') || 'no call, dial or store is waited for';
    if (outcome === 'nothing left') return this.#world.error('deadlock', `${what}, and nothing is left that could happen: ${shown}`);
    return this.#world.error(rule, `${what} within ${within} ms: ${shown}`);
  }

  #apply(fault: Fault): void {
    const { topology } = this.#network;
    switch (fault.do) {
      case 'partition':
        return topology.partition(fault.groups);
      case 'cut':
      case 'hold':
      case 'release':
        return topology[fault.do](this.#end(fault.from).name, this.#end(fault.to).name, fault.direction ?? 'both');
      case 'link':
        return topology.change(this.#end(fault.from).name, this.#end(fault.to).name, fault.link, fault.direction ?? 'both');
      case 'reset':
      case 'halfClose':
        return this.#breakOff(fault.do, this.#end(fault.from), this.#end(fault.to));
      case 'heal':
        return this.#heal();
      case 'recover':
        this.#heal();
        for (const node of this.#nodes.values()) this.#recover(node);
        return;
      default:
        return this.#applyTo(this.#node(fault.node), fault);
    }
  }

  #applyTo(node: SimNode, fault: Extract<Fault, { node: string }>): void {
    const { life } = node;
    switch (fault.do) {
      case 'crash':
        this.#world.trace.record(this.now, Happening.crashed, this.#world.trace.number(node.name), 0, 0, 0, 0);
        return node.crash(fault.power !== 'lost');
      case 'restart':
        if (node.isUp) node.crash(true);
        node.boot();
        return;
      case 'pause':
        if (life !== undefined) life.busyUntil = Math.max(life.busyUntil, this.now + fault.for);
        return;
      case 'slow':
        if (life !== undefined) life.cost = fault.cost;
        return;
      case 'skew':
        return node.time.skew(fault.by);
      case 'drift':
        return node.time.drift(fault.ppm);
      case 'refuse':
        node.refusing = true;
        return;
      case 'disk':
        return node.disk.configure(fault.disk);
    }
  }

  #breakOff(what: 'reset' | 'halfClose', a: SimNode, b: SimNode): void {
    if (a.life === undefined || b.life === undefined) return;
    this.#network[what](a.life, b.life);
    if (what === 'reset') this.#network.reset(b.life, a.life);
  }

  #heal(): void {
    this.#network.topology.heal();
    for (const node of this.#nodes.values()) node.refusing = false;
  }

  #recover(node: SimNode): void {
    node.time.drift(0);
    node.disk.mend();
    if (node.life !== undefined) node.life.cost = 0;
    if (node.life !== undefined && !node.isUp) node.boot();
  }

  #check(fault: Fault): void {
    checkFault(fault);
    if ('groups' in fault) for (const name of fault.groups.flat()) this.#node(name);
    if ('node' in fault) this.#node(fault.node);
    if ('from' in fault) for (const name of [fault.from, fault.to]) this.#end(name);
  }

  #node(name: string): SimNode {
    const node = this.#nodes.get(name);
    if (node !== undefined) return node;
    throw new TypeError(`there is no node '${name}'; there are ${this.nodes.join(', ') || 'none'}`);
  }

  /** A node or a client. */
  #end(name: string): SimNode {
    return this.#clients.get(name) ?? this.#node(name);
  }
}

function isNodeName(name: unknown): name is string {
  return typeof name === 'string' && isAddress(name) && !name.includes('/');
}

const NAMES = 'a name is 1 to 255 characters, none of them a space or one of / ? # @ :';

const schema = optionsSchema({
  seed: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
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
