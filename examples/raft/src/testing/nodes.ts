// Nodes over direct in-memory transports, for tests of the driver.

import { setImmediate } from 'node:timers';
import { createTransport, type Store, type Transport } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { direct } from '@trunkline/transport-inmem';
import { KeyValueStore } from '../kv.ts';
import { MemoryStore } from '../memory-store.ts';
import { RaftNode } from '../node.ts';
import type { RaftEvent, RaftNodeOptions } from '../node-options.ts';
import { type RaftProtocol, raftProtocol } from '../protocol.ts';

export interface Peer {
  readonly transport: Transport<RaftProtocol>;
  readonly node: RaftNode;
  readonly machine: KeyValueStore;
  readonly store: Store;
}

export class Nodes {
  readonly peers: Peer[] = [];
  readonly addrs: string[] = [];
  /** One more transport, which no node uses. */
  readonly outside: Transport<RaftProtocol>;
  readonly events: { id: string; event: RaftEvent }[] = [];
  /**
   * Time advances only when the nodes have nothing to do, so a busy machine never causes an
   * election.
   */
  readonly clock = createManualClock();
  readonly #transports: Transport<RaftProtocol>[];
  readonly #waiting = new Set<() => void>();
  #closed = false;

  private constructor(count: number) {
    const net = direct();
    net.connectAll();
    this.#transports = Array.from({ length: count + 1 }, () =>
      createTransport('inmem://', {
        protocol: raftProtocol,
        backends: [net],
        clock: this.clock,
      }),
    );
    this.outside = this.#transports[count]!;
  }

  static async start(
    count: number,
    options: Partial<RaftNodeOptions> = {},
    stores: Store[] = [],
  ): Promise<Nodes> {
    const nodes = new Nodes(count);
    await Promise.all(nodes.#transports.map((transport) => transport.listen()));
    nodes.addrs.push(
      ...nodes.#transports.slice(0, -1).map((transport) => transport.advertiseAddr()),
    );
    nodes.#turn();
    for (let i = 0; i < count; i++)
      await nodes.join(i, { store: stores[i] ?? new MemoryStore(), ...options });
    return nodes;
  }

  /** Starts node `i` on its transport. */
  async join(i: number, options: Partial<RaftNodeOptions>): Promise<Peer> {
    const transport = this.#transports[i]!;
    const machine = new KeyValueStore();
    const id = transport.advertiseAddr();
    const onEvent = (event: RaftEvent) => {
      this.events.push({ id, event });
      for (const look of [...this.#waiting]) look();
    };
    const times = { electionTimeout: 100, heartbeat: 20 };
    const node = await RaftNode.start({
      transport,
      members: this.addrs,
      machine,
      onEvent,
      ...times,
      ...options,
    });
    const peer = { transport, node, machine, store: options.store! };
    this.peers[i] = peer;
    return peer;
  }

  /** Resolves with the result of `found` once it is defined, now or after a later event. */
  until<T>(found: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const value = found();
        if (value === undefined) return;
        this.#waiting.delete(look);
        resolve(value);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves with a leader that all others follow. */
  leader(): Promise<Peer> {
    return this.until(() => {
      const leader = this.peers.find(({ node }) => node.status.role === 'leader');
      return leader !== undefined &&
        this.peers.every(({ node }) => node.status.leader === leader.node.id)
        ? leader
        : undefined;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.peers.map(({ node }) => node.close()));
    await Promise.all(this.#transports.map((transport) => transport.close()));
    this.#closed = true;
  }

  /**
   * Advances the clock by a millisecond in each turn of the event loop, until the nodes are closed.
   */
  #turn(): void {
    if (this.#closed) return;
    this.clock.advance(1);
    setImmediate(() => this.#turn());
  }
}
