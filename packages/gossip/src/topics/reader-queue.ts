// The queue of messages that wait for one reader, with the number of messages missed before each.

import type { MessageMeta, ReceivedMessage } from '../types.ts';

interface Entry {
  readonly message: unknown;
  readonly meta: MessageMeta;
  readonly size: number;
  missed: number;
}

/**
 * A queue that counts its bytes. Each message taken from it contains the number of messages that
 * were missed just before it.
 */
export class ReaderQueue {
  /**
   * The waiting messages. The first `#taken` entries are empty, because moving all other entries up
   * for each message would cost more than the rest of a delivery.
   */
  readonly #entries: (Entry | undefined)[] = [];
  #taken = 0;
  #bytes = 0;
  /** Number of messages missed after the last waiting one. */
  #missed = 0;

  get length(): number {
    return this.#entries.length - this.#taken;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns and resets the number of messages missed after the last waiting one. */
  takeMissed(): number {
    const missed = this.#missed;
    this.#missed = 0;
    return missed;
  }

  push(message: unknown, meta: MessageMeta, size: number): void {
    this.#entries.push({ message, meta, size, missed: this.takeMissed() });
    this.#bytes += size;
  }

  /** Removes and returns the oldest message. */
  take(): ReceivedMessage<unknown> | undefined {
    const entry = this.#shift();
    return entry === undefined
      ? undefined
      : { message: entry.message, meta: withMissed(entry.meta, entry.missed) };
  }

  /** Drops the oldest message and counts it as missed. */
  dropOldest(): void {
    const gone = this.#shift();
    if (gone === undefined) return;
    const next = this.#entries[this.#taken];
    if (next === undefined) this.#missed += gone.missed + 1;
    else next.missed += gone.missed + 1;
  }

  /** Drops the newest message and counts it as missed. */
  dropNewest(): void {
    if (this.length === 0) return;
    const gone = this.#entries.pop()!;
    this.#bytes -= gone.size;
    this.#missed += gone.missed + 1;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#taken = 0;
    this.#bytes = 0;
  }

  #shift(): Entry | undefined {
    const entry = this.#entries[this.#taken];
    if (entry === undefined) return undefined;
    this.#entries[this.#taken++] = undefined;
    this.#bytes -= entry.size;
    if (this.#taken === this.#entries.length) this.#entries.length = this.#taken = 0;
    else if (this.#taken >= MOVED) {
      this.#entries.splice(0, this.#taken);
      this.#taken = 0;
    }
    return entry;
  }
}

/**
 * Returns `meta` with that number of missed messages. If none were missed, all readers share one
 * object. The fields are written out, because a spread would cost more than the rest of a delivery.
 */
export function withMissed(meta: MessageMeta, missed: number): MessageMeta {
  if (missed === 0) return meta;
  const { id, origin, signed, from, hops } = meta;
  return { id, origin, signed, from, hops, missed };
}

/** Number of empty entries after which the other entries are moved up. */
const MOVED = 1_024;
