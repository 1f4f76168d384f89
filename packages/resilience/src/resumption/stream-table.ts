// The streams that a server keeps, by token. The table decides which call may continue which
// stream, and which stream is removed when the table is full.

import type { Clock, Remote } from '@trunkline/transport-core';
import { failure } from './failures.ts';
import type { ResumableConfig } from './resumable-options.ts';
import { ServedStream } from './served-stream.ts';

interface Entry<Item> {
  readonly stream: ServedStream<Item>;
  /** The proven node id of the caller that opened the stream; only this node may continue it. */
  readonly nodeId: string | undefined;
  /** The caller against whose limit the stream counts. */
  readonly caller: string;
}

/** A bounded table of streams. */
export class StreamTable<Item> {
  readonly #clock: Clock;
  readonly #config: ResumableConfig;
  readonly #entries = new Map<string, Entry<Item>>();
  /** The number of streams of each caller. */
  readonly #shares = new Map<string, number>();
  /** The number of bytes in the items of all streams. */
  #bytes = 0;

  constructor(clock: Clock, config: ResumableConfig) {
    this.#clock = clock;
    this.#config = config;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The number of bytes in the items that are kept for all streams. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Returns the stream of a token. A stream that another node opened counts as unknown.
   *
   * @throws TransportError `not_found` if there is none.
   */
  get(token: string, from: Remote): ServedStream<Item> {
    const entry = this.find(token, from);
    if (entry !== undefined) return entry;
    throw failure(
      'unknown',
      'the server does not have this stream: it was restarted, the stream was without a connection for too long, or its request never arrived; start again',
    );
  }

  /** Returns the stream of a token, or undefined if the caller has none. */
  find(token: string, from: Remote): ServedStream<Item> | undefined {
    const entry = this.#entries.get(token);
    const isOwn = entry?.nodeId === undefined || entry.nodeId === from.nodeId;
    return isOwn ? entry?.stream : undefined;
  }

  /**
   * Adds a stream.
   *
   * @throws TransportError `resource_exhausted` if there is no room, `not_found` if another node
   * has a stream with this token.
   */
  open(token: string, from: Remote): ServedStream<Item> {
    if (this.#entries.has(token))
      throw failure('unknown', 'the server does not have this stream for this node');
    const caller = callerOf(from);
    this.#makeRoom(caller);
    const holder = {
      resized: (change: number) => this.#resized(change),
      expired: (error: unknown) => this.#remove(token, error),
    };
    const stream = new ServedStream<Item>(this.#clock, this.#config, holder);
    this.#entries.set(token, { stream, nodeId: from.nodeId, caller });
    this.#shares.set(caller, (this.#shares.get(caller) ?? 0) + 1);
    return stream;
  }

  /** Removes all streams. */
  close(error: unknown): void {
    for (const token of [...this.#entries.keys()]) this.#remove(token, error);
  }

  #remove(token: string, error: unknown): void {
    const entry = this.#entries.get(token);
    if (entry === undefined) return;
    this.#entries.delete(token);
    const share = this.#shares.get(entry.caller)! - 1;
    if (share === 0) this.#shares.delete(entry.caller);
    else this.#shares.set(entry.caller, share);
    entry.stream.remove(error);
  }

  #makeRoom(caller: string): void {
    const { streams, streamsPerCaller } = this.#config;
    if ((this.#shares.get(caller) ?? 0) >= Math.min(streamsPerCaller, streams))
      this.#replace(`of this caller (streamsPerCaller ${streamsPerCaller})`, caller);
    if (this.#entries.size >= streams) this.#replace(`(streams ${streams})`);
  }

  /**
   * Removes an ended stream or, if there is none, the stream that has been without a connection
   * longest.
   */
  #replace(which: string, caller?: string): void {
    let last: string | undefined;
    let rank = Number.POSITIVE_INFINITY;
    for (const [token, { stream, caller: owner }] of this.#entries) {
      if (stream.leftAt === undefined || (caller !== undefined && owner !== caller)) continue;
      const own = stream.hasEnded ? stream.leftAt - ENDED : stream.leftAt;
      if (own >= rank) continue;
      rank = own;
      last = token;
    }
    if (last === undefined)
      throw failure('full', `the server keeps as many streams as it may ${which}; retry later`);
    this.#remove(last, failure('unknown', 'the stream was replaced by a newer one'));
  }

  /**
   * Keeps the bytes of all streams below their limit, by dropping items of the stream that holds
   * the most bytes.
   */
  #resized(change: number): void {
    this.#bytes += change;
    while (this.#bytes > this.#config.totalBytes && change > 0) {
      let largest: ServedStream<Item> | undefined;
      for (const { stream } of this.#entries.values())
        if (stream.bytes > (largest?.bytes ?? 0)) largest = stream;
      if (largest === undefined || !largest.shed()) return;
    }
  }
}

/** Returns the name of a caller: its proven id, otherwise the host of its endpoint. */
function callerOf({ nodeId, endpoint }: Remote): string {
  return nodeId ?? endpoint.replace(/:\d+$/, '');
}

/**
 * A time in milliseconds that exceeds any time on a clock, so that ended streams are removed first.
 */
const ENDED = 2 ** 52;
