// Decides how soon to dial again: gRPC's connection back-off computes the wait after a number of
// failures in a row, and some kinds of errors make the wait shorter or longer.

import type { ErrorReason, Random, TransportError } from '@trunkline/transport-core';

/**
 * The time to wait before a peer is dialed again. gRPC's values are 1 s, 120 s and 0.2. If
 * `interval` equals `max`, the wait is constant (Orbs).
 */
export interface BackOffOptions {
  /**
   * Milliseconds to wait after the first failure; each further failure makes the wait 1.6 times as
   * long.
   */
  readonly interval: number;
  /** Maximum wait in milliseconds, before jitter. */
  readonly max: number;
  /**
   * Random fraction of the wait that is added or subtracted, 0 to 1; 0.2 means ±20 %. Spreads the
   * dials of clients that lost their server at the same time.
   */
  readonly jitter: number;
}

/** Returns the time to wait, in milliseconds, after `failures` (1 or more) failures in a row. */
export function backOffDelay(
  { interval, max, jitter }: BackOffOptions,
  failures: number,
  random: Random,
): number {
  const delay = Math.min(max, interval * FACTOR ** Math.min(failures - 1, MOST_STEPS));
  return delay * (1 + jitter * (2 * random() - 1));
}

/**
 * Returns true if a connection was lost by chance rather than on purpose, so that the peer may be
 * dialed again at once (Tendermint's ErrTransientErr).
 */
export function isTransient({ reason, code }: TransportError): boolean {
  return reason === undefined ? code === 'unavailable' : TRANSIENT.has(reason);
}

/**
 * Returns true if the peer refuses this node, is incompatible with it, or turned out to be another
 * node or this node itself, so that dialing again soon can't help.
 */
export function isPointless({ reason }: TransportError): boolean {
  return reason !== undefined && POINTLESS.has(reason);
}

/** https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md */
const FACTOR = 1.6;
/**
 * Maximum exponent, so that the number stays finite; no wait is that long (1.6 ^ 100 ≈ 10 ^ 20).
 */
const MOST_STEPS = 100;
const TRANSIENT: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  'reset',
  'ping_timeout',
  'dial_timeout',
  'handshake_timeout',
  'closed',
]);
const POINTLESS: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  'self',
  'identity_mismatch',
  'duplicate',
  'full',
  'denied',
  'refused',
  'wrong_network',
  'wrong_version',
  'version_mismatch',
  'channel_mismatch',
  'no_shared_protocol',
  'bad_certificate',
  'expired_certificate',
]);
