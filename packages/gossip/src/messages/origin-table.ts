// A table of the origins whose messages are remembered. There is one table for origins that sign,
// and one for origins that don't.

import { Introducers } from './introducers.ts';
import type { OriginWindow } from './origin-window.ts';

/** A node whose messages are remembered. */
export interface Origin {
  readonly name: string;
  /** True if the messages of the origin are signed with valid signatures. */
  readonly isSigned: boolean;
  /**
   * The peer that introduced the origin; undefined if its first message came from the origin
   * itself.
   */
  readonly by: string | undefined;
  epoch: number;
  /** The previous life, if a life with a lower number ended it; −1 if there is no such life. */
  retired: number;
  /** The serial number of this life among all lives of all origins. */
  life: number;
  window: OriginWindow;
  heardAt: number;
}

/** The limits of a table; see `SeenMessagesOptions`. */
export interface OriginTableOptions {
  readonly retention: number;
  readonly originRetention: number;
  readonly origins: number;
  readonly flood?: number | undefined;
}

/**
 * A table of origins and of the peers that introduced them. It is sorted by the time of each
 * origin's last message, to the second, the oldest first.
 */
export class OriginTable {
  readonly origins = new Map<string, Origin>();
  readonly introducers: Introducers;
  readonly #options: OriginTableOptions;

  constructor(options: OriginTableOptions) {
    const { origins, flood = origins, retention: period } = options;
    this.#options = options;
    this.introducers = new Introducers({ origins, flood, period });
  }

  get isFull(): boolean {
    return this.origins.size >= this.#options.origins;
  }

  get oldest(): Origin | undefined {
    for (const origin of this.origins.values()) return origin;
    return undefined;
  }

  /**
   * Returns true if there is room for an origin that the peer `from` introduces. Undefined charges
   * no peer for it.
   */
  hasRoom(name: string, from: string | undefined, now: number): boolean {
    if (from !== undefined && from !== name && !this.introducers.mayBring(from)) return false;
    if (!this.isFull) return true;
    const { oldest } = this;
    return oldest !== undefined && now - oldest.heardAt >= this.#options.retention + ORDER_GRAIN;
  }

  /** Records that a message of the origin arrived. */
  heard(origin: Origin, now: number): void {
    if (now - origin.heardAt < ORDER_GRAIN) return;
    this.origins.delete(origin.name);
    this.origins.set(origin.name, origin);
    origin.heardAt = now;
  }

  /** Time at which an origin or an introducer is to be forgotten. */
  due(now: number): number {
    const { retention, originRetention } = this.#options;
    const { oldest, introducers } = this;
    if (oldest === undefined) return introducers.due;
    const relieved =
      introducers.full.size > 0
        ? Math.max(now, oldest.heardAt + retention) + ORDER_GRAIN
        : Number.POSITIVE_INFINITY;
    return Math.min(introducers.due, oldest.heardAt + originRetention, relieved);
  }
}

/**
 * Precision of the order of origins, in milliseconds. Because it is coarse, a busy origin isn't
 * moved for each message.
 */
export const ORDER_GRAIN = 1_000;
