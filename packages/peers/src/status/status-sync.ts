// Status sync as in FISCO-BCOS: each node numbers its statuses and keeps broadcasting the newest
// number; a peer that hears a newer number pulls the status.

import { type Random, TransportError } from '@trunkline/transport-core';

/** Options of `StatusSync`. */
export interface StatusSyncOptions {
  readonly random: Random;
  /** The current time, in milliseconds of a monotonic clock, as for all methods. */
  readonly now: number;
  /**
   * Milliseconds between two broadcasts of the number. Default 2,000 (FISCO-BCOS 3: 1,000 to
   * 2,000); each ± 20 %.
   */
  readonly interval?: number | undefined;
  /**
   * Milliseconds after which a pull without an outcome has failed. Default 5,000 (FISCO-BCOS 2).
   */
  readonly pullTimeout?: number | undefined;
  /** The number before the first one. Default 0; only for the test of the last number. */
  readonly seq?: number | undefined;
}

/** A peer's status: its bytes, which must not be changed, and their number. */
export interface PeerStatus {
  readonly seq: number;
  readonly value: Uint8Array;
}

/** The highest number: the largest that fits in 32 bits. */
export const LAST_SEQ = 0xffff_ffff;

/**
 * Keeps this node's status and those of its peers. Memory is bounded by the connected peers, with
 * one status each.
 */
export class StatusSync {
  readonly #random: Random;
  readonly #interval: number;
  readonly #pullTimeout: number;
  readonly #peers = new Map<string, PeerState>();
  #seq: number;
  #own: Uint8Array | undefined = undefined;
  #due: number;

  constructor(options: StatusSyncOptions) {
    this.#random = options.random;
    this.#interval = options.interval ?? 2_000;
    this.#pullTimeout = options.pullTimeout ?? 5_000;
    this.#seq = options.seq ?? 0;
    // A random time in the first interval, so that nodes that start together don't broadcast
    // together.
    this.#due = options.now + this.#interval * this.#random();
  }

