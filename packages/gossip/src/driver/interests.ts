// Who is on which of this node's topics: each node numbers its list of topics and tells the number, who hears a newer one pulls the list.

import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { StatusSync } from '@trunkline/peers';
import type { Clock, Random, Remote, Transport } from '@trunkline/transport-core';
import { TransportError } from '@trunkline/transport-core';
import { Ration } from '../discovery/ration.ts';
import { askForList, decodeList, encodeList, TopicList } from '../discovery/topic-list.ts';
import { Allowance } from '../hyparview/allowance.ts';
import type { gossipProtocol } from '../protocol.ts';
import type { Member } from './roster.ts';

export interface InterestsHost {
  /** This node's id. */
  readonly self: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly members: ReadonlyMap<string, Member>;
  remoteOf(nodeId: string): Remote | undefined;
  /** Of this node's topics a peer is on these, and on no others; or it can't be told. */
  told(nodeId: string, instance: string, topics: ReadonlySet<string>): void;
  /** This node's topics. */
  readonly sessions: ReadonlyMap<string, { readonly overlay: { neighbors(): readonly string[] } | undefined }>;
  /** A peer asks again and again for what has not changed. */
  misbehaved(nodeId: string): void;
  /** Something is due earlier. */
  soon(): void;
}

export class Interests {
  readonly #host: InterestsHost;
  readonly #mount: Transport<typeof gossipProtocol>;
  /** From 1: number 0 would be taken at any time for one that has none any more. */
  readonly #sync: StatusSync;
  /** Peers that had no room for the number, or don't know it, and those whose list could not be had: with the next beat. */
  readonly #untold = new Set<string>();
  readonly #unpulled = new Set<string>();
  /** The keys of this node's topics, by their hex. */
  #keys: ReadonlyMap<string, Uint8Array> = new Map();
  /** Of them, those that a connected peer is on. */
  readonly #found = new Map<string, ReadonlySet<string>>();
  /** Of each peer, the number of the list that it was answered with last, and its ration of answers that tell nothing new. */
  readonly #answered = new Map<string, { seq: number; readonly ration: Ration }>();
  /** How often the list of each peer may be pulled: each costs 10 µs a topic of this node. */
  readonly #pulls = new Map<string, Allowance>();
  #isChanging = false;

  constructor(host: InterestsHost, mount: Transport<typeof gossipProtocol>) {
    this.#host = host;
    this.#mount = mount;
    this.#sync = new StatusSync({ random: host.random, now: host.clock.now(), seq: 1 });
  }

