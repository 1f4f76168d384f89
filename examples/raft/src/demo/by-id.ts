// Nodes that know each other by id. Each node has peers, and Raft sends to ids instead of addresses
// without noticing the difference.

import {
  type AddressBookStore,
  createMemoryAddressBook,
  createPeers,
  type Peers,
} from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { parseTarget } from '@trunkline/transport-core/backend';
import type { Acquaintance, Seat } from './cluster.ts';
import type { Place } from './network.ts';
import { within } from './patience.ts';
import type { TimeScale } from './time-scale.ts';

export class ById implements Acquaintance {
  readonly #signal: AbortSignal;
  /** The address of the first node; the others are told nothing else. */
  readonly #seeds: string[] = [];
  readonly #kept = new Map<Place, Kept>();
  readonly #peers = new Map<string, Peers>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async open(place: Place, addr?: string): Promise<Seat> {
    const transport = await place.open(addr);
    const peers = createPeers({ transport, seeds: [...this.#seeds], ...this.#keptAt(place) });
    const own = transport.advertiseAddr();
    if (this.#seeds.length === 0) this.#seeds.push(own);
    this.#peers.set(peers.nodeId, peers);
    await peers.start();
    const close = async () => {
      if (this.#peers.get(peers.nodeId) === peers) this.#peers.delete(peers.nodeId);
      await peers.close();
      await transport.close();
    };
    return { place, addr: own, target: peers.nodeId, transport, close };
  }

  async meet(seats: readonly Seat[], timeScale: TimeScale): Promise<void> {
    const peers = this.#peers.size - 1;
    const signal = this.#signal;
    const met = seats.map(({ target }) => this.#peers.get(target)!.ready({ peers, signal }));
    await within(`${peers} peers of each node`, Promise.all(met), timeScale, signal);
  }

  /** Returns whether all others are connected to this node, at its current address. */
  haveFound({ target, addr }: Seat): boolean {
    const isThere = (seen = '') => seen !== '' && parseTarget(seen).key === parseTarget(addr).key;
    return [...this.#peers].every(
      ([nodeId, peers]) => nodeId === target || isThere(peers.get(target)?.addr),
    );
  }

  #keptAt(place: Place): Kept {
    const kept = this.#kept.get(place) ?? {
      identity: place.proof ?? createIdentity(),
      addressBook: createMemoryAddressBook(),
    };
    this.#kept.set(place, kept);
    return kept;
  }
}

/**
 * The data that a node finds again when it returns: its identity (if its transport does not prove
 * one) and its address book.
 */
interface Kept {
  readonly identity: { readonly nodeId: string };
  readonly addressBook: AddressBookStore;
}
