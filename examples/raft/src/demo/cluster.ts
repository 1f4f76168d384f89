// The nodes of one run: started, lost and brought back, each with its transport, its store and its key-value store.

import type { Transport } from '@trunkline/transport-core';
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
  /** Who led which term: more than one is a breach of Raft. */
  readonly leadersByTerm = new Map<number, Set<string>>();
  readonly members: Member[] = [];
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

  /** Takes a member's transport away, and with it the node. */
  async lose(member: Member): Promise<void> {
    member.up = false;
    await member.transport.close();
    await member.node.close();
  }

  /** Brings a member back at its old address, on a new transport, with what its store holds. */
  async bringBack(member: Member): Promise<void> {
    const addrs = this.members.map(({ addr }) => addr);
    await this.#join(await this.#opened(member.addr), addrs, member.store, member);
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

  async #join(transport: Transport<RaftProtocol>, members: string[], store: MemoryStore, member = {} as Member): Promise<Member> {
    const addr = transport.advertiseAddr();
    const machine = new KeyValueStore();
    const onEvent = (event: RaftEvent) => {
      if (event.type === 'restored' && event.from === 'leader') member.snapshotBytes += event.bytes;
      if (event.type !== 'role' || event.status.role !== 'leader') return;
      const leaders = this.leadersByTerm.get(event.status.term) ?? new Set();
      this.leadersByTerm.set(event.status.term, leaders.add(addr));
    };
    Object.assign(member, { addr, store, transport, machine, up: true, snapshotBytes: 0 });
    const times = { electionTimeout: ELECTION_TIMEOUT, heartbeat: HEARTBEAT };
    member.node = await RaftNode.start({ transport, members, machine, store, snapshotEvery: this.#snapshotEvery, onEvent, ...times });
    return member;
  }
}

/** Milliseconds. Short, for one machine: over a network allow ten round trips. */
const ELECTION_TIMEOUT = 200;
const HEARTBEAT = 40;
