// The members of a simulation: it owns the nodes and the clients outside them, boots declared
// nodes, and stops everything at the end.

import type { Protocol, Transport } from '@trunkline/transport-core';
import { describeError, type EventLoop } from '../kernel/event-loop.ts';
import type { NodeReport } from '../kernel/node-report.ts';
import { isAddress } from '../network/sim-layer.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { SimulationLeak } from './leaks.ts';
import type { NodeSetup, SimTransportOptions } from './node-context.ts';
import type { DiskOptions } from './node-store.ts';
import { type NodeDeclaration, SimNode } from './sim-node.ts';

/** All nodes and clients of a simulation. */
export class Cluster {
  readonly nodes = new Map<string, SimNode>();
  readonly #clients = new Map<string, SimNode>();
  readonly #loop: EventLoop;
  readonly #network: SimNetwork;
  /** Declared nodes, which boot at the next drive. */
  #declared: SimNode[] = [];

  constructor(loop: EventLoop, network: SimNetwork) {
    this.#loop = loop;
    this.#network = network;
  }

  get everyone(): SimNode[] {
    return [...this.nodes.values(), ...this.#clients.values()];
  }

  /** Reports the first 200 nodes and clients. */
  report(): readonly NodeReport[] {
    return this.everyone.slice(0, MOST_REPORTS).map((node) => node.report());
  }

  declare(name: string, setup: NodeSetup, disk: DiskOptions): void {
    this.#checkName('node', name);
    if (typeof setup !== 'function')
      throw new TypeError(`node: the setup of '${name}' must be a function, got ${String(setup)}`);
    const node = new SimNode(this.#loop, this.#network, name, { setup, disk, isClient: false });
    this.nodes.set(name, node);
    this.#declared.push(node);
  }

  client<P extends Protocol>(
    protocol: P,
    { name = `client-${this.#clients.size + 1}`, ...options }: SimTransportOptions,
  ): Transport<P> {
    this.#checkName('client', name);
    const node = new SimNode(this.#loop, this.#network, name, CLIENT);
    const transport = node.boot().transport(protocol, options);
    this.#clients.set(name, node);
    return transport;
  }

  /** Boots the nodes declared since the last call, in that order, at this instant. */
  boot(): void {
    const loop = this.#loop;
    for (const node of this.#declared.splice(0))
      loop.scheduleAt(
        loop.now,
        'task',
        undefined,
        () => void (node.waits && node.boot()),
        undefined,
      );
  }

  /**
   * Returns a node.
   *
   * @throws TypeError if there is no node of this name.
   */
  node(name: string): SimNode {
    const node = this.nodes.get(name);
    if (node !== undefined) return node;
    throw new TypeError(
      `there is no node '${name}'; the nodes are ${[...this.nodes.keys()].join(', ') || 'none'}`,
    );
  }

  /**
   * Returns a node or a client.
   *
   * @throws TypeError if there is neither.
   */
  end(name: string): SimNode {
    return this.#clients.get(name) ?? this.node(name);
  }

  /**
   * Stops each node with the function that its setup returned, or by closing its transports.
   * Returns the resources that were left open, by owner.
   * @param settle drives the loop until a promise settles, or until its time is up.
   * @throws Error after all nodes have stopped if a stop failed.
   */
  async stop(settle: (promise: Promise<unknown>) => Promise<void>): Promise<SimulationLeak[]> {
    this.#declared = [];
    const leaks = new Map<SimNode, SimulationLeak[]>();
    for (const client of this.#clients.values())
      leaks.set(
        client,
        client.leaks().filter(({ kind }) => kind === 'call'),
      );
    let failure: Error | undefined;
    const stop = async (node: SimNode) => {
      try {
        await node.stop();
      } catch (error) {
        failure ??= new Error(`the stop of ${node.name} failed: ${describeError(error)}`, {
          cause: error,
        });
      }
      // The leaks are taken right away, because resources that other nodes cause here while they
      // stop are not this node's leaks.
      leaks.set(node, node.leaks());
    };
    try {
      await settle(Promise.all([...this.nodes.values()].map(stop)));
      for (const node of this.nodes.values()) if (!leaks.has(node)) leaks.set(node, node.leaks());
      await settle(Promise.all(this.everyone.map((node) => node.closeTransports())));
    } finally {
      this.drop();
    }
    if (failure !== undefined) throw failure;
    return this.everyone.flatMap((node) => leaks.get(node)!);
  }

  /** Ends all nodes and clients at once. */
  drop(): void {
    this.#declared = [];
    for (const node of this.everyone) node.crash(true);
  }

  #checkName(what: string, name: unknown): void {
    if (typeof name !== 'string' || !isAddress(name) || name.includes('/')) {
      throw new TypeError(
        `${what}: a name must be 1 to 255 characters without spaces and without / ? # @ :, got ${JSON.stringify(name)}`,
      );
    }
    if (this.nodes.has(name) || this.#clients.has(name))
      throw new TypeError(`${what}: the name '${name}' is already taken`);
  }
}

/** The declaration of a client, which sets nothing up and has no disk faults. */
const CLIENT: NodeDeclaration = { setup: () => {}, disk: {}, isClient: true };
/** Maximum number of nodes and clients in a report. */
const MOST_REPORTS = 200;
