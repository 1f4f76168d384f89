// Numbers the lives of this node in ascending order, because other nodes treat messages as old if
// they know a life with a higher number. A life lasts from joining a topic to leaving it or to the
// end of the process, or until a peer reports a later one (topics/lives.ts). The first number is
// the time of day. The store keeps the order correct even if the clock goes back between two
// starts; without it, only the reports of peers do. GossipDriver owns the numbers of a node.

import { type Store, TransportError } from '@trunkline/transport-core';
import { LARGEST_NUMBER } from '../messages/message-id.ts';
import { asTransportError } from '../topics/errors.ts';

/** Options of {@link Lives}. */
interface LivesOptions {
  /** Returns the time of day in milliseconds since 1970. */
  readonly wall: () => number;
  /** Keeps the highest number across restarts; if undefined, the number is not kept. */
  readonly store: Store | undefined;
  /**
   * Called if a number could not be stored. The numbers used so far are still below the number that
   * was stored before, unless a peer has reported a later life than that.
   */
  onFailed(error: TransportError): void;
}

/** The life numbers of this node. With a store, call `load` once before any other method. */
export class Lives {
  readonly #options: LivesOptions;
  /** The number of this start; undefined before `load` and `next`. */
  #first: number | undefined = undefined;
  /**
   * The highest number used up since the start, by a topic that was left or by a life that a peer
   * reported.
   */
  #last = -1;
  /** The stored number; the next start gets a higher one. */
  #reserved = -1;
  #isSaving = false;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  /**
   * Loads the stored number, and stores one for this start before any message is sent under it.
   * Rejects if the store fails.
   */
  async load(): Promise<void> {
    const { store } = this.#options;
    if (store === undefined) return;
    try {
      const bytes = await store.get(KEY);
      const text = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
      const kept = text === undefined ? -1 : Number(text);
      if (text === '' || !Number.isInteger(kept) || kept < -1 || kept > LARGEST_NUMBER) {
        throw new TransportError(
          'data_loss',
          `gossip.start: store: '${KEY}' is not a number: ${String(text).slice(0, 20)}; delete it`,
          { target: KEY },
        );
      }
      this.#first = Math.max(this.#wall(), kept + 1);
      this.#reserved = this.#first + SPARE;
      await this.#save(store);
    } catch (error) {
      this.#first = undefined;
      throw ourError(error);
    }
  }

  /**
   * Returns the life number for joining a topic: the number of this start, or a higher one if a
   * topic was left since then or a peer reported a later life.
   */
  next(): number {
    this.#first ??= this.#wall();
    return Math.max(this.#first, this.#last + 1);
  }

  /** Marks a life number as used. */
  used(life: number): void {
    this.#last = Math.max(this.#last, life);
    this.#reserve();
  }

  /**
   * Returns a number above a life of this node that a peer has reported, or undefined if the report
   * is not believed. Believing a number far ahead would leave no numbers for later lives. Therefore
   * reports of strangers are believed up to ten years ahead of the clock, and reports of peers that
   * have proven their ids up to 2^47.
   */
  above(life: number, isProven: boolean): number | undefined {
    const most = isProven ? MOST : Math.max(this.#wall(), EARLIEST) + AHEAD;
    if (life >= most) return undefined;
    this.used(life);
    return this.next();
  }

  /**
   * The highest credible life of an unsigned message: one day ahead of the clock.
   */
  get latest(): number {
    return this.#wall() + DAY;
  }

  #wall(): number {
    const now = Math.floor(this.#options.wall());
    return now > 0 ? Math.min(now, MOST) : 0; // 0 for NaN, too.
  }

  /**
   * Stores a higher number when half of the reserved numbers are used. A life that a peer reports
   * may already be above the stored number. Only one number is being stored at a time; if that
   * fails, the next call tries again.
   */
  #reserve(): void {
    const { store } = this.#options;
    if (store === undefined || this.#isSaving || this.#last + SPARE / 2 < this.#reserved) return;
    this.#isSaving = true;
    this.#reserved = this.#last + SPARE;
    this.#save(store)
      .catch((error) => {
        this.#reserved = -1;
        this.#options.onFailed(ourError(error));
      })
      .finally(() => (this.#isSaving = false));
  }

  async #save(store: Store): Promise<void> {
    const number = Math.min(this.#reserved, LARGEST_NUMBER);
    await store.set(KEY, new TextEncoder().encode(String(number)));
    await store.sync();
  }
}

const ourError = (error: unknown) => asTransportError(error, KEY, 'gossip: store: ');

/** The key of the number in the store. */
const KEY = 'gossip-life';
/**
 * Number of life numbers that are reserved ahead. One is used each time that a topic is joined
 * again without a restart of the node.
 */
const SPARE = 65_536;
/**
 * The highest number that is accepted from a peer or used at a start, so that higher numbers remain
 * available.
 */
const MOST = 2 ** 47;
/**
 * The beginning of 2026, in milliseconds since 1970. A clock that shows an earlier time was never
 * set.
 */
const EARLIEST = 1_767_225_600_000;
const DAY = 86_400_000;
/** Ten years in milliseconds. */
const AHEAD = 315_576_000_000;