  /**
   * Sets this node's status; undefined clears it. Setting the same bytes again changes nothing. The
   * number is broadcast soon after, and several changes in quick succession share one broadcast.
   * After 2^32 − 1 changes it throws `resource_exhausted` and keeps the last status, because peers
   * would not accept any other number of this instance as newer.
   */
  set(value: Uint8Array | undefined, now: number): void {
    if (isSame(value, this.#own)) return;
    if (this.#seq === LAST_SEQ)
      throw new TransportError(
        'resource_exhausted',
        'status: it was set 4294967295 times; restart the node to continue',
      );
    this.#seq++;
    this.#own = value?.slice();
    if (this.#peers.size === 0) return;
    const soon = now + this.#interval * this.#between(SOON / 2, SOON);
    // An overdue beat stays overdue; otherwise frequent changes would put it off forever. Before
    // the first status no beat was needed.
    this.#due = this.#seq === 1 ? soon : Math.min(this.#due, soon);
  }

  /** The number of this node's status; 0 before the first. A cleared status has a number, too. */
  get seq(): number {
    return this.#seq;
  }

  /** This node's status, with which pulls are answered. Must not be changed. */
  get own(): Uint8Array | undefined {
    return this.#own;
  }

  /**
   * Adds a peer that is connected, or connected by another connection now. If `seq` is above 0,
   * send it to this peer at once.
   */
  connected(nodeId: string, instance: string, now: number): void {
    const peer = this.#peers.get(nodeId);
    if (peer !== undefined) {
      if (peer.instance !== instance) restart(peer, instance, now + this.#pullTimeout);
    } else {
      // No beat was needed while no peer was connected, so an overdue one is not made up for.
      if (this.#peers.size === 0 && this.#due < now) this.#due = this.#nextBeat(now);
      this.#peers.set(nodeId, newPeer(instance));
    }
  }

  /** Removes a peer and its status. Returns whether it had one. */
  gone(nodeId: string): boolean {
    const peer = this.#peers.get(nodeId);
    this.#peers.delete(nodeId);
    return peer?.told !== undefined;
  }

  /**
   * When `beat` may return a number next; `Infinity` while there are no peers or there is no
   * status.
   */
  get due(): number {
    return this.#seq === 0 || this.#peers.size === 0 ? Number.POSITIVE_INFINITY : this.#due;
  }

  /**
   * Returns the number to broadcast to all connected peers now, or undefined if it is not time yet.
   * A lost broadcast is made up for by the next one.
   */
  beat(now: number): { readonly seq: number } | undefined {
    if (now < this.due) return undefined;
    this.#due = this.#nextBeat(now);
    return { seq: this.#seq };
  }

  /**
   * Takes the number that a peer broadcast. If it returns true, pull the status now, and call
   * `pulled` or `pullFailed` afterwards.
   *
   * Only newer numbers are pulled, and any number of another instance than the known one, because a
   * restarted peer starts at 1 again. The old status is dropped then. Messages of the former
   * instance are ignored for one `pullTimeout`; if it were longer, one late message that is
   * mistaken for a restart would make us ignore the live instance for that long. Number 0 ("no
   * status") is pulled if there was a status, so that `pulled` reports the change. Each peer has
   * one pull at a time; a newer number that is heard meanwhile is pulled next.
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
   * Takes the peer's answer to a pull: its current number and its status; number 0 or no bytes mean
   * that it has none. Answers of another instance, or older than what is known, are ignored.
   * @returns `changed`: the status differs from the one that this method reported last. `again`: a
   * newer number was heard meanwhile, so pull again now.
   */
  pulled(
    nodeId: string,
    instance: string,
    seq: number,
    value: Uint8Array | undefined,
    now: number,
  ): { readonly changed: boolean; readonly again: boolean } {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || peer.instance !== instance) return { changed: false, again: false };
    const asked = peer.pull?.asked ?? LAST_SEQ;
    peer.pull = undefined;
    const changed = (seq === 0 || seq > peer.seq) && take(peer, seq, value);
    // A peer that broadcasts a number and answers with an older one is not pulled again until it
    // broadcasts a newer number, or the same one anew.
    const again = peer.heard > asked && peer.heard > peer.seq;
    if (again) beginPull(peer, now);
    else peer.heard = 0;
    return { changed, again };
  }

  /** Records that a pull failed. It is tried again at the next number heard. */
  pullFailed(nodeId: string, instance: string, _now: number): void {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || peer.instance !== instance) return;
    peer.pull = undefined;
    peer.heard = 0;
  }

  /** Returns a peer's status, if it has one and it was pulled. */
  of(nodeId: string): PeerStatus | undefined {
    const peer = this.#peers.get(nodeId);
    return peer?.value === undefined ? undefined : { seq: peer.seq, value: peer.value };
  }

  /** Returns the ids of the peers that have a status. */
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

interface PeerState {
  instance: string;
  /** The former instance, whose late messages are no restart, and until when they are ignored. */
  former: string | undefined;
  formerUntil: number;
  /** The number of the known status; 0 if none is known. */
  seq: number;
  value: Uint8Array | undefined;
  /**
   * The status that `pulled` reported last. If a status is dropped for a restart, this tells
   * whether the new one, or none, is a change.
   */
  told: Uint8Array | undefined;
  /** The highest number heard since the last pull that left no newer one to pull. */
  heard: number;
  /** The pull in progress, and the number that it was started for. */
  pull: { readonly began: number; readonly asked: number } | undefined;
}

function newPeer(instance: string): PeerState {
  return {
    instance,
    former: undefined,
    formerUntil: 0,
    seq: 0,
    value: undefined,
    told: undefined,
    heard: 0,
    pull: undefined,
  };
}

function restart(peer: PeerState, instance: string, formerUntil: number): void {
  peer.former = peer.instance;
  peer.formerUntil = formerUntil;
  peer.instance = instance;
  peer.seq = peer.heard = 0;
  peer.value = undefined;
  peer.pull = undefined;
}

function beginPull(peer: PeerState, now: number): void {
  peer.pull = { began: now, asked: peer.heard };
}

/** Stores a status. Returns whether it differs from the one that was reported last. */
function take(peer: PeerState, seq: number, value: Uint8Array | undefined): boolean {
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

/**
 * Fraction of the interval; random each time, or nodes that started together would stay in step.
 */
const JITTER = 0.2;
/**
 * Fraction of the interval: the maximum time for which a change waits for further ones (50 to 100
 * ms of 2 s).
 */
const SOON = 0.05;
