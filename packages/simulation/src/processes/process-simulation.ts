// The simulation as a scenario sees it, on processes: nodes are child processes, time is real, and
// faults are signals and proxies. It owns the processes, the proxies, the clients and the rules.

import {
  type ClockTimer,
  type Protocol,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import { NetworkTransport, refuseUnknown } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import type { Fault, ScheduledFault } from '../faults/fault.ts';
import { describeFault } from '../faults/fault.ts';
import type { Nemesis } from '../faults/nemesis.ts';
import type { SimulationLeak } from '../nodes/leaks.ts';
import type { NodeSetup, SimTransportOptions } from '../nodes/node-context.ts';
import type { Simulation } from '../simulation.ts';
import { FaultMethods } from './fault-methods.ts';
import type { FromNode } from './messages.ts';
import { NamedLayer, PromisedLayer } from './named-layer.ts';
import { NodeProcess } from './node-process.ts';
import { ProcessFaults } from './process-faults.ts';
import type { ProcessNetwork } from './process-network.ts';
import { Proxies } from './proxies.ts';
import { Rules } from './rules.ts';
import { ScenarioClock } from './scenario-clock.ts';
import { Timeline } from './timeline.ts';

/** The settings of a run. */
export interface ProcessSettings {
  readonly seed: number;
  readonly scenario: string;
  readonly networkUrl: string | undefined;
  readonly network: ProcessNetwork;
  readonly prepared: unknown;
  readonly nemesis: Nemesis | readonly ScheduledFault[] | undefined;
  /** The folder that holds one folder for each node. */
  readonly folder: string;
  readonly onEvent: ((line: string) => void) | undefined;
}

/** The part of a simulation that exists on processes. */
export type Portable = Pick<
  Simulation,
  | ('client' | 'isUp' | 'run' | 'until' | 'settle' | 'at' | 'always' | 'eventually')
  | ('inject' | 'schedule' | 'unleash' | 'partition' | 'cut' | 'hold' | 'release' | 'link')
  | ('reset' | 'heal' | 'crash' | 'restart' | 'pause' | 'refuse' | 'close')
  | ('slow' | 'skew' | 'drift' | 'disk' | 'membership')
  | ('seed' | 'level' | 'faults' | 'now' | 'events' | 'nodes' | 'calmSince' | 'trace')
>;

export class ProcessSimulation extends FaultMethods implements Portable {
  readonly seed: number;
  readonly level = 'stream';
  readonly faults: ScheduledFault[] = [];
  /**
   * The time since which nothing has been wrong, in real milliseconds since all nodes were up;
   * undefined while something is wrong. Pauses do not count.
   */
  calmSince: number | undefined;
  readonly injected: ProcessFaults;
  readonly #settings: ProcessSettings;
  readonly #nodes = new Map<string, NodeProcess>();
  readonly #ready = new Set<string>();
  readonly #timeline: Timeline;
  readonly #proxies: Proxies;
  readonly #clients: Transport<Protocol>[] = [];
  readonly #rules: Rules;
  readonly #clock = new ScenarioClock();
  readonly #timers = new Set<ClockTimer>();
  /** Nodes that start at the next drive. */
  #declared: NodeProcess[] = [];
  #isDriven = false;
  #failure: Error | undefined;
  /** Ends the wait for the next event. */
  #wake: (() => void) | undefined;
  #closing: Promise<SimulationLeak[]> | undefined;

  constructor(settings: ProcessSettings) {
    super();
    this.seed = settings.seed;
    this.#settings = settings;
    this.injected = new ProcessFaults({
      clock: systemClock,
      nodes: this.#nodes,
      isReady: (name) => this.#ready.has(name),
      forget: (name) => this.#forget(name),
    });
    this.#timeline = new Timeline(settings.onEvent);
    this.#proxies = new Proxies(settings.seed, (from, to, proxy) =>
      this.injected.add(from, to, proxy),
    );
    const sim = this;
    this.#rules = new Rules({
      get now() {
        return sim.now;
      },
      get calmSince() {
        return sim.calmSince;
      },
      error: (rule, what) => this.#error(rule, what),
    });
  }

  get now(): number {
    return this.#clock.now();
  }

  get nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  get events(): number {
    return this.#timeline.events;
  }

  get trace(): Simulation['trace'] {
    return this.#timeline.summary;
  }

  // Nodes and clients.

  membership: Simulation['membership'] = (functions) => this.injected.membership.use(functions);

  node(name: string, _setup: NodeSetup): this {
    if (this.#nodes.has(name)) throw new TypeError(`node: the name '${name}' is already taken`);
    // In the process of a node, the scenario waits forever at its first `run`, `until` or `settle`.
    if (this.#clock.hasBegun)
      throw new TypeError(
        `node: on processes, declare '${name}' before the first run, until or settle`,
      );
    const { seed, scenario, networkUrl: network, prepared, folder } = this.#settings;
    const task = { name, seed, scenario, network, prepared, folder: `${folder}/${name}` };
    const node = new NodeProcess(task, {
      message: (message) => this.#heard(name, message),
      died: (how, errors) => {
        this.#forget(name);
        this.#fail(`the process of ${name} ended by ${how}\n${errors}`.trimEnd());
      },
    });
    this.#nodes.set(name, node);
    this.#declared.push(node);
    return this;
  }

  client<P extends Protocol>(
    protocol: P,
    { name = `client-${this.#clients.length + 1}`, layer, ...options }: SimTransportOptions = {},
  ): Transport<P> {
    const { network, prepared } = this.#settings;
    const real = new PromisedLayer(Promise.resolve(network.layer(name, prepared)));
    const named = new NamedLayer(name, real, {
      announce: (target, address) => this.#proxies.announce(target, address),
      resolve: async (target) => {
        await this.#clock.begun;
        return this.#proxies.addressOf(target);
      },
    });
    const transport = new NetworkTransport({
      ...options,
      protocol,
      stream: layer === undefined ? named : layer(named),
      clock: this.#clock,
      random: seededRandom(this.seed + this.#clients.length + 1),
    });
    this.#clients.push(transport as unknown as Transport<Protocol>);
    return transport;
  }

  isUp(name: string): boolean {
    return this.#ready.has(name);
  }

  // Time.

  async run(milliseconds: number): Promise<void> {
    await this.#drive(() => false, milliseconds);
  }

  async until(done: () => unknown, within = DEFAULT_WITHIN): Promise<void> {
    if (!(await this.#drive(() => Boolean(done()), within)))
      throw this.#error('until', `it did not become true within ${within} ms`);
  }

  async settle<T>(promise: PromiseLike<T>, within = DEFAULT_WITHIN): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
      this.#wake?.();
    };
    promise.then(settle, settle);
    if (!(await this.#drive(() => settled, within)))
      throw this.#error('settle', `the promise did not settle within ${within} ms`);
    return promise;
  }

  at(time: number, action: () => void): void {
    const timer = this.#clock.setTimeout(
      () => {
        this.#timers.delete(timer);
        try {
          action();
        } catch (error) {
          this.#failure ??= error as Error;
        }
        this.#wake?.();
      },
      Math.max(0, time - this.now),
    );
    this.#timers.add(timer);
  }

  // Rules.

  always(name: string, holds: () => unknown): () => void {
    return this.#rules.always(name, holds);
  }

  eventually(
    name: string,
    holds: () => unknown,
    options: { readonly within?: number | undefined } = {},
  ): () => void {
    refuseUnknown(options, 'eventually', ['within']);
    const { within = DEFAULT_WITHIN } = options;
    return this.#rules.eventually(name, holds, within);
  }

  // Faults.

  override inject(fault: Fault): void {
    const isApplied = this.injected.inject(fault);
    this.#note('', `${isApplied ? '' : 'skipped: '}${describeFault(fault)}`);
    this.#updateCalm(fault.do === 'recover');
  }

  schedule(faults: readonly ScheduledFault[]): void {
    for (const fault of faults) {
      this.faults.push(fault);
      this.at(fault.at, () => this.inject(fault));
    }
  }

  /** The first error of a node or an action; the next drive rejects with it, or the whole run. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Schedules the faults of a nemesis. The random numbers are the same at each call. */
  unleash(nemesis: Nemesis): readonly ScheduledFault[] {
    const random = seededRandom(this.seed);
    const faults = nemesis.plan({ nodes: this.nodes, random, from: this.now });
    this.schedule(faults);
    return faults;
  }

  /**
   * Stops all processes and closes everything. The list of leaks is always empty, because processes
   * report none. Errors of nodes that are stopping are not reported either.
   */
  close(): Promise<SimulationLeak[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Kills all processes. */
  kill(): void {
    for (const node of this.#nodes.values()) node.kill();
  }

  async #close(): Promise<SimulationLeak[]> {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.injected.end();
    const late = systemClock.setTimeout(() => this.kill(), GRACE);
    const stopped = [...this.#nodes.values()].map((node) => node.stop());
    await Promise.all(this.#clients.map((client) => client.close({ grace: 0 })));
    await Promise.all(stopped);
    systemClock.clearTimeout(late);
    await this.#proxies.close();
    return [];
  }

  /**
   * Waits until `done` returns true, for at most `within` milliseconds. Returns false if the time
   * is up.
   */
  async #drive(done: () => boolean, within: number): Promise<boolean> {
    if (this.#isDriven)
      throw new TypeError(
        'this simulation is already running: await run, until or settle before the next call',
      );
    this.#isDriven = true;
    try {
      await this.#boot();
      const end = this.now + within;
      for (;;) {
        this.#rules.check();
        if (this.#failure !== undefined) throw this.#failure;
        if (done()) return true;
        const left = end - this.now;
        if (left <= 0) return false;
        await this.#event(Math.min(left, POLL));
      }
    } finally {
      this.#isDriven = false;
    }
  }

  /** Starts the nodes that were declared since the last call, and waits for their setups. */
  async #boot(): Promise<void> {
    const declared = this.#declared.splice(0);
    for (const node of declared) node.start();
    const end = systemClock.now() + BOOT;
    while (declared.some((node) => node.isUp && !this.#ready.has(node.name))) {
      if (this.#failure !== undefined) throw this.#failure;
      if (systemClock.now() > end)
        throw this.#error('every node starts', `not all setups finished within ${BOOT} ms`);
      await this.#event(POLL);
    }
    if (!this.#clock.hasBegun) this.#begin();
  }

  /** Starts the time of the scenario. */
  #begin(): void {
    this.#clock.begin();
    this.#updateCalm(false);
    const { nemesis } = this.#settings;
    if (nemesis === undefined) return;
    if ('plan' in nemesis) this.unleash(nemesis);
    else this.schedule(nemesis);
  }

  /** Waits for the next event, for at most the given number of milliseconds. */
  #event(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        systemClock.clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = systemClock.setTimeout(wake, milliseconds);
      this.#wake = wake;
    });
  }

  #heard(name: string, message: FromNode): void {
    switch (message.type) {
      case 'ready':
        this.#ready.add(name);
        this.#note(name, 'is up');
        this.#updateCalm(false);
        break;
      case 'failed':
        return this.#fail(`${name}: ${message.text}`);
      case 'log':
        return this.#note(name, message.text);
      case 'state':
        this.#timeline.setState(name, message.state);
        return this.#note(name, message.state);
      case 'listening':
        this.#proxies.announce(message.target, message.address);
        break;
      case 'resolve':
        this.#answer(this.#nodes.get(name)!, message.id, message.target);
    }
  }

  #answer(node: NodeProcess, id: number, target: string): void {
    const { life } = node;
    void this.#proxies.resolve(node.name, target).then((address) => {
      if (node.life === life) node.send({ type: 'resolved', id, address });
    });
  }

  #forget(name: string): void {
    this.#ready.delete(name);
    this.#timeline.setState(name, undefined);
    this.#proxies.forget(name);
    this.#updateCalm(false);
  }

  #updateCalm(isRecovered: boolean): void {
    if (!this.#clock.hasBegun) return;
    if (!this.injected.isCalm) this.calmSince = undefined;
    else if (this.calmSince === undefined || isRecovered) this.calmSince = this.now;
  }

  #fail(what: string): void {
    this.#failure ??= this.#error('no uncaught error', what);
    this.#wake?.();
  }

  #note(name: string, text: string): void {
    this.#timeline.note(this.now, name, text);
    this.#wake?.();
  }

  #error(rule: string, what: string): Error {
    const text = `${rule}: ${what} (on processes, seed ${this.seed}, at ${Math.round(this.now)} ms)`;
    const error = new Error(`${text}\nthe last events:${this.#timeline.last}`);
    return Object.assign(error, { name: rule });
  }
}

/** Milliseconds that `until`, `settle` and `eventually` allow by default. */
const DEFAULT_WITHIN = 60_000;
/** Time limit, in milliseconds, for the start of the processes. */
const BOOT = 60_000;
/** Time limit, in milliseconds, for a process to stop, after which it is killed. */
const GRACE = 5_000;
/** Milliseconds between two checks of the rules while nothing happens. */
const POLL = 20;
