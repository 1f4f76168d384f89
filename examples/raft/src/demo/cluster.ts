// The nodes of one run: started, lost and brought back, each with its transport, its store and its key-value store.

import { systemClock, type Transport, TransportError } from '@trunkline/transport-core';
import { KeyValueStore } from '../kv.ts';
import { MemoryStore } from '../memory-store.ts';
import { type RaftEvent, RaftNode } from '../node.ts';
import type { RaftProtocol } from '../protocol.ts';
import type { Network, Place } from './network.ts';

export interface Member {
  readonly place: Place;
  readonly addr: string;
  /** What the others dial: the address, and before it the node id that it must prove. */
  readonly target: string;
  /** What the node finds again when it returns. */
  readonly store: MemoryStore;
  transport: Transport<RaftProtocol>;
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
  readonly #transports: Transport<RaftProtocol>[] = [];
  readonly #snapshotEvery: number;

  /** `writes` a phase: the log is compacted well within one. */
  constructor(network: Network, writes: number) {
    this.#network = network;
    this.#snapshotEvery = Math.max(1, Math.min(250, Math.floor(writes / 4)));
  }

  async start(nodes: number): Promise<void> {
    const seats: Seat[] = [];
    for (const place of this.#network.places.slice(0, nodes)) seats.push(seat(place, await this.#opened(place)));
    const targets = seats.map(({ target }) => target);
    // Everyone knows everyone before they vote: a handshake takes time, and its first votes are short of it.
    await Promise.all(seats.flatMap(({ transport, target }) => targets.filter((other) => other !== target).map((other) => transport.dial(other))));
    for (const each of seats) this.members.push(await this.#join(each, targets, new MemoryStore()));
  }

  /** The member that leads, if one does: the one of the highest term. */
  get leader(): Member | undefined {
    const leaders = this.members.filter(({ up, node }) => up && node.status.role === 'leader');
    return leaders.sort((a, b) => b.node.status.term - a.node.status.term)[0];
  }

  /** The leader, once it and all others have applied all that is committed. */
  get agreed(): Member | undefined {
    const { leader } = this;
    return this.members.every(({ node }) => node.status.applied === leader?.node.status.commit) ? leader : undefined;
  }

  get targets(): string[] {
    return this.members.map(({ target }) => target);
  }

  /** Takes a member's transport away, and with it the node. */
  async lose(member: Member): Promise<void> {
    member.up = false;
    await member.transport.close();
    await member.node.close();
  }

  /** Brings a member back at its old address, on a new transport, with what its store holds. */
  async bringBack(member: Member): Promise<void> {
    const transport = await this.#reopened(member);
    await this.#join(seat(member.place, transport), this.targets, member.store, member);
  }

  /** What Raft promises and these nodes did not keep: one leader a term, what was acknowledged on all nodes, equal states. */
  breaches(written: ReadonlyMap<string, string>): string[] {
    const breaches: string[] = [];
    for (const [term, leaders] of this.#leadersByTerm) {
      if (leaders.size > 1) breaches.push(`term ${term} had ${leaders.size} leaders: ${[...leaders].join(', ')}`);
    }
    for (const { addr, machine } of this.members) {
      const lacks = [...written].filter(([key, value]) => machine.get(key) !== value).length;
      if (lacks > 0) breaches.push(`${addr} lacks ${lacks} of ${written.size} writes`);
    }
    const hashes = new Set(this.members.map(({ machine }) => machine.hash()));
    if (hashes.size > 1) breaches.push(`${this.members.length} nodes have ${hashes.size} different state hashes`);
    return breaches;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ node }) => node.close()));
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  async #opened(place: Place, addr?: string): Promise<Transport<RaftProtocol>> {
    const transport = await place.open(addr);
    this.#transports.push(transport);
    return transport;
  }

  /** A port that was given up may be someone else's for a moment. */
  async #reopened({ place, addr }: Member): Promise<Transport<RaftProtocol>> {
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

type Seat = Pick<Member, 'place' | 'addr' | 'target' | 'transport'>;

function seat(place: Place, transport: Transport<RaftProtocol>): Seat {
  const addr = transport.advertiseAddr();
  return { place, addr, target: place.proof === undefined ? addr : `${place.proof.nodeId}@${addr}`, transport };
}

/** Milliseconds. Short, for one machine: over a network allow ten round trips. */
const ELECTION_TIMEOUT = 200;
const HEARTBEAT = 40;
