// What happens inside, told to whoever measures: metrics, tracing, logs and the dashboard are observers. Nothing waits for one.

import type { TransportError } from './errors.ts';
import type { Remote } from './remote.ts';

/** Something that happened to a connection or a listener. */
export type ObserverEvent =
  | { type: 'up'; remote: Remote }
  | { type: 'down'; remote: Remote; cause?: TransportError | undefined }
  /** Both ends have mounted this protocol, or its channel, and can't speak it: `version_mismatch` or `channel_mismatch`. Once a connection. */
  | { type: 'mismatch'; remote: Remote; protocol: string; error: TransportError }
  /** A connection that ended before it was up: wrong preamble, refused, timed out. */
  | { type: 'rejected'; endpoint: string; direction: 'in' | 'out'; error: TransportError }
  | { type: 'dialFailed'; target: string; error: TransportError }
  /** The listener broke; it is listened again in `retryIn` milliseconds. */
  | { type: 'listenFailed'; error: TransportError; retryIn: number }
  /** The system could not accept a connection (too many open files, say); it listens on. */
  | { type: 'acceptFailed'; error: TransportError }
  /** A callback that the user gave (admit, hello, resolve, an observer's own excepted) or a handler's clean-up threw. */
  | { type: 'callbackFailed'; callback: string; error: unknown };

/**
 * What is counted, because nobody else would be told:
 * - onewayLost: a one-way whose `send` had resolved was on a connection that broke, before credit for it came back. Credit comes back when
 *   the handler has ended, so one whose handler still ran counts, too
 * - onewayDropped: one that nobody takes, whose request its codec refused, or for which `limits.total.bytes` or `limits.memory` has no room
 * - lateReply: an answer to a call that had settled (its deadline passed, or it was cancelled)
 * - lateAnswer: a handler answered when its caller was gone
 * - unknownFrame: a frame of a kind (32 and above) that this version does not know
 * - unknownAnswer: an answer to a call that was never made
 * - duplicateRequest: a request on an id that was open
 * - refusedCall: a call refused unprocessed: queue full, `calls`, `streams`, memory
 * - slowed: a connection whose peer cost more work units than a turn has was not read further until others had been served
 * - unprocessedTaken: an iterator that stopped with calls it had been given
 */
export type Counter =
  | 'onewayLost'
  | 'onewayDropped'
  | 'lateReply'
  | 'lateAnswer'
  | 'unknownFrame'
  | 'unknownAnswer'
  | 'duplicateRequest'
  | 'refusedCall'
  | 'slowed'
  | 'unprocessedTaken';

/** Hooks, all optional. They are called synchronously and must not throw; one that throws is ignored. */
export interface Observer {
  event?(event: ObserverEvent): void;
  count?(counter: Counter, amount: number, remote: Remote | undefined): void;
}
