// Checks descriptions that come from a file.

import { TransportError } from '@trunkline/transport-core';
import { type ProtocolDescription, protocolDescription } from './description.ts';
import { refuseDeep } from './refuse-deep.ts';

/**
 * Returns a description that was stored as JSON. Throws `invalid_argument`, which names the first
 * wrong member, for any other value, and for one that nests deeper than 500 levels.
 */
export function parseProtocolDescription(value: unknown): ProtocolDescription {
  const { success, data, error } = protocolDescription.safeParse(refuseDeep(value));
  if (success) return data as ProtocolDescription;
  const [issue] = error!.issues;
  throw new TransportError(
    'invalid_argument',
    `the description of a protocol: ${issue?.path.join('.') || 'value'}: ${issue?.message}`,
  );
}
