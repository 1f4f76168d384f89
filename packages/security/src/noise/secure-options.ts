// The options of a secured layer, and their validation.

import { type Clock, type Random, systemRandom } from '@trunkline/transport-core';
import {
  commonOptions,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import type { Identity } from '../identity/identity.ts';
import { isIdentity } from '../identity/is-identity.ts';
import { nodeIdsOption, type PeerLists } from '../identity/node-filter.ts';
import { nodeIdOf } from '../identity/node-id.ts';

/** Options of a channel that Noise secures: this end's identity, and the peers that it accepts. */
export interface NoiseOptions extends PeerLists {
  /** The identity that this end proves: `createIdentity()` of @trunkline/security. */
  readonly identity: Identity;
  /**
   * The clock of the transport that uses this layer, if the transport has one of its own. Default:
   * for `secured`, the transport's clock; for `createNoiseStreamLayer`, the clock of the underlying
   * layer, or the system clock.
   */
  readonly clock?: Clock | undefined;
  /**
   * The random source for keys. Default: `systemRandom`, which is cryptographic, and which a
   * simulation derives from its seed. With any other source, others may guess the keys, so set it
   * only in tests. If it returns a number outside [0, 1), a dial rejects with a TypeError.
   */
  readonly random?: Random | undefined;
}

/**
 * Returns the options without `clock`, which both callers default. Throws a TypeError that begins
 * with `name` and gives the path of an invalid option.
 */
export function parseSecureOptions(
  options: NoiseOptions,
  name: string,
): PeerLists & { identity: Identity; random: Random } {
  const {
    identity,
    clock,
    random = systemRandom,
    ...lists
  } = parseOptions(schema, options, name) as NoiseOptions;
  if (nodeIdOf(identity.publicKey) === identity.nodeId) return { identity, random, ...lists };
  throw new TypeError(
    `${name}: identity: must have the node id of its own public key, got ${JSON.stringify(identity.nodeId)}`,
  );
}

const schema = optionsSchema({
  identity: option.reference<Identity>(
    isIdentity,
    'an identity, as createIdentity and parseIdentity return it',
  ),
  allow: option.optional(nodeIdsOption),
  deny: option.optional(nodeIdsOption),
  clock: commonOptions.shape.clock,
  random: option.optional(option.callback<Random>()),
});
