// The options of a session, and the interface through which it reports to its driver.

import type { TransportError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { Hello } from '../wire/hello.ts';
import type { Calls } from './callee.ts';
import type { Channel } from './channel.ts';
import type { ProtocolsVisitor } from './channels.ts';
import type { HelloExchangeOptions } from './hello-exchange.ts';
import type { KeepAlive } from './liveness.ts';
import type { OutCall } from './out-call.ts';
import type { SessionContext } from './session-context.ts';

/** Receives the events of a session; implemented by the driver. */
export interface SessionVisitor extends Calls, ProtocolsVisitor {
  /**
   * The peer's HELLO was read and is acceptable. Answer with `consent` or `break`, now or later.
   */
  greeted(hello: Hello): void;
  /** Called when the hello is over, so calls may flow in both directions. */
  up(): void;
  /**
   * The session takes no new calls, so the pool must forget it. `waiting` has the calls that waited
   * for room, in order.
   */
  leaving(waiting: OutCall[]): void;
  /** The queued replies of a channel have drained, so its calls may be dispatched again. */
  roomForReplies(channel: Channel): void;
  /**
   * The session is over; called exactly once. `unsent` has the calls that no handler can have seen,
   * in order.
   */
  down(error: TransportError, unsent: OutCall[]): void;
}

export interface SessionOptions
  extends Pick<SessionContext, 'writer' | 'port' | 'limits' | 'memory' | 'allocate' | 'count'>,
    HelloExchangeOptions {
  readonly side: 'dialer' | 'acceptor';
  readonly visitor: SessionVisitor;
  /** The node id that the security layer proved for the peer; undefined if it proved none. */
  readonly proven: string | undefined;
  readonly keepAlive: KeepAlive;
  /**
   * Milliseconds without activity after which the dialer leaves; the acceptor waits twice as long.
   */
  readonly idleTimeout: number;
  /** Milliseconds from the creation of the session within which the hello must be over. */
  readonly handshakeTimeout: number;
  readonly random: Random;
  /** Set if the layer below refuses this peer: the session only tells the peer why, and ends. */
  readonly refused: TransportError | undefined;
  readonly now: number;
  /** True if `limits.rate.send` is set: see BatchPacer. */
  readonly isBounded?: boolean;
  /**
   * True if all chunks arrive in one piece of memory that is overwritten by the next read: see
   * PayloadRetainer.
   */
  readonly copies?: boolean;
}

/** The phases of a session. */
export type Phase =
  /** Waits for the peer's preamble or HELLO. */
  | 'hello'
  /** Waits for the driver's decision about the peer. */
  | 'consent'
  /** The acceptor waits for READY. */
  | 'ready'
  | 'up'
  /** This end opens nothing new; open calls continue. */
  | 'leaving'
  | 'closed';
