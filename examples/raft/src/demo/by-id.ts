// A network whose nodes know each other by id. Each node has peers, and Raft sends to ids instead
// of addresses without noticing the difference.

import { createMemoryAddressBook, createPeers, type Peers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { parseTarget } from '@trunkline/transport-core/backend';
import type { Network, Place, Seat } from './networks.ts';

export class ById implements Network {
  readonly places: readonly Place[];
  readonly #signal: AbortSignal;
  readonly #peers = new Map<string, Peers>();
  /** The address of the first node; the others are told nothing else. */
  #seed: string | undefined;

  constructor({ places }: Network, signal: AbortSignal) {
    this.places = places.map((place) => this.#withPeers(place));
    this.#signal = signal;
  }

  async meet(seats: readonly Seat[]): Promise<void> {
    const signal = this.#signal;
    const peers = seats.length - 1;
    await Promise.all(seats.map(({ target }) => this.#peers.get(target)!.ready({ peers, signal })));
  }

  /** Returns whether all others are connected to this node, at its current address. */
  haveFound({ target, addr }: Seat): boolean {
    const isThere = (seen = '') => seen !== '' && parseTarget(seen).key === parseTarget(addr).key;
    return [...this.#peers].every(
      ([nodeId, peers]) => nodeId === target || isThere(peers.get(target)?.addr),
    );
  }

  #withPeers({ open, nodeId }: Place): Place {
    // A node that moves keeps its id and its address book.
    const identity = nodeId === undefined ? createIdentity() : { nodeId };
    const kept = { identity, addressBook: createMemoryAddressBook() };
    const openWithPeers = async (given?: string): Promise<Seat> => {
      const { transport, addr } = await open(given);
      const seeds = this.#seed === undefined ? [] : [this.#seed];
      this.#seed ??= addr;
      const peers = createPeers({ transport, seeds, ...kept });
      const target = peers.nodeId;
      this.#peers.set(target, peers);
      await peers.start();
      const close = async () => {
        if (this.#peers.get(target) === peers) this.#peers.delete(target);
        await peers.close();
        await transport.close();
      };
      return { addr, target, transport, close };
    };
    return { open: openWithPeers };
  }
}
