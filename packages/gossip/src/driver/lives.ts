// Numbers the lives of this node, each above all before: others take what has a lower number than they have heard for old.

import { type Store, TransportError } from '@trunkline/transport-core';
import { LARGEST_NUMBER } from '../messages/message-id.ts';

export interface LivesOptions {
  /** The time of day in milliseconds since 1970. */
  readonly wall: () => number;
  /** Where the highest number is kept; undefined: nowhere. */
  readonly store: Store | undefined;
  /** It could not be kept; what is kept still holds for the numbers given so far. */
  onFailed(error: TransportError): void;
}

export class Lives {
  readonly #options: LivesOptions;
  /** The number of this start. */
  #first: number | undefined = undefined;
  /** The highest that was given or heard of since. */
  #last = -1;
  /** The next start's is above this. */
  #reserved = -1;
  #isSaving = false;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  /** Looks up what was kept, and keeps the number of this start before anything is said in its name. Rejects where the store fails. */
  async load(): Promise<void> {
    const { store } = this.#options;
    if (store === undefined) return;
    try {
      const bytes = await store.get(KEY);
      const text = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
      const kept = text === undefined ? -1 : Number(text);
      if (text === '' || !Number.isInteger(kept) || kept < -1 || kept > LARGEST_NUMBER) {
        throw new TransportError('data_loss', `gossip.start: store: '${KEY}' is no number: ${String(text).slice(0, 20)}; delete it`, { target: KEY });
      }
      this.#first = Math.max(this.#wall(), kept + 1);
      this.#reserved = this.#first + SPARE;
      await this.#save(store);
    } catch (error) {
      this.#first = undefined;
      throw ourError(error);
    }
  }

  /** A number for a topic that is joined: that of this start, or if the topic was left in it, or a later life was heard of, another. */
  next(): number {
    this.#first ??= this.#wall();
    return Math.max(this.#first, this.#last + 1);
  }

  /** A life of that number is over. */
  used(life: number): void {
    this.#last = Math.max(this.#last, life);
    this.#reserve();
  }

  /**
   * A peer has heard of that life of this node. Returns the number of one above it; undefined: it is not believed. A number that is far ahead
   * would leave none for the lives to come, so strangers are believed up to ten years ahead of the clock, and those who prove their ids up to 2^47.
   */
  above(life: number, isProven: boolean): number | undefined {
    const most = isProven ? MOST : Math.max(this.#wall(), EARLIEST) + AHEAD;
    if (life >= most) return undefined;
    this.used(life);
    return this.next();
  }

  /** The last life that an unsigned message is believed to be of: a day ahead of the clock. */
  get latest(): number {
    return this.#wall() + DAY;
  }

  #wall(): number {
    return Math.min(Math.max(0, Math.floor(this.#options.wall())), MOST);
  }

  /** Keeps more numbers before all that were kept are used. */
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
    await store.set(KEY, new TextEncoder().encode(String(Math.min(this.#reserved, LARGEST_NUMBER))));
    await store.sync();
  }
}

function ourError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  return new TransportError('unavailable', `gossip: store: ${error instanceof Error ? error.message : String(error)}`, { target: KEY, cause: error });
}

const KEY = 'gossip-life';
/** Numbers that are kept ahead: topics that are joined again in one life need one each. */
const SPARE = 65_536;
const MOST = 2 ** 47;
/** The beginning of 2026: a clock that says less was never set. */
const EARLIEST = 1_767_225_600_000;
const DAY = 86_400_000;
/** Ten years. */
const AHEAD = 315_576_000_000;
