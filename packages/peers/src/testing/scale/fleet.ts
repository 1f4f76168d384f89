// Many simulated nodes with peers, that come and go while the simulation runs.

import { defineProtocol, json, type Transport } from '@trunkline/transport-core';
import type { Simulation, SimTransportOptions } from '@trunkline/transport-inmem/simulation';
import * as z from 'zod/mini';
import type { PeersOptions } from '../../options.ts';
import { createPeers, type Peers } from '../../peers.ts';
import { idOf } from '../cluster.ts';

/** What the nodes' own users speak: nothing, here. */
const silence = defineProtocol({ name: 'silence', version: 1, channel: 0x20, methods: { say: { id: 1, request: json(z.string()) } } });

export interface FleetNode {
  readonly name: string;
  readonly nodeId: string;
  readonly transport: Transport<typeof silence>;
  readonly peers: Peers;
  /** Virtual milliseconds of its start, and of its first peer. */
  readonly since: number;
  joined: number | undefined;
  readonly dials: DialCounts;
}

/** What became of the dials that a node's planner ordered. */
export interface DialCounts {
  rejected: number;
  full: number;
  unreachable: number;
}

export interface Boot {
  readonly name: string;
  /** Milliseconds until it starts. Default 0. */
  readonly delay?: number | undefined;
  readonly peers: Partial<PeersOptions>;
  readonly transport?: SimTransportOptions | undefined;
}

export class Fleet {
  /** Those that are up, by name, in order of their start. */
  readonly up = new Map<string, FleetNode>();
  readonly #sim: Simulation;
  /** Node id → name, of all that ever were. */
  readonly #names = new Map<string, string>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** A new node; it starts when the simulation runs. */
  boot({ name, delay = 0, peers: given, transport: common }: Boot): void {
    const nodeId = idOf(name);
    this.#names.set(nodeId, name);
    this.#sim.node(name, async ({ transport: make, clock }) => {
      if (delay > 0) await clock.sleep(delay);
      const transport = make(silence, common);
      const peers = createPeers({ transport, identity: { nodeId }, ...given });
      const node: FleetNode = { name, nodeId, transport, peers, since: this.#sim.now, joined: undefined, dials: { rejected: 0, full: 0, unreachable: 0 } };
      void this.#follow(node);
      await transport.listen();
      await peers.start();
      this.up.set(name, node);
      return () => this.#close(node);
    });
  }

  /** It ends with no clean-up; others see a reset. */
  crash(name: string): void {
    this.up.delete(name);
    this.#sim.crash(name);
  }

  /** It closes in order, and is gone. */
  async leave(name: string): Promise<void> {
    const node = this.up.get(name)!;
    await this.#sim.settle(this.#close(node));
    this.#sim.crash(name);
  }

  /** The names of a node's peers that are up and list it, too. */
  neighbours(node: FleetNode): FleetNode[] {
    const found: FleetNode[] = [];
    for (const { nodeId } of node.peers.list()) {
      const other = this.up.get(this.#names.get(nodeId) ?? '');
      if (other?.peers.get(node.nodeId) !== undefined) found.push(other);
    }
    return found;
  }

  /** The sizes of the parts that nodes are connected in, the largest first, as links that both ends list make them. */
  parts(nodes: Iterable<FleetNode>): number[] {
    const left = new Set(nodes);
    const sizes: number[] = [];
    for (const first of left) {
      left.delete(first);
      const queue = [first];
      for (const node of queue) {
        for (const next of this.neighbours(node)) if (left.delete(next)) queue.push(next);
      }
      sizes.push(queue.length);
    }
    return sizes.sort((a, b) => b - a);
  }

  async #close(node: FleetNode): Promise<void> {
    this.up.delete(node.name);
    await node.peers.close();
    await node.transport.close();
  }

  async #follow(node: FleetNode): Promise<void> {
    for await (const event of node.peers.events()) {
      if (event.type === 'up') node.joined ??= this.#sim.now;
      if (event.type !== 'rejected' || event.direction !== 'out') continue;
      node.dials.rejected++;
      if (event.reason === 'full') node.dials.full++;
      if (event.reason === 'unreachable') node.dials.unreachable++;
    }
  }
}

/** In an order that chance makes. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
