// Status sync as in FISCO-BCOS: each node numbers its statuses and keeps broadcasting the newest
// number; a peer that hears a newer number pulls the status. Tested in status-sync.test.ts.

import { type Random, TransportError } from '@trunkline/transport-core';
import { RateLimit } from '../limits.ts';

/** Options of `StatusSync`. */
interface StatusSyncOptions {
  readonly random: Random;
  /** The current time, in milliseconds of a monotonic clock, as for all methods. */
  readonly now: number;
  /**
   * Milliseconds between two broadcasts of the number. Default 2,000 (FISCO-BCOS 3 uses 1,000 to
   * 2,000). Each interval varies by ± 20 %.
   */
  readonly interval?: number | undefined;
  /** The number before the first one. Default 0; set it only to test the last number. */
  readonly seq?: number | undefined;
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
  readonly #peers = new Map<string, PeerState>();
  #seq: number;
  #own: Uint8Array | undefined = undefined;
  #due: number;

  constructor(options: StatusSyncOptions) {
    this.#random = options.random;
    this.#interval = options.interval ?? 2_000;
    this.#seq = options.seq ?? 0;
    // The first broadcast is at a random time in the first interval, so that nodes that start
    // together don't broadcast together.
    this.#due = options.now + this.#interval * this.#random();
  }

  /** Time of the next broadcast of the number; `Infinity` without peers or before any status. */
  get wakeAt(): number {
    return this.#seq === 0 || this.#peers.size === 0 ? Number.POSITIVE_INFINITY : this.#due;
  }

  /**
   * Returns true if the number should be sent to all connected peers now. If a broadcast is lost,
   * the next one makes up for it.
   */
  beat(now: number): boolean {
    if (now < this.wakeAt) return false;
    this.#due = this.#nextBeat(now);
    return true;
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
    this.#own = value && new Uint8Array(value); // `slice` of a Buffer returns a view.
    if (this.#peers.size === 0) return;
    const soon = now + this.#interval * this.#between(SOON / 2, SOON);
    // An overdue broadcast stays overdue; otherwise frequent changes would postpone it forever.
    // Before the first status, no broadcast is needed.
    this.#due = this.#seq === 1 ? soon : Math.min(this.#due, soon);
  }

  /** The number of this node's status; 0 before the first. A cleared status has a number, too. */
  get seq(): number {
    return this.#seq;
  }

  /** This node's status, which answers pulls. It must not be changed. */
  get own(): Uint8Array | undefined {
    return this.#own;
  }

  /**
   * Records that a peer has connected, perhaps as another instance. Returns true if there is a
   * number to send to it.
   */
  connected(nodeId: string, instance: string, now: number): boolean {
    const peer = this.#peers.get(nodeId);
    if (peer !== undefined) {
      if (peer.instance !== instance) peer.restart(instance, now);
    } else {
      // No broadcast was needed while no peer was connected, so a missed one is not made up for.
      if (this.#peers.size === 0 && this.#due < now) this.#due = this.#nextBeat(now);
      this.#peers.set(nodeId, new PeerState(instance));
    }
    return this.#seq > 0;
  }

  /** Records that a peer is gone; its status is forgotten. */
  gone(nodeId: string): void {
    this.#peers.delete(nodeId);
  }

  /**
   * Handles the number of a peer's status. Returns true if the status should be pulled; report the
   * outcome with `pulled` or `pullFailed`. A status is pulled if its number is newer than the known
   * one, or if it comes from another instance than the known one, because a restarted peer starts
   * at 1 again. In the second case the old status is dropped. Messages of the former instance are
   * ignored for one `PULL_TIMEOUT`. The time is that short because one late message that is
   * mistaken for a restart makes this node ignore the live instance for the same time. Number 0
   * ("no status") is pulled if there was a status, so that the change is reported. Each peer has
   * one pull at a time; a newer number that arrives meanwhile is pulled next.
   */
  heard(nodeId: string, instance: string, seq: number, now: number): boolean {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || (instance === peer.former && now < peer.formerUntil)) return false;
    if (instance !== peer.instance) peer.restart(instance, now);
    if (seq === 0 ? peer.told === undefined : seq <= peer.seq) return false;
    peer.heard = Math.max(peer.heard, seq);
    if (peer.pull !== undefined && now - peer.pull.began < PULL_TIMEOUT) return false;
    peer.pull = { began: now, asked: peer.heard };
    return true;
  }

  /**
   * Handles the answer to a pull, a number and a status; number 0 or no bytes mean that the peer
   * has none. Answers of another instance, and answers older than the known status, are ignored.
   * Returns whether the status of the peer, `of(nodeId)`, has changed, and whether to pull it
   * again.
   */
  pulled(
    nodeId: string,
    instance: string,
    { seq, value }: { readonly seq: number; readonly value: Uint8Array | undefined },
    now: number,
  ): { readonly changed: boolean; readonly again: boolean } {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || peer.instance !== instance) return { changed: false, again: false };
    const asked = peer.pull?.asked ?? LAST_SEQ;
    peer.pull = undefined;
    const changed = (seq === 0 || seq > peer.seq) && peer.take(seq, value);
    // A peer that broadcasts a number and answers with an older one is not pulled again until it
    // broadcasts a newer number, or the same one anew.
    const again = peer.heard > asked && peer.heard > peer.seq;
    if (again) peer.pull = { began: now, asked: peer.heard };
    else peer.heard = 0;
    return { changed, again };
  }

