// What a secured layer is told.

import { type Identity, nodeIdOf } from '@trunkline/identity';
import { type Clock, callback, optional, optionsSchema, parseOptions, type Random, reference, systemRandom } from '@trunkline/transport-core';
import { nodeIds, type PeerLists } from './peers.ts';

export interface SecureOptions extends PeerLists {
  /** Who this end is, and proves to be: `createIdentity()` of @trunkline/identity. */
  readonly identity: Identity;
  /** The clock of the transport above, if that has one of its own. Default: that of the layer beneath, or the machine's. */
  readonly clock?: Clock | undefined;
  /**
   * What keys are drawn from. Default `systemRandom`, which is cryptographic, and inside a simulation comes from its seed. With any
   * other, others can guess the keys: for tests.
   */
  readonly random?: Random | undefined;
}

/** The options, complete; a TypeError of `name` says what is wrong by its path. */
export function parseSecureOptions(options: SecureOptions, name: string): PeerLists & { identity: Identity; random: Random } {
  const { identity, clock, random = systemRandom, ...lists } = parseOptions(schema, options, name) as SecureOptions;
  if (nodeIdOf(identity.publicKey) === identity.nodeId) return { identity, random, ...lists };
  throw new TypeError(`${name}: identity: must have the node id of its own public key, got ${JSON.stringify(identity.nodeId)}`);
}

function isIdentity(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { nodeId, publicKey, sign } = value as Partial<Identity>;
  return typeof nodeId === 'string' && publicKey instanceof Uint8Array && typeof sign === 'function';
}

function isClock(value: unknown): boolean {
  return ['now', 'setTimeout', 'clearTimeout', 'sleep', 'defer'].every((name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function');
}

const schema = optionsSchema({
  identity: reference<Identity>(isIdentity, 'an identity, as createIdentity and parseIdentity give it'),
  allow: optional(nodeIds),
  deny: optional(nodeIds),
  clock: optional(reference<Clock>(isClock, 'a Clock: now, setTimeout, clearTimeout, sleep and defer')),
  random: optional(callback<Random>()),
});
