// Status sync, as FISCO-BCOS does it: each node numbers its statuses and repeats the newest number; who hears a newer one pulls.

import { type Random, TransportError } from '@trunkline/transport-core';

export interface StatusSyncOptions {
  readonly random: Random;
  readonly now: number;
  /** Milliseconds between two broadcasts of the number, 2,000 where absent (FISCO-BCOS 3: 1,000 to 2,000); each ± 20 %. */
  readonly interval?: number | undefined;
  /** A pull that nothing is heard of for so many milliseconds has failed: 5,000 where absent (FISCO-BCOS 2). */
  readonly pullTimeout?: number | undefined;
  /** The number before the first, 0 where absent: for the test of where they end. */
  readonly seq?: number | undefined;
}

/** A peer's status: its bytes (not to be changed) and their number. */
export interface PeerStatus {
  readonly seq: number;
  readonly value: Uint8Array;
}

/** The highest number: what fits 32 bits. */
export const LAST_SEQ = 0xffff_ffff;

/** Its memory is bounded by the connected peers, one status each. */
export class StatusSync {
  readonly #random: Random;
  readonly #interval: number;
  readonly #pullTimeout: number;
  readonly #peers = new Map<string, Peer>();
  #seq: number;
  #own: Uint8Array | undefined = undefined;
  #due: number;

  constructor(options: StatusSyncOptions) {
    this.#random = options.random;
    this.#interval = options.interval ?? 2_000;
    this.#pullTimeout = options.pullTimeout ?? 5_000;
    this.#seq = options.seq ?? 0;
    // Any time of the first interval: nodes that start together don't speak together.
    this.#due = options.now + this.#interval * this.#random();
  }

