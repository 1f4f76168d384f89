// Who is on which topic: each node numbers its list of topics and tells the number, who hears a newer one pulls the list.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { StatusSync } from '@trunkline/peers';
import type { Clock, Random, Remote, Transport } from '@trunkline/transport-core';
import { TransportError } from '@trunkline/transport-core';
import { decodeTopics, encodeTopics, type gossipProtocol, KEY_BYTES, MOST_TOPICS } from '../protocol.ts';
import type { Member } from './roster.ts';

export interface InterestsHost {
  readonly mount: Transport<typeof gossipProtocol>;
  readonly clock: Clock;
  readonly random: Random;
  readonly members: ReadonlyMap<string, Member>;
  remoteOf(nodeId: string): Remote | undefined;
  /** A peer is on these topics, and on no others; or it can't be told. */
  told(nodeId: string, instance: string, topics: ReadonlySet<string>): void;
  /** Peers that are neighbours on any topic. */
  neighbors(): Iterable<string>;
  /** Something is due earlier. */
  soon(): void;
}

export class Interests {
  readonly #host: InterestsHost;
  /** From 1: number 0 would be taken at any time for one that has none any more. */
  readonly #sync: StatusSync;
  /** Peers that had no room for the number, or don't know it, and those whose list could not be had: with the next beat. */
  readonly #untold = new Set<string>();
  readonly #unpulled = new Set<string>();
  #isChanging = false;

  constructor(host: InterestsHost) {
    this.#host = host;
    this.#sync = new StatusSync({ random: host.random, now: host.clock.now(), seq: 1 });
  }

  /** This node's topics, in hex. Peers are told when the code that runs now is through. */
  set(topics: Iterable<string>): void {
    const before = this.#sync.seq;
    this.#sync.set(keysOf(topics), this.#host.clock.now());
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

  /** What a pull is answered with. */
  answer(): Uint8Array {
    return encodeTopics(this.#sync.seq, this.#sync.own ?? NONE);
  }

  get due(): number {
    return this.#sync.due;
  }

  /** The number is repeated to neighbours, or a loss would last; not to all who are connected, or no connection that nobody needs would ever be idle. */
  wake(now: number): void {
    if (this.#sync.beat(now) === undefined) return;
    this.#tellThese(new Set([...this.#untold, ...this.#host.neighbors()]));
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
      if (!this.#host.mount.trySend(remote, 'interest', this.#number())) this.#untold.add(nodeId);
    } catch {
      // It speaks no gossip.
    }
  }

  #number(): { seq: number; empty: boolean } {
    return { seq: this.#sync.seq, empty: this.#sync.own === undefined };
  }

  async #pull(nodeId: string, instance: string): Promise<void> {
    const { mount, clock } = this.#host;
    const remote = this.#host.remoteOf(nodeId);
    this.#unpulled.delete(nodeId);
    if (remote === undefined) return void this.#sync.pullFailed(nodeId, instance, clock.now());
    try {
      const answer = decodeTopics(await mount.send(remote, 'pull', NONE));
      if (answer === undefined) throw new TransportError('invalid_argument', 'a list of topics that is none', { target: nodeId });
      const { again } = this.#take(nodeId, instance, answer.seq, answer.keys);
      if (again) void this.#pull(nodeId, instance);
    } catch (error) {
      // It speaks no gossip, or no longer.
      if (error instanceof TransportError && error.code === 'unimplemented') return void this.#take(nodeId, instance, 0, undefined);
      this.#sync.pullFailed(nodeId, instance, clock.now());
      if (this.#host.members.get(nodeId)?.instance === instance) this.#unpulled.add(nodeId);
      this.#host.told(nodeId, instance, topicsOf(this.#sync.of(nodeId)?.value));
    }
  }

  #take(nodeId: string, instance: string, seq: number, keys: Uint8Array | undefined): { readonly again: boolean } {
    const most = keys?.subarray(0, KEY_BYTES * MOST_TOPICS);
    const { again } = this.#sync.pulled(nodeId, instance, seq, most, this.#host.clock.now());
    this.#host.told(nodeId, instance, topicsOf(this.#sync.of(nodeId)?.value));
    return { again };
  }
}

/** Undefined for none. */
function keysOf(topics: Iterable<string>): Uint8Array | undefined {
  const keys = [...topics];
  if (keys.length === 0) return undefined;
  const bytes = new Uint8Array(KEY_BYTES * keys.length);
  keys.forEach((key, i) => void bytes.set(hexToBytes(key), KEY_BYTES * i));
  return bytes;
}

function topicsOf(keys: Uint8Array = NONE): Set<string> {
  const topics = new Set<string>();
  for (let at = 0; at < keys.length; at += KEY_BYTES) topics.add(bytesToHex(keys.subarray(at, at + KEY_BYTES)));
  return topics;
}

const NONE: Uint8Array = new Uint8Array();
