// Refuses descriptions that are nested deeply, because other files here walk schemas recursively.

import { TransportError } from '@trunkline/transport-core';

/**
 * Returns the description. Throws `invalid_argument` if it nests deeper than 500 levels: real
 * schemas have fewer than a hundred, and deeper ones could overflow the stack.
 */
export function refuseDeep<T>(description: T): T {
  if (!isDeep(description, DEEPEST)) return description;
  const { name } = (description ?? {}) as { name?: unknown };
  throw new TransportError(
    'invalid_argument',
    `the description of the protocol ${JSON.stringify(String(name).slice(0, 64))}: nests deeper than ${DEEPEST} levels; get it from a node that you trust`,
  );
}

function isDeep(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((inner) => isDeep(inner, left - 1));
}

const DEEPEST = 500;