  /** Records that a pull failed. It is tried again at the next number heard. */
  pullFailed(nodeId: string, instance: string): void {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined || peer.instance !== instance) return;
    peer.pull = undefined;
    peer.heard = 0;
  }

  /** Returns a peer's status, which must not be changed, if it has one that was pulled. */
  of(nodeId: string): Uint8Array | undefined {
    return this.#peers.get(nodeId)?.value;
  }

  #nextBeat(now: number): number {
    return now + this.#interval * this.#between(1 - JITTER, 1 + JITTER);
  }

  #between(least: number, most: number): number {
    return least + (most - least) * this.#random();
  }
}

class PeerState {
  instance: string;
  /**
   * The former instance, whose late messages must not be taken for a restart, and the time until
   * which they are ignored.
   */
  former: string | undefined = undefined;
  formerUntil = 0;
  /** The number of the known status; 0 if none is known. */
  seq = 0;
  value: Uint8Array | undefined = undefined;
  /**
   * The status that was reported last. After a restart has dropped a status, this shows whether the
   * new status, or its absence, is a change.
   */
  told: Uint8Array | undefined = undefined;
  /** The highest number heard since the last pull that left no newer one to pull. */
  heard = 0;
  /** The pull in progress, and the number that it was started for. */
  pull: { readonly began: number; readonly asked: number } | undefined = undefined;

  constructor(instance: string) {
    this.instance = instance;
  }

  restart(instance: string, now: number): void {
    this.former = this.instance;
    this.formerUntil = now + PULL_TIMEOUT;
    this.instance = instance;
    this.seq = this.heard = 0;
    this.value = undefined;
    this.pull = undefined;
  }

  /** Stores a status. Returns true if it differs from the one that was reported last. */
  take(seq: number, value: Uint8Array | undefined): boolean {
    this.seq = seq;
    this.value = seq === 0 ? undefined : value?.slice();
    const changed = !isSame(this.value, this.told);
    this.told = this.value;
    return changed;
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Milliseconds after which a pull without an outcome has failed (FISCO-BCOS 2): the `timeout` of
 * `pull` in protocol.ts.
 */
const PULL_TIMEOUT = 5_000;
/**
 * Random variation of the interval, as a fraction of it. Without it, nodes that started together
 * would keep broadcasting together.
 */
const JITTER = 0.2;
/**
 * Maximum time for which a change waits for further changes, as a fraction of the interval (50 to
 * 100 ms if the interval is 2 s).
 */
const SOON = 0.05;

// Limits how often a peer's status is pulled, because each answer may take long to decode.

/** The pulls that are still allowed for one peer. */
export class PullRation {
  readonly #pulls = new RateLimit(PULLS, PULL_INTERVAL);
  readonly #bad = new RateLimit(BAD, BAD_INTERVAL);

  /**
   * Takes a pull from the ration. Returns false if none is left, or if too many recent pulls
   * returned malformed statuses.
   */
  take(now: number): boolean {
    return this.#bad.readyAt <= now && this.#pulls.tryTake(now);
  }

  /** Records that a pull returned a malformed status. */
  spoiled(now: number): void {
    this.#bad.take(now);
  }
}

/** Maximum number of pulls at once, and milliseconds until one more. */
const PULLS = 64;
const PULL_INTERVAL = 100;
/**
 * Maximum number of malformed statuses at once, and milliseconds until one more; the worst takes 50
 * ms to decode.
 */
const BAD = 8;
const BAD_INTERVAL = 10_000;
