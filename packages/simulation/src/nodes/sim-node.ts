// A simulated node: the machine, which lasts, and its current incarnation, which a crash ends and a
// restart replaces. It owns the node's disk, clock and transports; the cluster and the fault
// injector make it boot, crash and stop.

import type { MountOptions, Protocol, Random, Transport } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { iterable, type RuntimeOverride } from '@trunkline/transport-core/internal';
import { childRandom } from '../kernel/distributions.ts';
import { describeError, type EventLoop } from '../kernel/event-loop.ts';
import type { NodeReport } from '../kernel/node-report.ts';
import { pair, TraceKind } from '../kernel/trace.ts';
import { type Host, Incarnation } from '../network/incarnation.ts';
import { SimLayer } from '../network/sim-layer.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import { type OpenFiles, provideDiskAccess } from './disk-access.ts';
import { leaksOf, type SimulationLeak, waitsOf } from './leaks.ts';
import { NodeActivity } from './node-activity.ts';
import { NodeClock, NodeTime } from './node-clock.ts';
import type { NodeContext, NodeSetup, NodeStop, SimTransportOptions } from './node-context.ts';
import { Disk, type DiskOptions, NodeStore } from './node-store.ts';

/** The declaration of a node or client. */
export interface NodeDeclaration {
  readonly setup: NodeSetup;
  readonly disk: DiskOptions;
  /** True if it is a client outside all nodes. */
  readonly isClient: boolean;
}

/** A node or client of a simulation. */
export class SimNode implements Host {
  readonly name: string;
  readonly isClient: boolean;
  powered = true;
  refusing = false;
  readonly time: NodeTime;
  readonly disk: Disk;
  incarnation: Incarnation | undefined;
  readonly #loop: EventLoop;
  readonly #network: SimNetwork;
  readonly #setup: NodeSetup;
  #boots = 0;
  #waits = true;
  #transports: NetworkTransport<Protocol>[] = [];
  #clock: NodeClock | undefined;
  #store: NodeStore | undefined;
  /** The file systems that code of the current incarnation uses. */
  #files: OpenFiles[] = [];
  #stop: NodeStop | undefined;
  #stops = false;
  readonly #activity: NodeActivity;

  constructor(
    loop: EventLoop,
    network: SimNetwork,
    name: string,
    { setup, disk, isClient }: NodeDeclaration,
  ) {
    this.name = name;
    this.isClient = isClient;
    this.#loop = loop;
    this.#network = network;
    this.#setup = setup;
    this.time = new NodeTime(loop);
    this.#activity = new NodeActivity(loop, name);
    this.disk = new Disk(disk, childRandom(loop.seed, 'disk', name));
  }

  /** True if the node was declared but has neither booted nor crashed since. */
  get waits(): boolean {
    return this.#waits;
  }

  get isUp(): boolean {
    return this.incarnation?.alive === true;
  }

