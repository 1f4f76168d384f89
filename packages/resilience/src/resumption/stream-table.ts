// The streams that a server keeps, by token. The table decides which call may continue which
// stream, and which stream is removed when the table is full.

import type { Clock, Remote } from '@trunkline/transport-core';
import { sourceOf } from '@trunkline/transport-core/internal';
import { failure } from './failures.ts';
import type { ResumableConfig } from './resumable-options.ts';
import { ServedStream } from './served-stream.ts';

interface Entry<Item> {
  readonly stream: ServedStream<Item>;
  /**
   * The proven node id of the caller that opened the stream; only this node may continue it. If it
   * is undefined, any caller with the token may.
   */
  readonly nodeId: string | undefined;
  /** The caller against whose limit the stream counts. */
  readonly caller: Caller;
  readonly name: string;
}

/** The places and bytes that the streams of one caller take together. */
interface Caller {
  streams: number;
  bytes: number;
}

/** A bounded table of streams. */
export class StreamTable<Item> {
  readonly #clock: Clock;
  readonly #config: ResumableConfig;
  readonly #entries = new Map<string, Entry<Item>>();
  readonly #callers = new Map<string, Caller>();
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
   * Returns the stream of a token. A stream that another proven node opened counts as unknown.
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
    const name = callerOf(from);
    this.#makeRoom(this.#callers.get(name));
    const caller = this.#callers.get(name) ?? { streams: 0, bytes: 0 };
    this.#callers.set(name, caller);
    const holder = {
      resized: (change: number) => this.#resized(caller, change),
      expired: (error: unknown) => this.#remove(token, error),
    };
    const stream = new ServedStream<Item>(this.#clock, this.#config, holder);
    this.#entries.set(token, { stream, nodeId: from.nodeId, caller, name });
    caller.streams++;
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
    if (--entry.caller.streams === 0) this.#callers.delete(entry.name);
    entry.stream.remove(error);
  }

  #makeRoom(caller: Caller | undefined): void {
    const { streams, streamsPerCaller } = this.#config;
    const own = caller?.streams ?? 0;
    if (own >= Math.min(streamsPerCaller, streams))
      this.#replace(`of this caller (streamsPerCaller ${streamsPerCaller})`, (entry) =>
        entry.caller === caller ? rankOf(entry.stream) : undefined,
      );
    if (this.#entries.size < streams) return;
    const most = Math.max(...Array.from(this.#callers.values(), (each) => each.streams));
    this.#replace(`(streams ${streams})`, ({ stream, caller: { streams: held } }) =>
      stream.hasEnded || held === most ? rankOf(stream, held > own + 1) : undefined,
    );
  }

  /**
   * Removes the stream with the lowest rank.
   *
   * @param rank returns undefined for a stream that must stay
   */
  #replace(which: string, rank: (entry: Entry<Item>) => number | undefined): void {
    let last: string | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (const [token, entry] of this.#entries) {
      const own = rank(entry) ?? lowest;
      if (own >= lowest) continue;
      lowest = own;
      last = token;
    }
    if (last === undefined)
      throw failure('full', `the server keeps as many streams as it may ${which}; retry later`);
    this.#remove(last, failure('unknown', 'the stream was replaced by a newer one'));
  }

  /**
   * Keeps the bytes of all streams below their limit: the caller that holds the most bytes loses
   * the oldest items of its largest stream.
   */
  #resized(caller: Caller, change: number): void {
    caller.bytes += change;
    this.#bytes += change;
    while (this.#bytes > this.#config.totalBytes && change > 0) {
      let most: Entry<Item> | undefined;
      for (const entry of this.#entries.values()) {
        if (!entry.stream.canShed) continue;
        const more =
          most === undefined
            ? 1
            : entry.caller.bytes - most.caller.bytes || entry.stream.bytes - most.stream.bytes;
        if (more > 0) most = entry;
      }
      if (most === undefined) return;
      most.stream.shed();
    }
  }
}

/**
 * Returns the rank by which streams are removed, the lowest first: ended streams, then those that
 * have been without a connection for longest, and if `isTaken` those with a connection, the oldest
 * first. Undefined for a stream that must stay.
 */
function rankOf(
  { leftAt, hasEnded }: { readonly leftAt: number | undefined; readonly hasEnded: boolean },
  isTaken = false,
): number | undefined {
  if (leftAt === undefined) return isTaken ? STAGE : undefined;
  return hasEnded ? leftAt - STAGE : leftAt;
}

/** Returns the name of a caller: its proven id, otherwise the source of its endpoint. */
function callerOf({ nodeId, endpoint }: Remote): string {
  return nodeId ?? sourceOf(endpoint);
}

/** A number of milliseconds that exceeds any time on a clock. */
const STAGE = 2 ** 52;
