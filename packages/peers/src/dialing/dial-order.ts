// The dials that the planner orders, what it reads and its options, and the dials in progress.
// Tested through the planner, by the tests in this folder.

import type { Random } from '@trunkline/transport-core';
import type { BackOffOptions, DialTarget } from './targets.ts';

/** A node of the address book, or one whose connection was lost. */
export interface DialCandidate {
  readonly nodeId: string;
  /** The address, which is canonical if it comes from the address book. */
  readonly address: string;
}

/**
 * The reason for which a node is dialed:
 * - `persistent`, `seed`: the operator named it
 * - `again`: its connection was lost by chance
 * - `book`: the address book picked it
 * - `test`: the address book wants to know whether it still answers
 * - `spare`: the address book picked it although enough peers are connected
 * - `asked`: a caller waits for it. `crawl`: a seed asks it for addresses. The planner orders
 *   neither, and ignores their outcomes.
 *
 * If a dial of kind `again`, `spare` or `seed` leads to one connection too many, the driver closes
 * one of the others: see `makeRoom`.
 */
export type DialKind =
  | 'persistent'
  | 'seed'
  | 'again'
  | 'book'
  | 'test'
  | 'spare'
  | 'asked'
  | 'crawl';

/**
 * One dial to start, identified by its address. Report its outcome with one call: `opened` or
 * `failed`.
 */
export interface DialOrder {
  readonly address: string;
  /** The id that the other end must prove; undefined accepts any node. */
  readonly nodeId: string | undefined;
  readonly kind: DialKind;
  /**
   * True if other nodes or the peer itself reported the address. Default true, except for
   * persistent peers and seeds, whose addresses come from the operator.
   */
  readonly reported?: boolean;
}

/** The state of the node that `DialPlanner.plan` reads. */
export interface PlannerView {
  /**
   * Returns true if a connection to that id is alive, no matter which end dialed it. The result
   * must be true before the call of `opened` and until that of `lost`.
   */
  isConnected(nodeId: string): boolean;
  /**
   * Returns true if the address is one of this node's, or a dial of it has reached this node: it
   * must be true before the call of `failed` for that dial.
   */
  isOwn(address: string): boolean;
  isBanned(nodeId: string, now: number): boolean;
  /** Number of ordinary connections that are up and count against `maxOutbound`. */
  readonly outbound: number;
  /**
   * A number that changes whenever the address book has a new address to dial. If it is given, a
   * book without eligible nodes is not searched again until it changes, for half a minute at most.
   */
  readonly news?: number | undefined;
  /**
   * Returns the address at which the address book would dial a node next: the node's own, or one
   * that other nodes reported.
   */
  whereabouts?(nodeId: string): string | undefined;
  /** Picks a node of the address book that is `eligible`. */
  pick(eligible: (candidate: DialCandidate) => boolean, now: number): DialCandidate | undefined;
  /** Takes a tried entry that the address book wants tested; each is returned once. */
  toTest(now: number): DialCandidate | undefined;
}

export interface DialPlannerOptions {
  readonly random: Random;
  /** The current time. All times are in milliseconds of a monotonic clock. */
  readonly now: number;
  readonly view: PlannerView;
  /**
   * Peers, each in the form '[nodeId@]address', that are dialed forever, regardless of
   * `maxOutbound`.
   */
  readonly persistent: readonly string[];
  /**
   * Nodes, each in the form '[nodeId@]address', that are asked for addresses when the address book
   * has none left to try.
   */
  readonly seeds: readonly string[];
  /**
   * Number of ordinary connections that the planner dials; connections that others dialed don't
   * count.
   */
  readonly maxOutbound: number;
  readonly reconnect: BackOffOptions;
  /**
   * Maximum number of dials in progress to one host for addresses that other nodes reported (book,
   * again, spare, test), so that nobody can make this node flood a host. Default: no limit.
   */
  readonly perHost?: number | undefined;
}

// The dials in progress, at most 80: prevents two dials to one address or id, and counts them by
// kind and by host.

export interface DialUnderWay {
  readonly kind: DialKind;
  /** The canonical address, which identifies the dial. */
  readonly key: string;
  /** The host of that address. */
  readonly host: string;
  /** Time at which the dial began. */
  readonly since: number;
  /** The id that the other end is expected to have. */
  readonly id: string | undefined;
  /** The target that is dialed; undefined for an address that another node reported. */
  readonly target: DialTarget | undefined;
}

export class DialsUnderWay {
  readonly #dials = new Map<string, DialUnderWay>();
  readonly #ids = new Set<string>();

  start(dial: DialUnderWay): void {
    this.#dials.set(dial.key, dial);
    if (dial.id !== undefined) this.#ids.add(dial.id);
  }

  /** Ends a dial. Returns undefined for a dial that has already ended or was never started. */
  end(kind: DialKind, key: string): DialUnderWay | undefined {
    const dial = this.#dials.get(key);
    if (dial?.kind !== kind) return undefined;
    this.#dials.delete(key);
    if (dial.id !== undefined) this.#ids.delete(dial.id);
    return dial;
  }

  /** Returns true if this id or this canonical address is being dialed. */
  has(id: string | undefined, key: string): boolean {
    return this.#dials.has(key) || (id !== undefined && this.#ids.has(id));
  }

  /** Returns the number of dials to a host for addresses that other nodes reported. */
  ofHost(host: string): number {
    return this.#count((dial) => dial.target === undefined && dial.host === host);
  }

  of(...kinds: DialKind[]): number {
    return this.#count(({ kind }) => kinds.includes(kind));
  }

  /**
   * Returns the time at which the `count`th youngest dial that is not of kind `except` began, or
   * undefined if there are fewer.
   */
  nthSince(count: number, except: DialKind): number | undefined {
    const times: number[] = [];
    for (const { kind, since } of this.#dials.values()) if (kind !== except) times.push(since);
    return times.at(-count);
  }

  get total(): number {
    return this.#dials.size;
  }

  #count(isOne: (dial: DialUnderWay) => boolean): number {
    let count = 0;
    for (const dial of this.#dials.values()) if (isOne(dial)) count++;
    return count;
  }
}