  /**
   * Sets this node's status; undefined clears it. Bytes equal to the last change nothing. The number is broadcast soon after: several
   * changes within moments are one broadcast. After 2^32 − 1 changes it throws `resource_exhausted`, and the last status stays: peers
   * would take no other number of this instance for newer.
   */
  set(value: Uint8Array | undefined, now: number): void {
    if (isSame(value, this.#own)) return;
    if (this.#seq === LAST_SEQ) throw new TransportError('resource_exhausted', 'status: it was set 4294967295 times; restart the node to go on');
    this.#seq++;
    this.#own = value?.slice();
    if (this.#peers.size === 0) return;
    const soon = now + this.#interval * this.#between(SOON / 2, SOON);
    // A beat that is overdue stays so, or a change a moment would put it off for ever; before the first status none was asked for.
    this.#due = this.#seq === 1 ? soon : Math.min(this.#due, soon);
  }

  /** The number of this node's status: 0 before the first. A cleared status has a number too. */
  get seq(): number {
    return this.#seq;
  }

  /** This node's status (not to be changed), what a pull is answered with. */
  get own(): Uint8Array | undefined {
    return this.#own;
  }

  /** A peer is connected, or is so by another connection. If `seq` is above 0, tell it that at once, alone. */
  connected(nodeId: string, instance: string, now: number): void {
    const peer = this.#peers.get(nodeId);
    if (peer !== undefined) {
      if (peer.instance !== instance) restart(peer, instance, now + this.#pullTimeout);
    } else {
      // With nobody to speak to no beat was asked for: the one that is overdue isn't made up for.
      if (this.#peers.size === 0 && this.#due < now) this.#due = this.#nextBeat(now);
      this.#peers.set(nodeId, newPeer(instance));
    }
  }

  /** The peer is gone, and its status with it. True: there was one. */
  gone(nodeId: string): boolean {
    const peer = this.#peers.get(nodeId);
    this.#peers.delete(nodeId);
    return peer?.told !== undefined;
  }

  /** When `beat` may next give something; `Infinity` while there is nobody to tell or nothing to be told. */
  get due(): number {
    return this.#seq === 0 || this.#peers.size === 0 ? Number.POSITIVE_INFINITY : this.#due;
  }

  /** The number to broadcast to all connected peers now, if it is time. A loss is made good by the next. */
  beat(now: number): { readonly seq: number } | undefined {
    if (now < this.due) return undefined;
    this.#due = this.#nextBeat(now);
    return { seq: this.#seq };
  }

  /**
   * A peer told its number. True: pull now, and tell `pulled` or `pullFailed` of it. Only newer numbers are pulled, and any number of
   * another instance than the one known: a restarted peer begins at 1 again. Its old status is then dropped, and what still comes of the
   * instance before is ignored for a `pullTimeout`; no longer, or one late message that passed for a restart would deafen us to the
   * instance that lives. Number 0, "I have none", is pulled where there was one, so that `pulled` tells of the change. One pull a peer at
   * a time: a newer number heard meanwhile is pulled next.
   */
  heard(nodeId: string, instance: string, seq: number, now: number): boolean {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || (instance === peer.former && now < peer.formerUntil)) return false;
    if (instance !== peer.instance) restart(peer, instance, now + this.#pullTimeout);
    if (seq === 0 ? peer.told === undefined : seq <= peer.seq) return false;
    peer.heard = Math.max(peer.heard, seq);
    if (peer.pull !== undefined && now - peer.pull.began < this.#pullTimeout) return false;
    beginPull(peer, now);
    return true;
  }

  /**
   * The peer answered a pull: its number then, and its status; number 0 or no bytes: it has none. Answers of another instance, or older
   * than what is known, are ignored. `changed`: its status is another than was last told by this method. `again`: a newer number was
   * heard meanwhile, so pull again now.
   */
  pulled(nodeId: string, instance: string, seq: number, value: Uint8Array | undefined, now: number): { readonly changed: boolean; readonly again: boolean } {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || peer.instance !== instance) return { changed: false, again: false };
    const asked = peer.pull?.asked ?? LAST_SEQ;
    peer.pull = undefined;
    const changed = (seq === 0 || seq > peer.seq) && take(peer, seq, value);
    // A peer that tells a number and answers with an older one is not asked again before it tells a newer one, or tells it anew.
    const again = peer.heard > asked && peer.heard > peer.seq;
    if (again) beginPull(peer, now);
    else peer.heard = 0;
    return { changed, again };
  }

  /** A pull came to nothing. It is tried again at the next number heard. */
  pullFailed(nodeId: string, instance: string, _now: number): void {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || peer.instance !== instance) return;
    peer.pull = undefined;
    peer.heard = 0;
  }

  /** A peer's status, if it has one and it was pulled. */
  of(nodeId: string): PeerStatus | undefined {
    const peer = this.#peers.get(nodeId);
    return peer?.value === undefined ? undefined : { seq: peer.seq, value: peer.value };
  }

  /** The peers that have a status. */
  *nodes(): IterableIterator<string> {
    for (const [nodeId, peer] of this.#peers) if (peer.value !== undefined) yield nodeId;
  }

  #nextBeat(now: number): number {
    return now + this.#interval * this.#between(1 - JITTER, 1 + JITTER);
  }

  #between(least: number, most: number): number {
    return least + (most - least) * this.#random();
  }
}

interface Peer {
  instance: string;
  /** The instance before: what comes late from it is no restart. */
  former: string | undefined;
  formerUntil: number;
  /** The number of what is known; 0: nothing. */
  seq: number;
  value: Uint8Array | undefined;
  /** What `pulled` last told of: so a status that was dropped for a restart, and comes back as another, is a change, and so is its loss. */
  told: Uint8Array | undefined;
  /** The highest number heard since the last pull that had to be answered by none. */
  heard: number;
  /** The pull that is out, and the number that it was begun for. */
  pull: { readonly began: number; readonly asked: number } | undefined;
}

function newPeer(instance: string): Peer {
  return { instance, former: undefined, formerUntil: 0, seq: 0, value: undefined, told: undefined, heard: 0, pull: undefined };
}

function restart(peer: Peer, instance: string, formerUntil: number): void {
  peer.former = peer.instance;
  peer.formerUntil = formerUntil;
  peer.instance = instance;
  peer.seq = peer.heard = 0;
  peer.value = undefined;
  peer.pull = undefined;
}

function beginPull(peer: Peer, now: number): void {
  peer.pull = { began: now, asked: peer.heard };
}

/** True: it is another status than was told. */
function take(peer: Peer, seq: number, value: Uint8Array | undefined): boolean {
  peer.seq = seq;
  peer.value = seq === 0 ? undefined : value?.slice();
  const changed = !isSame(peer.value, peer.told);
  peer.told = peer.value;
  return changed;
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Of the interval: drawn anew each time, or nodes that started together would stay together. */
const JITTER = 0.2;
/** Of the interval, at most: how long a change may wait for others to be told with it (50 to 100 ms of 2 s). */
const SOON = 0.05;
