// Identities: a node's key pair, and the node id derived from its public key.

import { hexToBytes } from '@noble/hashes/utils.js';
import { type Random, systemRandom } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import {
  option,
  optionsSchema,
  parseOptions,
  randomBytes,
} from '@trunkline/transport-core/backend';
import { openSecret } from '#primitives';
import { bigEndian } from './bytes.ts';
import { idOfSpki } from './node-id.ts';
import { source } from './option-fields.ts';
import { encodePem } from './pem.ts';
import { encodePkcs8 } from './pkcs8.ts';
import { encodeSpki, type IdentityKeyType, KEY_TYPES } from './public-key.ts';
import type { SecretKey } from './secret-key.ts';
import { P256_ORDER } from './strict-signature.ts';
import { verifySignature } from './verify-signature.ts';

/**
 * A key pair and its node id. Anything that prints or copies an identity (console.log,
 * JSON.stringify, a spread) leaves the private key out.
 */
export interface Identity {
  /** The node id: SHA-256 of `publicKey`, as 64 lower-case hex digits. */
  readonly nodeId: string;
  /** The type of the key. */
  readonly type: IdentityKeyType;
  /** The public key as SPKI in DER: 44 bytes for Ed25519, 91 for P-256. Do not modify it. */
  readonly publicKey: Bytes;
  /**
   * The private key, PKCS#8 in PEM, for `tls.key` and for a file that only its owner can read. It
   * is neither enumerable nor printed.
   */
  readonly key: string;
  /**
   * Signs a message synchronously and returns 64 bytes. Throws a TypeError if `message` is not a
   * Uint8Array.
   * - Ed25519: the signature is deterministic.
   * - P-256: ECDSA over SHA-256, r and s of 32 bytes each, with the lower s. It is deterministic in
   *   browsers (RFC 6979) and randomized in Node.
   */
  sign(message: Uint8Array): Bytes;
  /** Verifies a signature of any node, as `verifySignature` does. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** Options of {@link createIdentity}. */
export interface CreateIdentityOptions {
  /**
   * The type of key. Default 'ed25519'. Use 'p256' if Ed25519 is not allowed (FIPS) or not
   * supported. Both give 128 bits of security.
   */
  readonly type?: IdentityKeyType | undefined;
  /**
   * The source of randomness. Default `systemRandom`, which is cryptographically secure; inside a
   * simulation it is derived from the seed. Use any other source only in tests, because it makes
   * keys that others can guess.
   */
  readonly random?: Random | undefined;
}

/**
 * Creates a new identity. A seeded `random` gives the same identity for the same seed. Throws a
 * TypeError that names the option if one is invalid.
 */
export function createIdentity(options: CreateIdentityOptions = {}): Identity {
  const { type, random = systemRandom } = parseOptions(schema, options, 'createIdentity');
  const draw = () => checkDraw(random());
  return openIdentity(type, type === 'ed25519' ? randomBytes(draw, 32) : randomScalar(draw));
}

/**
 * Returns the identity of a secret of 32 bytes, which must not be changed later: the build for
 * browsers signs with it. Throws a RangeError for a P-256 secret that is not a number from 1 to
 * n − 1.
 */
export function openIdentity(type: IdentityKeyType, secret: Uint8Array): Identity {
  return new KeyIdentity(type, secret.slice(), openSecret(type, secret));
}

/**
 * Holds a key without exposing it: private fields do not show up in listings, and accessors of a
 * prototype are not copied.
 */
class KeyIdentity implements Identity {
  readonly nodeId: string;
  readonly type: IdentityKeyType;
  readonly publicKey: Bytes;
  readonly #secret: Uint8Array;
  readonly #opened: SecretKey;

  constructor(type: IdentityKeyType, secret: Uint8Array, opened: SecretKey) {
    const publicKey = encodeSpki({ type, point: opened.point });
    this.nodeId = idOfSpki(publicKey);
    this.type = type;
    this.publicKey = publicKey;
    this.#secret = secret;
    this.#opened = opened;
  }

  get key(): string {
    return encodePem('PRIVATE KEY', encodePkcs8(this.type, this.#secret, this.#opened.point));
  }

  sign(message: Uint8Array): Bytes {
    if (!(message instanceof Uint8Array))
      throw new TypeError(`identity.sign: the message must be a Uint8Array, got ${typeof message}`);
    return this.#opened.sign(message);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    return verifySignature(publicKey, message, signature);
  }

  /** Overrides the output of Node's util.inspect, which can be configured to call accessors. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    return { nodeId: this.nodeId, type: this.type, publicKey: this.publicKey };
  }
}

/**
 * Returns a number from 1 to n − 1. It is reduced from a number with 128 extra bits, so that all
 * results are practically equally likely (FIPS 186-5, A.2.1).
 */
function randomScalar(random: Random): Uint8Array {
  const scalar = (bigEndian(randomBytes(random, 48)) % (P256_ORDER - 1n)) + 1n;
  return hexToBytes(scalar.toString(16).padStart(64, '0'));
}

/** Rejects values of a broken source, which could otherwise produce a key of zeros. */
function checkDraw(value: number): number {
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw new TypeError(
    'createIdentity: random: must return numbers from 0 (included) to 1 (excluded)',
  );
}

const schema = optionsSchema({
  type: option.withDefault(
    option.reference<IdentityKeyType>(
      (value) => KEY_TYPES.includes(value as IdentityKeyType),
      KEY_TYPES.map((type) => `'${type}'`).join(' or '),
    ),
    'ed25519',
  ),
  random: source(),
});
