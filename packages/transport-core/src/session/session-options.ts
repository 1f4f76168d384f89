// The options of a session, and the interface through which it reports to its driver.

import type { TransportError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { FrameWriter } from '../wire/frame.ts';
import type { Hello } from '../wire/hello.ts';
import type { Channel } from './channel.ts';
import type { ProtocolsVisitor } from './channels.ts';
import type { HelloExchangeOptions } from './hello-exchange.ts';
import type { KeepAlive } from './liveness.ts';
import type { OutCall } from './out-call.ts';
import type { Calls } from './served-calls.ts';
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
  extends Pick<SessionContext, 'port' | 'limits' | 'memory' | 'allocate' | 'count'>,
    HelloExchangeOptions {
  readonly visitor: SessionVisitor;
  readonly writer: FrameWriter;
  readonly keepAlive: KeepAlive;
  /**
   * Milliseconds without activity after which the dialer leaves; the acceptor waits twice as long.
   */
  readonly idleTimeout: number;
  readonly random: Random;
  /** True if `limits.rate.send` is set: see BatchPacer. */
  readonly isBounded?: boolean;
  /**
   * True if all chunks arrive in one piece of memory that is overwritten by the next read: see
   * PayloadRetainer.
   */
  readonly copies?: boolean;
}
