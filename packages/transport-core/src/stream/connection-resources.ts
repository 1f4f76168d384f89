// The parts of a transport that all its connections share, the properties of a new connection, and
// the options of a session that follow from both.

import type { CommonConfig } from '../common-options.ts';
import type { TransportError } from '../errors.ts';
import type { TransportCounter } from '../observer.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import type { Mounted } from '../session/channels.ts';
import type { Calls } from '../session/in-call.ts';
import type { Memory } from '../session/memory.ts';
import type { OutCall } from '../session/out-call.ts';
import type { SessionOptions } from '../session/session.ts';
import { allocate, freeChunk } from '../system-runtime.ts';
import { FRAME_OVERHEAD } from '../wire/frame.ts';
import type { Introduction } from '../wire/hello.ts';
import type { Membership } from './membership.ts';
import type { AbortQueue, ReadScheduler } from './scheduler.ts';
import type { HandshakeSlot, StreamConnection } from './stream-layer.ts';
import type { Ticker } from './ticker.ts';

/** The parts of a transport that its connections share. */
export interface ConnectionResources {
  readonly config: CommonConfig;
  readonly membership: Membership | undefined;
  readonly self: Introduction;
  /** The identity that is shown to peers that prove no id. */
  readonly selfUnproven: Introduction;
  readonly mounts: ReadonlyMap<number, Mounted>;
  readonly ticker: Ticker;
  readonly scheduler: ReadScheduler;
  readonly aborts: AbortQueue;
  readonly buffers: BufferPool;
  readonly memory: Memory;
  readonly rates: { readonly send: TokenBuckets; readonly receive: TokenBuckets };
  readonly random: Random;
  wakeBy(time: number): void;
  count(counter: TransportCounter, amount: number, remote: Remote | undefined): void;
  /** Reports that a user's callback failed. */
  callbackFailed(callback: string, error: unknown): void;
}

/** The properties of a new connection. */
export interface ConnectionInit {
  readonly id: string;
  readonly direction: 'in' | 'out';
  /** The dialed target, as written; undefined on an accepted connection. */
  readonly target: string | undefined;
  /** The node id that the caller wants to reach. */
  readonly expected: string | undefined;
  /** The error with which this end refuses any peer on this connection. */
  readonly refused: TransportError | undefined;
  /** The handshake slot of an accepted connection. */
  readonly slot: HandshakeSlot | undefined;
  /**
   * Called once for a dialed connection: without an error when it is up, or with the error that
   * prevented it.
   */
  readonly opened: ((error: TransportError | undefined) => void) | undefined;
}

/** The end of a session. */
export interface ConnectionEnd {
  readonly wasUp: boolean;
  /** The calls that no handler can have seen, in order. */
  readonly unsent: OutCall[];
}

/** A connection as its session sees it. */
export type ConnectionSide = SessionOptions['visitor'] & { readonly remote: Remote | undefined };

/** The output of a connection as its session sees it. */
export type OutputSide = SessionOptions['port'] & Pick<SessionOptions, 'writer' | 'preamble'>;

/**
 * Returns the options of a session. They are one object literal: when a part of them was spread
 * into the rest, V8 kept a hidden class of 650 bytes for each connection.
 */
export function sessionOptions(
  host: ConnectionResources & Calls,
  stream: StreamConnection,
  { direction, slot, refused }: ConnectionInit,
  connection: ConnectionSide,
  output: OutputSide,
): SessionOptions {
  const { config, memory, self, selfUnproven, mounts, random, ticker } = host;
  const now = ticker.now();
  const { limits, keepAlive, idleTimeout, handshakeTimeout } = config;
  return {
    visitor: connection,
    calls: host,
    writer: output.writer,
    port: output,
    preamble: output.preamble,
    count: (counter, amount) => host.count(counter, amount, connection.remote),
    side: direction === 'out' ? 'dialer' : 'acceptor',
    limits: stream.credit === undefined ? limits : withCredit(limits, stream.credit),
    memory,
    allocate,
    freeMemory: freeChunk,
    self: stream.nodeId === undefined ? selfUnproven : self,
    proven: stream.nodeId,
    observed: stream.endpoint.slice(0, OBSERVED),
    mounts,
    keepAlive,
    idleTimeout,
    // The time that the layer below took, or that was spent waiting for a turn, is subtracted.
    handshakeTimeout: Math.max(handshakeTimeout - (now - (slot?.since ?? now)), 0),
    random,
    refused: stream.refused ?? refused,
    now,
    isBounded: limits.rate.send !== undefined,
    copies: stream.reuses === true,
  };
}

