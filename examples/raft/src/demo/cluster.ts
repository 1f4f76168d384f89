// The nodes of one run: started, stopped and brought back, each with its transport, its store and
// its key-value store.

import { systemClock as clock, type Store, TransportError } from '@trunkline/transport-core';
import { createMemoryStore } from '@trunkline/transport-core/testing';
import { KvClient } from '../client.ts';
import { KeyValueStore } from '../kv.ts';
import { type RaftEvent, RaftNode } from '../node.ts';
import { RaftStorage } from '../storage.ts';
import type { Network, Place, Seat } from './networks.ts';
import type { StoryOptions } from './story.ts';

/** A seat of the cluster, and its place. */
interface Taken extends Seat {
  readonly place: Place;
}

export interface Member extends Taken {
  /** The data that the node finds again when it returns. */
  readonly store: Store;
  node: RaftNode;
  machine: KeyValueStore;
  up: boolean;
  /** Bytes of the snapshots that a leader has sent to this node since it last started. */
  snapshotBytes: number;
}

export class Cluster {
  readonly members: Member[] = [];
  readonly #leadersByTerm = new Map<number, Set<string>>();
  readonly #network: Network;
  readonly #options: Pick<StoryOptions, 'writes' | 'signal'>;
  readonly #seats: Taken[] = [];

  /** @param options the signal ends every wait; the log is compacted well within the writes. */
  constructor(network: Network, options: Pick<StoryOptions, 'writes' | 'signal'>) {
    this.#network = network;
    this.#options = options;
  }

  /**
   * Opens all places and waits until all are connected, because a handshake would take too long for
   * the first votes.
   */
  async gather(): Promise<void> {
    for (const place of this.#network.places) await this.#open(place);
    await (this.#network.meet?.(this.#seats) ?? dialAll(this.#seats));
  }

  /** Starts a Raft node on each place but the last one. */
  async start(): Promise<void> {
    const seats = this.#seats.slice(0, -1);
    const targets = seats.map(({ target }) => target);
    for (const seat of seats)
      this.members.push(await this.#join(seat, targets, createMemoryStore()));
  }

  /** The leader, if there is one: that of the highest term. */
  get leader(): Member | undefined {
    const leaders = this.#living.filter(({ node }) => node.status.role === 'leader');
    return leaders.sort((a, b) => b.node.status.term - a.node.status.term)[0];
  }

  /** The leader, once it and all others have applied everything that is committed. */
  get agreed(): Member | undefined {
    const { leader } = this;
    return this.#living.every(({ node }) => node.status.applied === leader?.node.status.commit)
      ? leader
      : undefined;
  }

  get targets(): string[] {
    return this.members.map(({ target }) => target);
  }

  /** The transport on the last place. */
  get desk(): Seat['transport'] {
    return this.#seats[this.#network.places.length - 1]!.transport;
  }

  client(name: string, timeout?: number, transport = this.desk): KvClient {
    return new KvClient({ transport, name, timeout, nodes: this.targets });
  }

  /** Resolves with the result of `found` once it has one. Rejects if that takes too long. */
  async until<T>(what: string, found: () => T | undefined | false): Promise<T> {
    const end = clock.now() + PATIENCE;
    for (;;) {
      const value = found();
      if (value !== undefined && value !== false) return value;
      if (clock.now() > end) throw new Error(`gave up waiting for ${what}`);
      await clock.sleep(2, this.#options.signal);
    }
  }

  /**
   * Stops a member: closes its transport and its node. The checks then ignore it, unless it comes
   * back.
   */
  async lose(member: Member): Promise<void> {
    member.up = false;
    await member.close();
    await member.node.close();
  }

  /**
   * Brings a member back with the content of its store, on a new transport at its old address or,
   * with `elsewhere`, at another one.
   */
  async bringBack(member: Member, { elsewhere = false } = {}): Promise<void> {
    const seat = await this.#open(member.place, elsewhere ? undefined : member.addr);
    await this.#join(seat, this.targets, member.store, member);
  }

  /**
   * Returns the violations of Raft's guarantees: one leader per term, acknowledged writes on all
   * nodes, equal states.
   */
  breaches(written: ReadonlyMap<string, string>): string[] {
    const breaches: string[] = [];
    for (const [term, leaders] of this.#leadersByTerm) {
      if (leaders.size > 1)
        breaches.push(`term ${term} had ${leaders.size} leaders: ${[...leaders].join(', ')}`);
    }
    for (const { addr, machine } of this.#living) {
      const lacks = [...written].filter(([key, value]) => machine.get(key) !== value).length;
      if (lacks > 0) breaches.push(`${addr} lacks ${lacks} of ${written.size} writes`);
    }
    const hashes = new Set(this.#living.map(({ machine }) => machine.hash()));
    if (hashes.size > 1)
      breaches.push(`${this.#living.length} nodes have ${hashes.size} different state hashes`);
    return breaches;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map(({ node }) => node.close()));
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }

  get #living(): Member[] {
    return this.members.filter(({ up }) => up);
  }

  /** Opens a place. Retries, because another process may use a freed port for a moment. */
  async #open(place: Place, addr?: string): Promise<Taken> {
    const seat = { ...(await retried('address_in_use', () => place.open(addr))), place };
    this.#seats.push(seat);
    return seat;
  }

  async #join(
    seat: Taken,
    members: string[],
    store: Store,
    member = {} as Member,
  ): Promise<Member> {
    const { transport, addr, target: id } = seat;
    const machine = new KeyValueStore();
    const onEvent = (event: RaftEvent) => {
      if (event.type === 'restored') member.snapshotBytes += event.bytes;
      if (event.type !== 'role' || event.status.role !== 'leader') return;
      const leaders = this.#leadersByTerm.get(event.status.term) ?? new Set();
      this.#leadersByTerm.set(event.status.term, leaders.add(addr));
    };
    Object.assign(member, { ...seat, store, machine, snapshotBytes: 0 });
    const snapshotEvery = Math.max(1, Math.min(250, Math.floor(this.#options.writes / 4)));
    const storage = new RaftStorage(store);
    const options = { ...TIMES, transport, id, members, machine, storage, snapshotEvery, onEvent };
    member.node = await RaftNode.start(options);
    member.up = true;
    return member;
  }
}

/** Lets each node dial all others. The servers of a NATS cluster learn of a new name one by one. */
function dialAll(seats: readonly Seat[]): Promise<unknown> {
  const links = seats.flatMap((from) => seats.map((to) => [from, to] as const));
  return Promise.all(
    links
      .filter(([from, to]) => from !== to)
      .map(([{ transport }, { target }]) =>
        retried('connection_refused', () => transport.dial(target)),
      ),
  );
}

/** Tries again for a while if an action fails for this reason. */
async function retried<T>(reason: string, action: () => Promise<T>): Promise<T> {
  for (let tries = 40; ; tries--) {
    try {
      return await action();
    } catch (error) {
      if (tries === 0 || !(error instanceof TransportError) || error.reason !== reason) throw error;
      await clock.sleep(100);
    }
  }
}

/**
 * Milliseconds. All nodes share one event loop, which may be busy: a heartbeat that comes late must
 * not look like a lost leader. Over a network, allow ten round trips.
 */
const TIMES = { electionTimeout: 500, heartbeat: 80 };
/** Milliseconds for anything that the demo waits for. */
const PATIENCE = 15_000;
