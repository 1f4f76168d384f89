// The suite's nodes in real time, over TCP with TLS.

import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { type AddressBookStore, createMemoryAddressBook, createPeers } from '@trunkline/peers';
import { createTransport, systemClock } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { createGossip } from '../../gossip.ts';
import { idle, type TestNode } from '../cluster.ts';
import { certifiedKey } from '../identities.ts';
import { CALM, type Network, type NodeOptions } from './network.ts';

interface Seat {
  readonly tls: Awaited<ReturnType<typeof certifiedKey>>;
  readonly addressBook: AddressBookStore;
  readonly options: NodeOptions;
  /** The address of the node's earlier transport. */
  address: string | undefined;
}

export class RealNetwork implements Network {
  readonly name = 'TLS';
  readonly nodes = new Map<string, TestNode>();
  readonly #seats = new Map<string, Seat>();
  readonly #changes = new EventEmitter();

  async boot(names: readonly string[], options: NodeOptions): Promise<void> {
    for (const name of names) {
      this.#seats.set(name, {
        tls: await certifiedKey(),
        addressBook: createMemoryAddressBook(),
        options,
        address: undefined,
      });
      await this.restart(name);
    }
  }

  addressOf(name: string): string {
    return this.#seats.get(name)!.address!;
  }

  async restart(name: string): Promise<void> {
    const seat = this.#seats.get(name)!;
    const { gossip: given, peers: options, to, setup } = seat.options;
    const transport = createTransport(seat.address ?? 'tcp://127.0.0.1:0', {
      protocol: idle,
      backends: [tcp({ tls: seat.tls })],
    });
    await transport.listen();
    seat.address = transport.localAddr();
    const peers = createPeers<any>({
      transport,
      addressBook: seat.addressBook,
      ...CALM,
      persistent: to(name).map((other) => this.addressOf(other)),
      ...options,
    });
    const gossip = createGossip({ transport, peers, ...given });
    const node: TestNode = { name, nodeId: peers.nodeId, transport, peers, gossip, events: [] };
    void this.#follow(gossip.events(), (event) => node.events.push(event));
    void this.#follow(peers.events(), () => {});
    setup(node);
    this.nodes.set(name, node);
    await gossip.start();
    await peers.start();
  }

  /** Waits for a condition, and checks it whenever something has happened at a node. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const over = new AbortController();
    const watchdog = systemClock.sleep(WATCHDOG, over.signal).then(() => {
      throw new Error(`timed out after ${WATCHDOG} ms waiting for: ${what}\n${this.toString()}`);
    });
    watchdog.catch(() => {});
    try {
      // Readers get a message one turn after its event.
      for (await turn(); !condition(); await turn())
        await Promise.race([once(this.#changes, 'change'), watchdog]);
    } finally {
      over.abort();
    }
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }

  async crash(name: string): Promise<void> {
    const { transport, peers, gossip } = this.nodes.get(name)!;
    this.nodes.delete(name);
    await transport.close();
    await gossip.close();
    await peers.close();
  }

  async close(): Promise<readonly string[]> {
    const nodes = [...this.nodes.values()];
    for (const { transport, peers, gossip } of nodes) {
      await gossip.close();
      await peers.close();
      await transport.close();
    }
    return nodes.flatMap(({ name, transport }) =>
      transport.remotes().map(({ id }) => `${name}: connection ${id}`),
    );
  }

  toString(): string {
    return [...this.nodes.values()]
      .map(({ name, peers, gossip, events }) =>
        [name, peers, gossip, JSON.stringify(events.slice(-8))].join('\n'),
      )
      .join('\n\n');
  }

  async #follow<T>(events: AsyncIterable<T>, tell: (event: T) => void): Promise<void> {
    for await (const event of events) {
      tell(event);
      this.#changes.emit('change');
    }
    this.#changes.emit('change');
  }
}

/** Milliseconds until a wait fails; no wait of the suite needs a tenth of it. */
const WATCHDOG = 30_000;
