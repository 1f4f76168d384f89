// Finds ordinary nodes to dial, that is, nodes that the operator did not name: nodes whose
// connection was lost by chance, and nodes of the address book. It owns the back-offs of their
// addresses, and sees the node only through the planner's view.

import type { Random, TransportError } from '@trunkline/transport-core';
import { dropOldest } from '../limits.ts';
import type { DialCandidate, DialKind, DialsUnderWay, PlannerView } from './dial-order.ts';
import {
  addressKey,
  type BackOffOptions,
  backOffDelay,
  hostOf,
  isPointless,
  isTransient,
  LONG_ENOUGH,
  type NamedTargets,
} from './targets.ts';

interface OrdinaryCandidatesOptions {
  readonly random: Random;
  readonly view: PlannerView;
  readonly named: NamedTargets;
  readonly underWay: DialsUnderWay;
  readonly backOff: BackOffOptions;
  /** The option of this name in `DialPlannerOptions`. */
  readonly perHost: number;
}

export class OrdinaryCandidates {
  readonly #view: PlannerView;
  readonly #named: NamedTargets;
  readonly #underWay: DialsUnderWay;
  /** The back-offs: `#patient` after pointless errors, `#brief` after all others. */
  readonly #brief: BackOffOptions;
  readonly #patient: BackOffOptions;
  readonly #perHost: number;
  readonly #history: AddressHistory;
  readonly #lost = new ReconnectList();
  /**
   * Set after a search of the book that found nothing: the search is repeated at the given time, or
   * when the view's `news` changes. Otherwise a large book without eligible nodes would be searched
   * at every wake-up.
   */
  #vain: { until: number; readonly news: number | undefined } | undefined;

  constructor({ random, view, named, underWay, backOff, perHost }: OrdinaryCandidatesOptions) {
    this.#view = view;
    this.#named = named;
    this.#underWay = underWay;
    this.#brief = backOff;
    this.#patient = { ...backOff, interval: backOff.interval * 4 };
    this.#perHost = perHost;
    this.#history = new AddressHistory(random);
  }

  /**
   * Returns true if a search of the book found nothing and nothing has changed since. No lost peer
   * may be dialed then, either, because the end of each back-off ends this state.
   */
  isVain(now: number): boolean {
    const { news } = this.#view;
    return (
      this.#vain !== undefined &&
      now < this.#vain.until &&
      news !== undefined &&
      news === this.#vain.news
    );
  }

  /** The latest time at which to search again; Infinity if no search has failed. */
  get searchAt(): number {
    return this.#vain?.until ?? Number.POSITIVE_INFINITY;
  }

  /** Searches again, because new candidates may have appeared. */
  reset(): void {
    this.#vain = undefined;
  }

