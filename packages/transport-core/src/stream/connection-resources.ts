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
import { allocate, freeChunk } from '../system-memory.ts';
import type { Introduction } from '../wire/hello.ts';
import type { AbortQueue } from './abort-queue.ts';
import type { BufferPool } from './buffers.ts';
import type { Membership } from './membership.ts';
import type { ReadScheduler } from './read-scheduler.ts';
import type { HandshakeSlot, StreamConnection } from './stream-layer.ts';
import type { Ticker } from './ticker.ts';
import type { TokenBuckets } from './token-bucket.ts';

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
