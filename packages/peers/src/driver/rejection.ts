// Maps errors of connections to the `PeerRejection` that events report.

import { type ErrorReason, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { twinOf } from '../admission/twins.ts';
import type { PeerRejection } from '../types.ts';

/**
 * Returns the name of a connection's failure in events: it depends on the reason of the error if
 * BY_REASON contains it, otherwise on the code.
 */
export function rejectionOf(error: TransportError, direction: 'in' | 'out'): PeerRejection {
  const { code, reason } = error;
  if (twinOf(error) !== undefined) return 'twin';
  // The other end's `admit` threw an error without a reason. Such an error is sent as 'refused'
  // with its code.
  if (reason === 'refused' && code === 'failed_precondition') return 'incompatible';
  if (reason !== undefined && BY_REASON[reason] !== undefined) return BY_REASON[reason];
  return code === 'failed_precondition'
    ? 'incompatible'
    : code === 'unavailable' && direction === 'out'
      ? 'unreachable'
      : 'failed';
}

/** Wraps an error that a filter threw, for both ends to see. Returns a TransportError unchanged. */
export function filterRefusal(filter: string, error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  return reasonError(
    'refused',
    `${filter} of the other end refused: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  );
}

const BY_REASON: Partial<Record<ErrorReason, PeerRejection>> = {
  denied: 'denied',
  duplicate: 'duplicate',
  refused: 'filtered',
  wrong_network: 'incompatible',
  wrong_version: 'incompatible',
  wrong_preamble: 'incompatible',
  self: 'self',
  full: 'full',
  identity_mismatch: 'unproven',
  bad_certificate: 'unproven',
  expired_certificate: 'unproven',
};