  /** This node's topics, in hex. Peers are told when the code that runs now is through; who is on them, by the lists that are here, at once. */
  set(topics: Iterable<string>): void {
    const before = this.#sync.seq;
    const keys = new Map(Array.from(topics, (topic) => [topic, this.#keys.get(topic) ?? hexToBytes(topic)]));
    const fresh = new Map([...keys].filter(([topic]) => !this.#keys.has(topic)));
    this.#keys = keys;
    this.#sync.set(keys.size === 0 ? undefined : concatBytes(...keys.values()), this.#host.clock.now());
    for (const { nodeId, instance } of this.#host.members.values()) {
      const found = this.#found.get(nodeId) ?? NOWHERE;
      const now = new Set([...[...found].filter((topic) => keys.has(topic)), ...this.#recognised(nodeId, fresh)]);
      if (now.size === found.size && [...now].every((topic) => found.has(topic))) continue;
      this.#found.set(nodeId, now);
      this.#host.told(nodeId, instance, now);
    }
    if (this.#sync.seq === before || this.#isChanging) return;
    this.#isChanging = true;
    this.#host.clock.defer(() => {
      this.#isChanging = false;
      this.#tellAll();
      this.#host.soon();
    });
  }

  /** Tells what was not told yet, at once. */
  flush(): void {
    if (this.#isChanging) this.#tellAll();
  }

  connected({ nodeId, instance, remote }: Member, now: number): void {
    this.#sync.connected(nodeId, instance, now);
    this.#tell(nodeId, remote);
    void this.#pull(nodeId, instance);
  }

  gone(nodeId: string): void {
    this.#untold.delete(nodeId);
    this.#unpulled.delete(nodeId);
    this.#found.delete(nodeId);
    this.#answered.delete(nodeId);
    this.#pulls.delete(nodeId);
    this.#sync.gone(nodeId);
  }

  /** A peer told its number. */
  heard({ nodeId, instance }: Member, seq: number, empty: boolean): void {
    const now = this.#host.clock.now();
    if (empty) this.#take(nodeId, instance, seq, undefined);
    else if (this.#sync.heard(nodeId, instance, seq, now)) void this.#pull(nodeId, instance);
  }

  /** A peer sent something of a topic that this node is not on: it was not told. */
  remind(nodeId: string): void {
    this.#untold.add(nodeId);
  }

  /** What a pull is answered with. A new list is told as often as it is asked for, and the same again now and then; beyond that it throws. */
  answer({ nodeId }: Member, question: Uint8Array): Uint8Array {
    const now = this.#host.clock.now();
    const { seq } = this.#sync;
    const answered = this.#answered.get(nodeId) ?? { seq: 0, ration: new Ration(now) };
    this.#answered.set(nodeId, answered);
    const verdict = answered.seq === seq ? answered.ration.take(now) : 'yes';
    if (verdict === 'abuse') this.#host.misbehaved(nodeId);
    if (verdict !== 'yes') throw new TransportError('resource_exhausted', 'the list of topics has not changed, and was asked for too often');
    const answer = encodeList({ teller: this.#host.self, hearer: nodeId }, question, seq, this.#keys.values(), this.#host.random);
    if (answer === undefined) throw new TransportError('invalid_argument', 'the question for the list of topics is none');
    answered.seq = seq;
    return answer;
  }

  get due(): number {
    return this.#sync.due;
  }

  /** The number is repeated to neighbours, or a loss would last; not to all who are connected, or no connection that nobody needs would ever be idle. */
  wake(now: number): void {
    if (this.#sync.beat(now) === undefined) return;
    const neighbors = [...this.#host.sessions.values()].flatMap(({ overlay }) => overlay?.neighbors() ?? []);
    this.#tellThese(new Set([...this.#untold, ...neighbors]));
    for (const nodeId of [...this.#unpulled]) {
      const member = this.#host.members.get(nodeId);
      if (member !== undefined) void this.#pull(nodeId, member.instance);
    }
  }

  #tellAll(): void {
    this.#tellThese(this.#host.members.keys());
  }

  #tellThese(nodeIds: Iterable<string>): void {
    for (const nodeId of nodeIds) {
      const remote = this.#host.remoteOf(nodeId);
      if (remote !== undefined) this.#tell(nodeId, remote);
    }
  }

  #tell(nodeId: string, remote: Remote): void {
    this.#untold.delete(nodeId);
    try {
      if (!this.#mount.trySend(remote, 'interest', this.#number())) this.#untold.add(nodeId);
    } catch {
      // It speaks no gossip.
    }
  }

  #number(): { seq: number; empty: boolean } {
    return { seq: this.#sync.seq, empty: this.#sync.own === undefined };
  }

  async #pull(nodeId: string, instance: string): Promise<void> {
    const { clock } = this.#host;
    const remote = this.#host.remoteOf(nodeId);
    this.#unpulled.delete(nodeId);
    if (remote === undefined) return void this.#sync.pullFailed(nodeId, instance, clock.now());
    if (!this.#mayPull(nodeId)) {
      this.#sync.pullFailed(nodeId, instance, clock.now());
      return void this.#unpulled.add(nodeId);
    }
    const question = askForList(this.#host.random);
    try {
      const answer = decodeList(question, await this.#mount.send(remote, 'pull', question));
      if (answer === undefined) throw new TransportError('invalid_argument', 'a list of topics that is none', { target: nodeId });
      const { again } = this.#take(nodeId, instance, answer.seq, answer.kept);
      if (again) void this.#pull(nodeId, instance);
    } catch (error) {
      // It speaks no gossip, or no longer.
      if (error instanceof TransportError && error.code === 'unimplemented') return void this.#take(nodeId, instance, 0, undefined);
      this.#sync.pullFailed(nodeId, instance, clock.now());
      if (this.#host.members.get(nodeId)?.instance !== instance) return;
      this.#unpulled.add(nodeId);
      this.#tellHost(nodeId, instance);
    }
  }

  #mayPull(nodeId: string): boolean {
    const now = this.#host.clock.now();
    let allowance = this.#pulls.get(nodeId);
    if (allowance === undefined) this.#pulls.set(nodeId, (allowance = new Allowance(PULLS, PULL_INTERVAL, now)));
    return allowance.take(now);
  }

  #take(nodeId: string, instance: string, seq: number, kept: Uint8Array | undefined): { readonly again: boolean } {
    const { again } = this.#sync.pulled(nodeId, instance, seq, kept, this.#host.clock.now());
    if (this.#host.members.get(nodeId)?.instance === instance) this.#tellHost(nodeId, instance);
    return { again };
  }

  #tellHost(nodeId: string, instance: string): void {
    const found = new Set(this.#recognised(nodeId, this.#keys));
    this.#found.set(nodeId, found);
    this.#host.told(nodeId, instance, found);
  }

  /** Those of the topics that are on a peer's list. */
  #recognised(nodeId: string, keys: ReadonlyMap<string, Uint8Array>): string[] {
    const kept = this.#sync.of(nodeId)?.value;
    if (kept === undefined || keys.size === 0) return [];
    const list = new TopicList({ teller: nodeId, hearer: this.#host.self }, kept);
    return [...keys].filter(([, key]) => list.has(key)).map(([topic]) => topic);
  }
}

const NOWHERE: ReadonlySet<string> = new Set();
/** Pulls of one peer's list at once, and milliseconds to one more; what changed meanwhile is pulled with the next beat. */
const PULLS = 64;
const PULL_INTERVAL = 250;