  /**
   * Handles the end of a dial. The node that was dialed is connected or waits now, so only other
   * nodes on its host may have become eligible.
   */
  ended(): void {
    if (this.#perHost !== Number.POSITIVE_INFINITY) this.#vain = undefined;
  }

  /** Records that a dial reached a node at a canonical address. */
  opened(key: string, nodeId: string, kind: DialKind, now: number): void {
    this.#lost.remove(nodeId);
    // The node that answered has replaced the peer that was lost there.
    this.#lost.removeAt(key);
    if (kind === 'test') this.#history.forget(key);
    else if (kind !== 'persistent') this.#history.opened(key, now);
  }

  /** Records a failed dial. Returns true if the address is given up. */
  failed(key: string, nodeId: string | undefined, error: TransportError, now: number): boolean {
    const failures = this.#history.failed(key, now, this.#backOffAfter(error));
    if (this.#vain !== undefined)
      this.#vain.until = Math.min(this.#vain.until, this.#history.readyAt(key));
    if (nodeId !== undefined) this.#lost.failed(nodeId);
    if (isPointless(error)) this.#lost.removeAt(key, nodeId);
    if (failures < MOST_FAILURES || this.#named.includes(nodeId, key)) return false;
    this.#lost.removeAt(key);
    this.#history.rest(key, now + REST);
    return true;
  }

  /**
   * Records that the connection to a peer at a canonical address has ended. A peer that is not a
   * seed and was lost by chance is dialed three more times before unknown nodes are.
   */
  lost(
    key: string,
    candidate: DialCandidate,
    { isSeed, error }: { readonly isSeed: boolean; readonly error: TransportError },
    now: number,
  ): void {
    this.#history.lost(key, now, this.#backOffAfter(error));
    if (!isSeed && isTransient(error)) this.#lost.add(key, candidate);
  }

  /** Returns true if an address must not be dialed now. */
  isResting(address: string, now: number): boolean {
    const key = addressKey(address);
    return key !== undefined && this.#history.readyAt(key) > now;
  }

  /** Prevents dials to an address until the given time. */
  rest(address: string, until: number): void {
    const key = addressKey(address);
    if (key !== undefined) this.#history.rest(key, until);
  }

  /** Searches the address book. */
  pick(now: number): DialCandidate | undefined {
    if (this.isVain(now)) return undefined;
    const candidate = this.#view.pick((one) => this.isEligible(one, now), now);
    if (candidate === undefined) {
      // No event reports the end of a ban, so the book is searched again after half a minute.
      const until = Math.min(this.#history.nextReady(now), now + LONGEST_ORDINARY);
      this.#vain = { until, news: this.#view.news };
    }
    return candidate;
  }

  /**
   * Returns a peer that was lost by chance, at the address to dial. Peers that are connected again
   * or banned are removed from the list.
   */
  pickLost(now: number): DialCandidate | undefined {
    return this.#lost.pick(
      ({ nodeId }) => this.#view.isConnected(nodeId) || this.#view.isBanned(nodeId, now),
      (one, key) => this.#place(one, key, now),
    );
  }

  /**
   * Like `pickLost`, but also returns peers whose three tries failed, and keeps banned peers in the
   * list for the time after their bans.
   */
  pickAnyLost(now: number): DialCandidate | undefined {
    return this.#lost.pick(
      ({ nodeId }) => this.#view.isConnected(nodeId),
      (one, key) => this.#place(one, key, now),
      Number.POSITIVE_INFINITY,
    );
  }

  /** Returns the next time after `now` at which the back-off of a lost peer ends. */
  nextLostAt(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const key of this.#lost.keys) {
      const at = this.#history.readyAt(key);
      if (at > now && at < next) next = at;
    }
    return next;
  }

  /** Returns true if a node may be dialed now. Its address is canonical. */
  isEligible({ nodeId, address: key }: DialCandidate, now: number): boolean {
    if (this.#view.isConnected(nodeId) || this.#view.isBanned(nodeId, now)) return false;
    if (this.#underWay.has(nodeId, key) || this.#history.readyAt(key) > now) return false;
    if (this.#view.isOwn(key) || this.#named.persistent.includes(nodeId, key)) return false;
    return (
      this.#perHost === Number.POSITIVE_INFINITY ||
      this.#underWay.ofHost(hostOf(key)) < this.#perHost
    );
  }

  /**
   * Returns the address at which to dial a lost peer: the address that the address book would dial,
   * or otherwise the peer's last address. Returns undefined while neither address is eligible.
   */
  #place(lost: DialCandidate, key: string, now: number): DialCandidate | undefined {
    const { nodeId } = lost;
    const address = this.#view.whereabouts?.(nodeId);
    if (address !== undefined && this.isEligible({ nodeId, address }, now))
      return { nodeId, address };
    return this.isEligible({ nodeId, address: key }, now) ? lost : undefined;
  }

  #backOffAfter(error: TransportError): BackOffOptions {
    return isPointless(error) ? this.#patient : this.#brief;
  }
}

/**
 * Longest back-off, in milliseconds, of addresses of the book and of seeds. With this value, and
 * including the time of a dial, all nodes are found within a minute after a partition heals.
 */
export const LONGEST_ORDINARY = 30_000;
/** Number of failures in a row after which an address is given up (Tendermint). */
const MOST_FAILURES = 16;
/** Milliseconds for which an address that was given up is not dialed. */
const REST = 600_000;

// Peers whose connection was lost by chance. They are preferred to unknown nodes for three tries,
// and stay on the list until they are given up.

/**
 * A list of lost peers, with one peer for each id and each address. Holds at most 64 peers; beyond
 * that, the oldest is removed, and only the address book can pick it again.
 */
export class ReconnectList {
  readonly #entries = new Map<string, LostEntry>();

  /** Adds a peer that was lost at a canonical address. */
  add(key: string, candidate: DialCandidate): void {
    this.#entries.delete(candidate.nodeId);
    this.removeAt(key);
    this.#entries.set(candidate.nodeId, { key, candidate, tries: 0 });
    dropOldest(this.#entries, MOST_ENTRIES);
  }

  /** Records another failed try, at whichever address. */
  failed(nodeId: string): void {
    const entry = this.#entries.get(nodeId);
    if (entry !== undefined) entry.tries++;
  }

  remove(nodeId: string): void {
    this.#entries.delete(nodeId);
  }

  /** Removes the peer that was lost at a canonical address: only if its id is `only`, if given. */
  removeAt(key: string, only?: string): void {
    for (const [nodeId, entry] of this.#entries)
      if (entry.key === key && (only ?? nodeId) === nodeId) this.#entries.delete(nodeId);
  }

  /**
   * Returns what `place` returns for the first peer that has a place and has failed fewer than
   * `most` times. Removes the peers for which `isOver` returns true.
   */
  pick(
    isOver: (candidate: DialCandidate) => boolean,
    place: (candidate: DialCandidate, key: string) => DialCandidate | undefined,
    most: number = MOST_TRIES,
  ): DialCandidate | undefined {
    for (const [nodeId, { key, candidate, tries }] of this.#entries) {
      if (isOver(candidate)) this.#entries.delete(nodeId);
      else if (tries < most) {
        const found = place(candidate, key);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** The canonical addresses at which the peers were lost. */
  get keys(): string[] {
    return Array.from(this.#entries.values(), ({ key }) => key);
  }
}

interface LostEntry {
  readonly key: string;
  readonly candidate: DialCandidate;
  tries: number;
}

const MOST_ENTRIES = 64;
const MOST_TRIES = 3;

// Which addresses of the book failed, and until when each of them must not be dialed.

interface AddressRecord {
  failures: number;
  /** Time before which the address is not dialed. */
  at: number;
  /** Time at which the current connection opened. */
  since: number | undefined;
}

/**
 * The history by canonical address. Holds at most 4,096 addresses; beyond that, the address that
 * was not used for the longest time is forgotten and may be dialed at once.
 */
export class AddressHistory {
  readonly #random: Random;
  readonly #entries = new Map<string, AddressRecord>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Returns the time at which the address may be dialed again. */
  readyAt(key: string): number {
    return this.#entries.get(key)?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** Returns the next time after `now` at which an address becomes ready to dial. */
  nextReady(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#entries.values()) if (at > now && at < next) next = at;
    return next;
  }

  opened(key: string, now: number): void {
    this.#touch(key).since = now;
  }

  /** Records a failed dial. Returns the number of failures in a row, including this one. */
  failed(key: string, now: number, options: BackOffOptions): number {
    const entry = this.#touch(key);
    entry.failures++;
    entry.at = now + backOffDelay(options, entry.failures, this.#random);
    entry.since = undefined;
    return entry.failures;
  }

  /**
   * Records that the connection is gone. If it lasted for LONG_ENOUGH, earlier failures are
   * forgotten first.
   */
  lost(key: string, now: number, options: BackOffOptions): void {
    const entry = this.#touch(key);
    if (entry.since !== undefined && now - entry.since >= LONG_ENOUGH) entry.failures = 0;
    this.failed(key, now, options);
  }

  /** Prevents dials to the address until the given time, and resets its failures. */
  rest(key: string, until: number): void {
    const entry = this.#touch(key);
    entry.failures = 0;
    entry.at = until;
    entry.since = undefined;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  /**
   * Moves an entry to the end. A Map keeps the order of insertion, so the first entry is the one
   * that was not used for the longest time.
   */
  #touch(key: string): AddressRecord {
    const entry = this.#entries.get(key) ?? {
      failures: 0,
      at: Number.NEGATIVE_INFINITY,
      since: undefined,
    };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    dropOldest(this.#entries, MOST_ADDRESSES);
    return entry;
  }
}

const MOST_ADDRESSES = 4_096;
