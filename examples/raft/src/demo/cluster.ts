// The nodes of one run: started, lost and brought back, each with its transport, its store and its key-value store.

import { systemClock, type Transport, TransportError } from '@trunkline/transport-core';
import { KeyValueStore } from '../kv.ts';
import { MemoryStore } from '../memory-store.ts';
import { type RaftEvent, RaftNode } from '../node.ts';
import type { RaftProtocol } from '../protocol.ts';
import type { Open } from './backends.ts';

export interface Member {
  readonly addr: string;
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
  readonly #open: Open;
  readonly #transports: Transport<RaftProtocol>[] = [];
  readonly #snapshotEvery: number;

  /** `writes` a phase: the log is compacted well within one. */
  constructor(open: Open, writes: number) {
    this.#open = open;
    this.#snapshotEvery = Math.max(1, Math.min(250, Math.floor(writes / 4)));
  }

  async start(nodes: number): Promise<void> {
    const transports: Transport<RaftProtocol>[] = [];
    for (let i = 0; i < nodes; i++) transports.push(await this.#opened());
    const addrs = transports.map((transport) => transport.advertiseAddr());
    for (const transport of transports) this.members.push(await this.#join(transport, addrs, new MemoryStore()));
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

  get addrs(): string[] {
    return this.members.map(({ addr }) => addr);
  }

  /** Takes a member's transport away, and with it the node. */
  async lose(member: Member): Promise<void> {
    member.up = false;
    await member.transport.close();
    await member.node.close();
  }

  /** Brings a member back at its old address, on a new transport, with what its store holds. */
  async bringBack(member: Member): Promise<void> {
    await this.#join(await this.#reopened(member.addr), this.addrs, member.store, member);
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

  async #opened(addr?: string): Promise<Transport<RaftProtocol>> {
    const transport = await this.#open(addr);
    this.#transports.push(transport);
    return transport;
  }

  /** A port that was given up may be someone else's for a moment. */
  async #reopened(addr: string): Promise<Transport<RaftProtocol>> {
    for (let tries = 20; ; tries--) {
      try {
        return await this.#opened(addr);
      } catch (error) {
        if (tries === 0 || !(error instanceof TransportError) || error.reason !== 'address_in_use') throw error;
        await systemClock.sleep(250);
      }
    }
  }

  async #join(transport: Transport<RaftProtocol>, members: string[], store: MemoryStore, member = {} as Member): Promise<Member> {
    const addr = transport.advertiseAddr();
    const machine = new KeyValueStore();
    const onEvent = (event: RaftEvent) => {
      if (event.type === 'restored' && event.from === 'leader') member.snapshotBytes += event.bytes;
      if (event.type !== 'role' || event.status.role !== 'leader') return;
      const leaders = this.#leadersByTerm.get(event.status.term) ?? new Set();
      this.#leadersByTerm.set(event.status.term, leaders.add(addr));
    };
    Object.assign(member, { addr, store, transport, machine, snapshotBytes: 0 });
    const times = { electionTimeout: ELECTION_TIMEOUT, heartbeat: HEARTBEAT };
    member.node = await RaftNode.start({ transport, members, machine, store, snapshotEvery: this.#snapshotEvery, onEvent, ...times });
    member.up = true;
    return member;
  }
}

/** Milliseconds. Short, for one machine: over a network allow ten round trips. */
const ELECTION_TIMEOUT = 200;
const HEARTBEAT = 40;