  /** Begins a new incarnation. Its setup runs as the next event of this instant. */
  boot(): NodeContext {
    const { name } = this;
    const { trace } = this.#loop;
    const number = trace.number(name);
    const incarnation = new Incarnation(name, number, this);
    this.incarnation = incarnation;
    this.#waits = false;
    this.powered = true;
    this.#transports = [];
    const files: OpenFiles[] = (this.#files = []);
    this.#stop = undefined;
    const seeds = [name, ++this.#boots] as const;
    const clock = (this.#clock = new NodeClock(this.#loop, this.time, incarnation));
    incarnation.system = new SimSystem(clock, () =>
      childRandom(this.#loop.seed, 'system', ...seeds),
    );
    const store = (this.#store = new NodeStore(this.#loop, incarnation, this.disk));
    trace.record(TraceKind.booted, pair(number, 0), 0, this.#boots);
    const context: NodeContext = {
      name,
      clock,
      store,
      random: childRandom(this.#loop.seed, 'node', ...seeds),
      transport: (protocol, options) => this.#transport(incarnation, protocol, options),
      log: (text) => {
        if (!incarnation.alive) return;
        this.#activity.logged(String(text));
        trace.recordText(TraceKind.note, number, String(text));
      },
      state: (state) => {
        if (incarnation.alive) trace.recordState(number, stateText(state));
      },
    };
    provideDiskAccess(context, {
      loop: this.#loop,
      owner: incarnation,
      disk: this.disk,
      watch: (each) => void files.push(each),
      whenEnded: (end) => void incarnation.endings.push(end),
    });
    const failed = (error: unknown) => {
      // The setup of a node that stops may find its transports closed.
      if (incarnation.alive && !this.#stops)
        this.#loop.fail(
          'every node starts',
          `the setup of ${name} failed: ${describeError(error)}`,
          error,
        );
    };
    const started = (stop: void | NodeStop) => {
      if (incarnation.alive && typeof stop === 'function') this.#stop = stop;
    };
    this.#loop.schedule(0, 'task', incarnation, () => {
      try {
        Promise.resolve(this.#setup(context)).then(started, failed);
      } catch (error) {
        failed(error);
      }
    });
    return context;
  }

  /**
   * Ends the node's incarnation without any cleanup; its disk loses data that was not synced. If
   * `power` is false, its peers are not informed.
   */
  crash(power: boolean): void {
    this.powered = power;
    this.#waits = false;
    this.disk.crash();
    this.#activity.crashed();
    if (this.incarnation !== undefined)
      this.#loop.trace.recordState(this.incarnation.number, undefined);
    this.incarnation?.crash();
    // Drop the parts of the ended incarnation: a simulation may start and crash thousands of nodes.
    this.#transports = [];
    this.#files = [];
    this.#clock = this.#store = this.#stop = undefined;
    this.#network.vacate(this.incarnation);
  }

  /** Stops the node with the function that its setup returned, or by closing its transports. */
  async stop(): Promise<void> {
    if (!this.isUp) return;
    this.#stops = true;
    if (this.#stop !== undefined) await this.#stop();
    else await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  /** Returns the resources that the node has left open. */
  leaks(): SimulationLeak[] {
    const { name: owner } = this;
    if (!this.isUp) return [];
    const leaks: SimulationLeak[] = [];
    for (const transport of this.#transports) leaks.push(...leaksOf(owner, transport));
    const timers = this.#clock?.armed ?? 0;
    if (timers > 0)
      leaks.push({
        owner,
        kind: 'timer',
        count: timers,
        what: `${owner} left ${timers} armed timers on its clock: clear them when it stops`,
      });
    const pending = this.#pending;
    if (pending > 0)
      leaks.push({
        owner,
        kind: 'store',
        count: pending,
        what: `${owner} left ${pending} operations of its store unanswered`,
      });
    const open = this.#files.reduce((sum, { openFiles }) => sum + openFiles, 0);
    if (open > 0)
      leaks.push({
        owner,
        kind: 'file',
        count: open,
        what: `${owner} left ${open} files open: close them when it stops`,
      });
    return leaks;
  }

  /** Reports the node as it is now. */
  report(): NodeReport {
    const { name, isClient, isUp, disk } = this;
    const { log, calls } = this.#activity;
    const state = this.#loop.trace.states[name];
    return {
      name,
      kind: isClient ? 'client' : 'node',
      up: isUp,
      ...(state !== undefined && { state }),
      log,
      calls,
      waits: this.openWaits(),
      ...disk.report(),
    };
  }

  /** Describes the things that the node waits for: calls, dials and store operations. */
  openWaits(): string[] {
    if (!this.isUp) return [];
    const waits = this.#transports.flatMap((transport) => waitsOf(this.name, transport));
    const pending = this.#pending;
    if (pending > 0) waits.push(`${this.name} waits for ${pending} operations of its store`);
    return waits;
  }

  /** The number of operations of the store and of files that have not completed. */
  get #pending(): number {
    const files = this.#files.reduce((sum, { pending }) => sum + pending, 0);
    return files + (this.#store?.pending ?? 0);
  }

  async closeTransports(): Promise<void> {
    if (this.isUp) await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  #transport<P extends Protocol>(
    incarnation: Incarnation,
    protocol: P,
    { name, layer, observer, ...options }: SimTransportOptions = {},
  ): Transport<P> {
    const number = this.#transports.length;
    const clock = new NodeClock(this.#loop, this.time, incarnation);
    const random = childRandom(this.#loop.seed, 'transport', this.name, this.#boots, number);
    const address = name === undefined ? this.name : `${this.name}/${name}`;
    const sim = new SimLayer(this.#network, incarnation, address, clock);
    const stream = layer === undefined ? sim : layer(sim);
    const transport = new SimTransport(incarnation, {
      ...options,
      observer: this.#activity.observing(observer),
      protocol,
      stream,
      clock,
      random,
    });
    // Code of an ended incarnation may still run; its transports do not belong to the next one.
    if (incarnation.alive)
      this.#transports.push(transport as unknown as NetworkTransport<Protocol>);
    return transport;
  }
}

/**
 * A NetworkTransport that registers its protocols with its node. After the node has crashed, its
 * promises never settle.
 */
class SimTransport<P extends Protocol> extends NetworkTransport<P> {
  readonly #incarnation: Incarnation;

  constructor(
    incarnation: Incarnation,
    options: ConstructorParameters<typeof NetworkTransport<P>>[0],
  ) {
    super(options);
    this.#incarnation = incarnation;
    incarnation.protocols.set(this.protocol.channel, this.protocol);
  }

  override mount<Q extends Protocol>(protocol: Q, options?: MountOptions): Transport<Q> {
    const transport = super.mount(protocol, options);
    this.#incarnation.protocols.set(protocol.channel, protocol);
    return transport;
  }

  override listen(): Promise<void> {
    return this.#incarnation.alive ? super.listen() : never();
  }

  override send: NetworkTransport<P>['send'] = (...args) =>
    this.#incarnation.alive ? super.send(...args) : (iterable(never()) as never);

  override close(options?: { readonly grace?: number | undefined }): Promise<void> {
    return this.#incarnation.alive ? super.close(options) : never();
  }
}

/**
 * Answers code of a node that asks the system for randomness or the time of day instead of using
 * its context; the answers are still derived from the seed.
 */
class SimSystem implements Omit<RuntimeOverride, 'refuse'> {
  readonly #clock: NodeClock;
  readonly #source: () => Random;
  #random: Random | undefined;

  constructor(clock: NodeClock, source: () => Random) {
    this.#clock = clock;
    this.#source = source;
  }

  random(): number {
    this.#random ??= this.#source();
    return this.#random();
  }

  wall(): number {
    return this.#clock.wall();
  }
}

/** Formats a state, for example as 'role leader, term 3'. */
function stateText(state: string | Readonly<Record<string, unknown>>): string {
  const entries =
    typeof state === 'string'
      ? [state]
      : Object.entries(state).map(([key, value]) => `${key} ${String(value)}`);
  return entries.join(', ').slice(0, LONGEST_STATE);
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/** Maximum length of a state, in characters. */
const LONGEST_STATE = 150;
