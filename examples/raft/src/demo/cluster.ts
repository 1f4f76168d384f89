// The nodes of one run: started, lost and brought back, each with its transport, its store and its key-value store.

import { systemClock, type Transport, TransportError } from '@trunkline/transport-core';
import { KeyValueStore } from '../kv.ts';
import { MemoryStore } from '../memory-store.ts';
import { type RaftEvent, RaftNode } from '../node.ts';
import type { RaftProtocol } from '../protocol.ts';
import type { Network, Place } from './network.ts';

/** A place that is taken. */
export interface Seat {
  readonly place: Place;
  readonly addr: string;
  /** What the others call it. */
  readonly target: string;
  readonly transport: Transport<RaftProtocol>;
  /** Closes the transport, and what belongs to it. */
  readonly close: () => Promise<void>;
}

/** How nodes know each other: by address, or by id (by-id.ts). */
export interface Acquaintance {
  /** Takes a place, at a free address or at one that it had. */
  open(place: Place, addr?: string): Promise<Seat>;
  /** Resolves when each of these is connected to all others. */
  meet(seats: readonly Seat[]): Promise<void>;
}

export interface Member extends Seat {
  /** What the node finds again when it returns. */
  readonly store: MemoryStore;
  node: RaftNode;
  machine: KeyValueStore;
  up: boolean;
  /** Bytes of the snapshots that a leader sent it, since it last started. */
  snapshotBytes: number;
}

export class Cluster {
  readonly members: Member[] = [];
  /** Who led which term. */
  readonly #leadersByTerm = new Map<number, Set<string>>();
  readonly #network: Network;
  readonly #acquaintance: Acquaintance;
  readonly #seats: Seat[] = [];
  readonly #snapshotEvery: number;

  /** `writes` a phase: the log is compacted well within one. */
  constructor(network: Network, writes: number, acquaintance: Acquaintance = byAddress) {
    this.#network = network;
    this.#acquaintance = acquaintance;
    this.#snapshotEvery = Math.max(1, Math.min(250, Math.floor(writes / 4)));
  }

  /** Opens so many nodes. Everyone knows everyone before they vote: a handshake takes time, and its first votes are short of it. */
  async gather(nodes: number): Promise<void> {
    for (const place of this.#network.places.slice(0, nodes)) await this.#opened(place);
    await this.#acquaintance.meet(this.#seats);
  }

  /** Has those that met take part. */
  async start(): Promise<void> {
    const targets = this.#seats.map(({ target }) => target);
    for (const seat of [...this.#seats]) this.members.push(await this.#join(seat, targets, new MemoryStore()));
  }

  /** The member that leads, if one does: the one of the highest term. */
  get leader(): Member | undefined {
    const leaders = this.members.filter(({ up, node }) => up && node.status.role === 'leader');
    return leaders.sort((a, b) => b.node.status.term - a.node.status.term)[0];
  }

  /** The leader, once it and all others have applied all that is committed. */
  get agreed(): Member | undefined {
    const { leader } = this;
    return this.#living.every(({ node }) => node.status.applied === leader?.node.status.commit) ? leader : undefined;
  }

  get targets(): string[] {
    return this.members.map(({ target }) => target);
  }

  /** Takes a member's transport away, and with it the node. One that never comes back counts no more. */
  async lose(member: Member): Promise<void> {
    member.up = false;
    await member.close();
    await member.node.close();
  }

  /** Brings a member back at its old address, on a new transport, with what its store holds. */
  async bringBack(member: Member): Promise<void> {
    await this.#join(await this.#reopened(member), this.targets, member.store, member);
  }

  /** The same at another address. */
  async bringBackElsewhere(member: Member): Promise<void> {
    await this.#join(await this.#opened(member.place), this.targets, member.store, member);
  }

  /** What Raft promises and these nodes did not keep: one leader a term, what was acknowledged on all nodes, equal states. */
  breaches(written: ReadonlyMap<string, string>): string[] {
    const breaches: string[] = [];
    for (const [term, leaders] of this.#leadersByTerm) {
      if (leaders.size > 1) breaches.push(`term ${term} had ${leaders.size} leaders: ${[...leaders].join(', ')}`);
    }
    for (const { addr, machine } of this.#living) {
      const lacks = [...written].filter(([key, value]) => machine.get(key) !== value).length;
      if (lacks > 0) breaches.push(`${addr} lacks ${lacks} of ${written.size} writes`);
    }
    const hashes = new Set(this.#living.map(({ machine }) => machine.hash()));
    if (hashes.size > 1) breaches.push(`${this.#living.length} nodes have ${hashes.size} different state hashes`);
    return breaches;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ node }) => node.close()));
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }

  get #living(): Member[] {
    return this.members.filter(({ up }) => up);
  }

  async #opened(place: Place, addr?: string): Promise<Seat> {
    const seat = await this.#acquaintance.open(place, addr);
    this.#seats.push(seat);
    return seat;
  }

  /** A port that was given up may be someone else's for a moment. */
  async #reopened({ place, addr }: Member): Promise<Seat> {
    for (let tries = 20; ; tries--) {
      try {
        return await this.#opened(place, addr);
      } catch (error) {
        if (tries === 0 || !(error instanceof TransportError) || error.reason !== 'address_in_use') throw error;
        await systemClock.sleep(250);
      }
    }
  }

  async #join(seat: Seat, members: string[], store: MemoryStore, member = {} as Member): Promise<Member> {
    const { transport, addr, target: id } = seat;
    const machine = new KeyValueStore();
    const onEvent = (event: RaftEvent) => {
      if (event.type === 'restored' && event.from === 'leader') member.snapshotBytes += event.bytes;
      if (event.type !== 'role' || event.status.role !== 'leader') return;
      const leaders = this.#leadersByTerm.get(event.status.term) ?? new Set();
      this.#leadersByTerm.set(event.status.term, leaders.add(addr));
    };
    Object.assign(member, { ...seat, store, machine, snapshotBytes: 0 });
    const times = { electionTimeout: ELECTION_TIMEOUT, heartbeat: HEARTBEAT };
    member.node = await RaftNode.start({ transport, id, members, machine, store, snapshotEvery: this.#snapshotEvery, onEvent, ...times });
    member.up = true;
    return member;
  }
}

/** Whoever has the list of all addresses dials them; where ids are proven, `nodeId@` stands before each. */
export const byAddress: Acquaintance = {
  open: async (place, addr) => {
    const transport = await place.open(addr);
    const own = transport.advertiseAddr();
    return { place, addr: own, target: place.proof === undefined ? own : `${place.proof.nodeId}@${own}`, transport, close: () => transport.close() };
  },
  meet: async (seats) => {
    const targets = seats.map(({ target }) => target);
    await Promise.all(seats.flatMap(({ transport, target }) => targets.filter((other) => other !== target).map((other) => transport.dial(other))));
  },
};

/** Milliseconds. Short, for one machine: over a network allow ten round trips. */
const ELECTION_TIMEOUT = 200;
const HEARTBEAT = 40;
