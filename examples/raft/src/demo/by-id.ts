// Nodes that know each other by id. Each node has peers, and Raft sends to ids instead of addresses
// without noticing the difference.

import { createMemoryAddressBook, createPeers, type Peers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { parseTarget } from '@trunkline/transport-core/backend';
import { loopClock } from './clock.ts';
import type { Acquaintance, Seat } from './cluster.ts';
import type { Place } from './networks.ts';

export class ById implements Acquaintance {
  readonly #signal: AbortSignal;
  /** The address of the first node; the others are told nothing else. */
  readonly #seeds: string[] = [];
  /** The address book of each node, for its return, and its id if none is proven. */
  readonly #kept = new Map<Place, ReturnType<typeof keptAt>>();
  readonly #peers = new Map<string, Peers>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async open(place: Place, given?: string): Promise<Seat> {
    const transport = await place.open(given);
    const kept = this.#kept.get(place) ?? keptAt(place);
    this.#kept.set(place, kept);
    const peers = createPeers({ transport, seeds: [...this.#seeds], ...kept });
    const addr = transport.advertiseAddr();
    if (this.#seeds.length === 0) this.#seeds.push(addr);
    this.#peers.set(peers.nodeId, peers);
    await peers.start();
    const close = async () => {
      if (this.#peers.get(peers.nodeId) === peers) this.#peers.delete(peers.nodeId);
      await peers.close();
      await transport.close();
    };
    return { place, addr, target: peers.nodeId, transport, close };
  }

  async meet(seats: readonly Seat[]): Promise<void> {
    const late = new AbortController();
    const giveUp = () => late.abort(new Error('the nodes have not found each other in time'));
    const timer = loopClock.setTimeout(giveUp, PATIENCE);
    const signal = AbortSignal.any([this.#signal, late.signal]);
    const peers = this.#peers.size - 1;
    const met = seats.map(({ target }) => this.#peers.get(target)!.ready({ peers, signal }));
    await Promise.all(met).finally(() => loopClock.clearTimeout(timer));
  }

  /** Returns whether all others are connected to this node, at its current address. */
  haveFound({ target, addr }: Seat): boolean {
    const isThere = (seen = '') => seen !== '' && parseTarget(seen).key === parseTarget(addr).key;
    return [...this.#peers].every(
      ([nodeId, peers]) => nodeId === target || isThere(peers.get(target)?.addr),
    );
  }
}

function keptAt({ proof }: Place) {
  return { identity: proof ?? createIdentity(), addressBook: createMemoryAddressBook() };
}

/** Milliseconds until all nodes must be connected. */
const PATIENCE = 15_000;
