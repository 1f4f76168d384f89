// What a session is made of, and whom it reports to: the driver's side of it.

import type { TransportError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { Hello } from '../wire/hello.ts';
import type { Calls } from './callee.ts';
import type { Channel } from './channel.ts';
import type { ProtocolsVisitor } from './channels.ts';
import type { GreeterOptions } from './greeter.ts';
import type { Link } from './link.ts';
import type { KeepAlive } from './liveness.ts';
import type { OutCall } from './out-call.ts';

/** What a session reports to its driver. */
export interface SessionVisitor extends Calls, ProtocolsVisitor {
  /** The peer's HELLO was read and nothing speaks against it: answer with `consent` or `refuse`, now or later. */
  greeted(hello: Hello): void;
  up(): void;
  /** It takes no new calls: the pool forgets it. Those that waited come back in order. */
  leaving(waiting: OutCall[]): void;
  /** Replies of a channel have drained: its calls may be dispatched again. */
  roomForReplies(channel: Channel): void;
  /** It is over, exactly once; calls that no handler can have seen come back, in order. */
  down(error: TransportError, unsent: OutCall[]): void;
}

export interface SessionOptions extends Pick<Link, 'writer' | 'port' | 'limits' | 'memory' | 'allocate' | 'count'>, GreeterOptions {
  readonly side: 'dialler' | 'acceptor';
  readonly visitor: SessionVisitor;
  /** What the layer proved of the peer. */
  readonly proven: string | undefined;
  readonly keepAlive: KeepAlive;
  readonly idleTimeout: number;
  readonly handshakeTimeout: number;
  readonly random: Random;
  /** The layer below does not want this peer: it is told so, and nothing else. */
  readonly refused: TransportError | undefined;
  readonly now: number;
  /** `limits.rate.send` is set: see Pace. */
  readonly isBounded?: boolean;
  /** Chunks come in memory that is read into again: see Shelf. */
  readonly copies?: boolean;
}

/** How far a session has come. */
export type Phase =
  /** Its first bytes, or its HELLO, are awaited. */
  | 'hello'
  /** The driver is asked. */
  | 'consent'
  /** An acceptor waits for READY. */
  | 'ready'
  | 'up'
  /** Nothing new is opened here; what is open goes on. */
  | 'leaving'
  | 'closed';
