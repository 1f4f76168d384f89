// The number that a plain NATS service sends for each error code.

import type { ErrorCode } from '@trunkline/transport-core';

/**
 * Returns the value of `Nats-Service-Error-Code`: an HTTP status code, as NATS services use it. The
 * mapping is the one that gRPC's gateway uses for gRPC codes; `shutdown`, which gRPC lacks, is 503.
 */
export function statusOf(code: ErrorCode): number {
  return STATUS[code];
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  cancelled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
  shutdown: 503,
};
