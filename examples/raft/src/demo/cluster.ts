// The nodes of one run: started, stopped and brought back, each with its transport, its store and
// its key-value store.

import { systemClock, type Transport, TransportError } from '@trunkline/transport-core';
import { KvClient, type KvClientOptions } from '../client.ts';
import { KeyValueStore } from '../kv.ts';
import { MemoryStore } from '../memory-store.ts';
import { RaftNode } from '../node.ts';
import type { RaftEvent } from '../node-options.ts';
import type { RaftProtocol } from '../protocol.ts';
import type { Network, Place } from './network.ts';
import { TimeScale } from './time-scale.ts';

/** A place that is in use. */
export interface Seat {
  readonly place: Place;
  readonly addr: string;
  /** The target by which the others reach it. */
  readonly target: string;
  readonly transport: Transport<RaftProtocol>;
  /** Closes the transport and everything that belongs to it. */
  readonly close: () => Promise<void>;
}

/** The way in which nodes know each other: by address, or by id (by-id.ts). */
export interface Acquaintance {
  /** Opens a place, at a free address or at one that it had before. */
  open(place: Place, addr?: string): Promise<Seat>;
  /** Resolves when each of these is connected to all others. */
  meet(seats: readonly Seat[], timeScale: TimeScale): Promise<void>;
}

export interface Member extends Seat {
  /** The data that the node finds again when it returns. */
  readonly store: MemoryStore;
  node: RaftNode;
  machine: KeyValueStore;
  up: boolean;
  /** Bytes of the snapshots that a leader has sent to this node since it last started. */
  snapshotBytes: number;
}

export class Cluster {
  readonly members: Member[] = [];
  /** Scales the times of everything that uses this cluster; measures until the cluster closes. */
  readonly timeScale = new TimeScale(systemClock);
  /** The leaders of each term. */
  readonly #leadersByTerm = new Map<number, Set<string>>();
  readonly #network: Network;
  readonly #acquaintance: Acquaintance;
  readonly #seats: Seat[] = [];
  readonly #snapshotEvery: number;
  readonly #factor = () => this.timeScale.factor;

  /**
   * @param writes the writes per phase; the snapshot interval is chosen so that the log is
   * compacted well within one phase.
   */
  constructor(network: Network, writes: number, acquaintance: Acquaintance = byAddress) {
    this.#network = network;
    this.#acquaintance = acquaintance;
    this.#snapshotEvery = Math.max(1, Math.min(250, Math.floor(writes / 4)));
  }

  /**
   * Opens the given number of nodes and waits until all are connected, because a handshake would
   * take too long for the first votes.
   */
  async gather(nodes: number): Promise<void> {
    this.timeScale.start();
    for (const place of this.#network.places.slice(0, nodes)) await this.#opened(place);
    await this.#acquaintance.meet(this.#seats, this.timeScale);
  }

  /** Starts a Raft node on each open place. */
  async start(): Promise<void> {
    const targets = this.#seats.map(({ target }) => target);
    for (const seat of [...this.#seats])
      this.members.push(await this.#join(seat, targets, new MemoryStore()));
  }

  /** The leader, if there is one: that of the highest term. */
  get leader(): Member | undefined {
    const leaders = this.members.filter(({ up, node }) => up && node.status.role === 'leader');
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

  /** Creates a client of this cluster, whose times it scales. */
  client(options: Pick<KvClientOptions, 'transport' | 'name' | 'timeout'>): KvClient {
    return new KvClient({ ...options, nodes: this.targets, timeScale: this.#factor });
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

  /** Brings a member back at its old address, on a new transport, with the content of its store. */
  async bringBack(member: Member): Promise<void> {
    await this.#join(await this.#reopened(member), this.targets, member.store, member);
  }

  /** Brings a member back at another address, on a new transport, with the content of its store. */
  async bringBackElsewhere(member: Member): Promise<void> {
    await this.#join(await this.#opened(member.place), this.targets, member.store, member);
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

  async close(): Promise<void> {
    this.timeScale.stop();
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

  /**
   * Opens a member's place at its old address. Retries, because another process may use the freed
   * port for a moment.
   */
  async #reopened({ place, addr }: Member): Promise<Seat> {
    for (let tries = 20; ; tries--) {
      try {
        return await this.#opened(place, addr);
      } catch (error) {
        if (tries === 0 || !(error instanceof TransportError) || error.reason !== 'address_in_use')
          throw error;
        await systemClock.sleep(250);
      }
    }
  }

  async #join(
    seat: Seat,
    members: string[],
    store: MemoryStore,
    member = {} as Member,
  ): Promise<Member> {
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
    member.node = await RaftNode.start({
      transport,
      id,
      members,
      machine,
      store,
      snapshotEvery: this.#snapshotEvery,
      onEvent,
      timeScale: this.#factor,
      ...times,
    });
    member.up = true;
    return member;
  }
}

/**
 * Nodes that know each other by a list of all addresses, which they dial; if ids are proven, each
 * address has `nodeId@` in front.
 */
export const byAddress: Acquaintance = {
  open: async (place, addr) => {
    const transport = await place.open(addr);
    const own = transport.advertiseAddr();
    return {
      place,
      addr: own,
      target: place.proof === undefined ? own : `${place.proof.nodeId}@${own}`,
      transport,
      close: () => transport.close(),
    };
  },
  meet: async (seats, timeScale) => {
    const targets = seats.map(({ target }) => target);
    await Promise.all(
      seats.flatMap(({ transport, target }) =>
        targets
          .filter((other) => other !== target)
          .map((other) => dialed(transport, other, timeScale)),
      ),
    );
  },
};

/**
 * Dials a node that listens. Retries, because the servers of a NATS cluster learn of a new name one
 * after the other.
 */
async function dialed(
  transport: Transport<RaftProtocol>,
  target: string,
  timeScale: TimeScale,
): Promise<void> {
  for (let tries = 40; ; tries--) {
    try {
      return void (await transport.dial(target));
    } catch (error) {
      const isRefused = error instanceof TransportError && error.reason === 'connection_refused';
      if (tries === 0 || !isRefused) throw error;
      await systemClock.sleep(50 * timeScale.factor);
    }
  }
}

/**
 * Milliseconds, chosen for one machine that is not busy; `timeScale` multiplies them. Over a
 * network, allow ten round trips.
 */
const ELECTION_TIMEOUT = 200;
const HEARTBEAT = 40;