function withCredit(
  limits: CommonConfig['limits'],
  credit: NonNullable<StreamConnection['credit']>,
): CommonConfig['limits'] {
  return { ...limits, credit: { ...limits.credit, ...(credit as typeof limits.credit) } };
}

/** The maximum length of the observed address in a hello. */
const OBSERVED = 256;

// A token bucket for limits.rate: bytes per second, with bursts of up to one second's worth.

/** A token bucket with a capacity of one second. */
export class TokenBucket {
  readonly #rate: number;
  #tokens: number;
  #last: number;

  /** @param rate bytes per second. */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#tokens = rate;
    this.#last = now;
  }

  /**
   * Spends `bytes`. Returns the number of milliseconds until more may be spent; 0 if tokens are
   * left.
   */
  take(bytes: number, now: number): number {
    this.#tokens =
      Math.min(this.#rate, this.#tokens + ((now - this.#last) * this.#rate) / 1_000) - bytes;
    this.#last = now;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / this.#rate);
  }
}

/**
 * The token buckets of one direction. A peer that proves its id has one for all its connections,
 * also for those that it opens later.
 */
export class TokenBuckets {
  readonly #rate: number | undefined;
  /** The buckets of proven ids; the id whose last connection opened first is forgotten first. */
  readonly #byNode = new Map<string, TokenBucket>();

  /** @param rate bytes per second; undefined if there is no limit. */
  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  /** Returns the bucket of a new connection; undefined if there is no limit. */
  of(nodeId: string | undefined, now: number): TokenBucket | undefined {
    if (this.#rate === undefined) return undefined;
    if (nodeId === undefined) return new TokenBucket(this.#rate, now);
    const bucket = this.#byNode.get(nodeId) ?? new TokenBucket(this.#rate, now);
    this.#byNode.delete(nodeId);
    this.#byNode.set(nodeId, bucket);
    for (const oldest of this.#byNode.keys()) {
      if (this.#byNode.size <= MOST) break;
      this.#byNode.delete(oldest);
    }
    return bucket;
  }
}

/** Maximum number of ids: the default of `limits.connections`. */
const MOST = 16_384;

// A pool of batch buffers, shared by all connections of a transport. A buffer is returned once it
// has been written, or once its connection has ended.

/** A pool of buffers of one size. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];
  /** The size of a buffer in bytes. */
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  /**
   * Returns a buffer of at least `size` bytes, with arbitrary content. A buffer that is larger than
   * those of the pool has exactly `size` bytes and is not kept later. This is a property because
   * encoders receive it as a function.
   */
  readonly take = (size: number): Uint8Array =>
    size <= this.size ? (this.#free.pop() ?? allocate(this.size)) : allocate(size);

  /**
   * Returns a buffer to the pool; it must not be used or returned again after that. Ignores
   * undefined and buffers of another size.
   */
  give(buffer: Uint8Array | undefined): void {
    if (buffer !== undefined && buffer.length === this.size && this.#free.length < KEPT)
      this.#free.push(buffer);
  }
}

/**
 * Returns the size of a batch: a packet, its headers, and the small frames that are sent with it.
 */
export function batchSize(packet: number): number {
  return packet + FRAME_OVERHEAD + 1024;
}

/** Maximum number of free buffers that are kept; further ones are left to the garbage collector. */
const KEPT = 32;
