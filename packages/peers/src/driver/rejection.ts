// Why a link came to nothing, by its error.

import type { Reason, TransportError } from '@trunkline/transport-core';
import type { Rejection } from '../types.ts';

export function rejectionOf({ code, reason }: TransportError): Rejection {
  if (reason !== undefined && BY_REASON[reason] !== undefined) return BY_REASON[reason];
  return code === 'failed_precondition' ? 'incompatible' : code === 'unavailable' ? 'unreachable' : 'failed';
}

const BY_REASON: Partial<Record<Reason, Rejection>> = {
  denied: 'denied',
  duplicate: 'duplicate',
  refused: 'filtered',
  wrong_network: 'incompatible',
  wrong_version: 'incompatible',
  wrong_preamble: 'incompatible',
  self: 'self',
  full: 'full',
};
