// Many simulated nodes with peers, which can join and leave while the simulation runs.

import { createPeers, type Peers, type PeersOptions } from '@trunkline/peers';
import type { Simulation } from '@trunkline/simulation';
import { defineProtocol, type Transport } from '@trunkline/transport-core';

/** A protocol without calls: the nodes only find each other. */
export const protocol = defineProtocol({ name: 'fleet', version: 1, channel: 0x20, methods: {} });

/** A node of a {@link Fleet}. */
export interface FleetNode {
  readonly name: string;
  readonly nodeId: string;
  readonly transport: Transport<typeof protocol>;
  readonly peers: Peers;
  /** The virtual time of its start, in milliseconds. */
  readonly since: number;
  /** Milliseconds from its start to its first peer; undefined until then. */
  joined: number | undefined;
  /** The node ids of its peers. */
  readonly linked: Set<string>;
}

/** Options of {@link Fleet.boot}. */
export interface Boot {
  readonly name: string;
  /** Milliseconds until it starts. Default 0. */
  readonly delay?: number | undefined;
  readonly peers: Partial<PeersOptions>;
}

/** The nodes of a scenario, and a counter of their dials. */
export class Fleet {
  /** The nodes that are up, by name, in the order of their start. */
  readonly up = new Map<string, FleetNode>();
  /** The number of dials of all nodes. */
  dials = 0;
  readonly #sim: Simulation;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** Declares a new node, which starts when the simulation runs. */
  boot({ name, delay = 0, peers: given }: Boot): void {
    const resolve = (target: string) => {
      this.dials++;
      return target;
    };
    this.#sim.node(name, async ({ transport: make, clock }) => {
      if (delay > 0) await clock.sleep(delay);
      const transport = make(protocol, { resolve });
      const peers = createPeers({ transport, ...given });
      const node: FleetNode = {
        name,
        nodeId: peers.nodeId,
        transport,
        peers,
        since: this.#sim.now,
        joined: undefined,
        linked: new Set(),
      };
      void this.#follow(node);
      await transport.listen();
      await peers.start();
      this.up.set(name, node);
      return () => this.#close(node);
    });
  }

  /** Crashes a node without any clean-up; others see a reset. */
  crash(name: string): void {
    this.up.delete(name);
    this.#sim.crash(name);
  }

  /** Closes nodes cleanly and removes them. */
  async leave(names: readonly string[]): Promise<void> {
    const leaving = names.map((name) => this.up.get(name)!);
    await this.#sim.settle(Promise.all(leaving.map((node) => this.#close(node))));
    for (const name of names) this.#sim.crash(name);
  }

  /**
   * Returns the sizes of the connected parts of the network, the largest first. Only connections
   * that both ends list count.
   */
  parts(nodes: Iterable<FleetNode>): number[] {
    return partsOf(new Map(Array.from(nodes, ({ nodeId, linked }) => [nodeId, linked])));
  }

  async #close(node: FleetNode): Promise<void> {
    this.up.delete(node.name);
    await node.peers.close();
    await node.transport.close();
  }

  async #follow(node: FleetNode): Promise<void> {
    for await (const event of node.peers.events()) {
      if (event.type === 'up') {
        node.joined ??= this.#sim.now - node.since;
        node.linked.add(event.peer.nodeId);
      } else if (event.type === 'down') node.linked.delete(event.nodeId);
    }
  }
}

/**
 * Returns the sizes of the connected parts of a graph, the largest first. Only edges that both ends
 * list count.
 */
export function partsOf(linked: ReadonlyMap<string, ReadonlySet<string>>): number[] {
  const left = new Set(linked.keys());
  const sizes: number[] = [];
  for (const first of left) {
    left.delete(first);
    const queue = [first];
    for (const id of queue)
      for (const other of linked.get(id)!)
        if (linked.get(other)?.has(id) && left.delete(other)) queue.push(other);
    sizes.push(queue.length);
  }
  return sizes.sort((a, b) => b - a);
}

/** Returns the items in random order. */
export function shuffled<T>(items: Iterable<T>, random: () => number): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
