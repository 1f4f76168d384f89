// What a planner of dials is asked, told and answers.

import type { Random } from '@trunkline/transport-core';
import type { BackOffOptions } from './back-off.ts';

/** Somebody of the address book. */
export interface Candidate {
  readonly nodeId: string;
  readonly address: string;
}

/**
 * Why somebody is dialled: `persistent` and `seed` because the operator named it, `again` because a link to it was lost by chance,
 * `book` because the address book picked it, `test` because the book wants to know whether it is still there. `spare`: because the book
 * picked it though all links are up. Where `again` or `spare` make one link too many, the youngest of the others goes.
 */
export type DialKind = 'persistent' | 'seed' | 'again' | 'book' | 'test' | 'spare';

/** One dial to start. Exactly one of `opened`, `failed` and `self` answers it; it is known by its address. */
export interface DialOrder {
  readonly address: string;
  /** Whom the other end must prove to be; undefined: whoever answers. */
  readonly nodeId: string | undefined;
  readonly kind: DialKind;
  /** Of a persistent peer: the address is not the operator's, the peer told it itself. */
  readonly hearsay?: boolean;
}

/** What the driver knows, asked during `next`. */
export interface PlannerView {
  /** Is there a live link to that id, whoever dialled it? True from before `opened` is told until `lost` is told. */
  isConnected(nodeId: string): boolean;
  /** Is it an address of this node? */
  isOwn(address: string): boolean;
  isBanned(nodeId: string): boolean;
  /** Ordinary links that are up and count against `maxOutbound`. */
  readonly outbound: number;
  /** Another number whenever somebody came into the address book; where it is told, a book without anybody eligible is not searched again before. */
  readonly news?: number | undefined;
  /** Where the address book would dial a node next: its address, or where others say that it is now. */
  whereabouts?(nodeId: string): string | undefined;
  /** Somebody of the address book of whom `eligible` holds. */
  pick(eligible: (candidate: Candidate) => boolean): Candidate | undefined;
  /** A tried entry that the book wants tested. */
  toTest(): Candidate | undefined;
}

/** A peer whose last link is gone. */
export interface LostPeer {
  readonly nodeId: string;
  /** What we dialled, undefined for a link from there. */
  readonly address: string | undefined;
  /** Where it said that it is reached. */
  readonly told?: string | undefined;
  readonly persistent: boolean;
}

export interface DialPlannerOptions {
  readonly random: Random;
  /** The time now. Times are milliseconds of a monotonic clock. */
  readonly now: number;
  /** '[nodeId@]address' of peers that are dialled for ever, whatever `maxOutbound` is. */
  readonly persistent: readonly string[];
  /** '[nodeId@]address' of peers that are asked when the address book knows nobody. */
  readonly seeds: readonly string[];
  /** Ordinary links that are dialled; links that others dialled don't count. */
  readonly maxOutbound: number;
  readonly reconnect: BackOffOptions;
  /** Dials at once. Default 16. Persistent peers never wait for it, but fill it: up to three quarters, so that they starve nobody. */
  readonly concurrent?: number | undefined;
  /**
   * Dials under way for less than a second, persistent peers not counted: more wait until one is over or older. Default 3. A process that starts many
   * nodes, or a slow machine, so has its first links soon, instead of all of them late; an address where nobody answers holds up little.
   */
  readonly young?: number | undefined;
  /** Dials a second on average, and the most that go at once. Default 20. Persistent peers are not held by it. */
  readonly rate?: number | undefined;
  /** Dials at once to one host that somebody else named (book, again, test), so that nobody makes us flood it. Default: no limit. */
  readonly perHost?: number | undefined;
}
