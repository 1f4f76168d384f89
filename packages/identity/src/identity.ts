// Who a node is: a key, and the id that is made of its public half.

import { hexToBytes } from '@noble/hashes/utils.js';
import { optionsSchema, parseOptions, type Random, randomBytes, reference, systemRandom, withDefault } from '@trunkline/transport-core';
import { openSecret } from '#primitives';
import { bigEndian } from './bytes.ts';
import { idOfSpki } from './node-id.ts';
import { source } from './option-fields.ts';
import { encodePem } from './pem.ts';
import { encodePkcs8 } from './pkcs8.ts';
import { encodeSpki, KEY_TYPES, type KeyType } from './public-key.ts';
import type { SecretKey } from './secret-key.ts';
import { P256_ORDER } from './strict-signature.ts';

/** A key pair and its node id. What prints or copies an identity (console.log, JSON.stringify, a spread) leaves its secret out. */
export interface Identity {
  /** SHA-256 of `publicKey`: 64 lower-case hex digits. */
  readonly nodeId: string;
  readonly type: KeyType;
  /** SPKI, DER: 44 bytes (Ed25519) or 91 (P-256). Not to be written into. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** The private key, PKCS#8 in PEM: for `tls.key`, and for a file that only its owner can read. Neither enumerable nor printed. */
  readonly key: string;
  /**
   * 64 bytes, at once. Ed25519: the same each time. P-256: ECDSA over SHA-256, r and s of 32 bytes each, with the lower s; the same
   * each time in browsers (RFC 6979), another each time in Node. A TypeError if `message` is no Uint8Array.
   */
  sign(message: Uint8Array): Uint8Array<ArrayBuffer>;
}

export interface CreateIdentityOptions {
  /** Default 'ed25519'; 'p256' for where Ed25519 is not allowed (FIPS) or not understood. Both give 128 bits of security. */
  readonly type?: KeyType | undefined;
  /** Default `systemRandom`, which is cryptographic; inside a simulation it comes from the seed. Any other makes keys that others can guess: for tests. */
  readonly random?: Random | undefined;
}

/** A new identity; with a seeded `random`, the same for the same seed. A wrong option is a TypeError that names it. */
export function createIdentity(options: CreateIdentityOptions = {}): Identity {
  const { type, random = systemRandom } = parseOptions(schema, options, 'createIdentity');
  const draw = () => checkDraw(random());
  return openIdentity(type, type === 'ed25519' ? randomBytes(draw, 32) : randomScalar(draw));
}

/** The identity of 32 secret bytes; P-256: of a number from 1 to n − 1, or it throws. */
export function openIdentity(type: KeyType, secret: Uint8Array): Identity {
  return new KeyIdentity(type, secret.slice(), openSecret(type, secret));
}

/** What holds a key without showing it: private fields are in no listing, and accessors of a prototype in no copy. */
class KeyIdentity implements Identity {
  readonly nodeId: string;
  readonly type: KeyType;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly #secret: Uint8Array;
  readonly #opened: SecretKey;

  constructor(type: KeyType, secret: Uint8Array, opened: SecretKey) {
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

  sign(message: Uint8Array): Uint8Array<ArrayBuffer> {
    if (!(message instanceof Uint8Array)) throw new TypeError(`identity.sign: the message must be a Uint8Array, got ${typeof message}`);
    return this.#opened.sign(message);
  }

  /** Node's util.inspect, which can be told to call accessors. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    return { nodeId: this.nodeId, type: this.type, publicKey: this.publicKey };
  }
}

/** A number from 1 to n − 1. It is made of 128 bits more than it has, so that none is likelier than another (FIPS 186-5, A.2.1). */
function randomScalar(random: Random): Uint8Array {
  const scalar = (bigEndian(randomBytes(random, 48)) % (P256_ORDER - 1n)) + 1n;
  return hexToBytes(scalar.toString(16).padStart(64, '0'));
}

/** A source that is broken would make a key of zeros. */
function checkDraw(value: number): number {
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw new TypeError('createIdentity: random: must give numbers from 0 up to 1, 1 excluded');
}

const schema = optionsSchema({
  type: withDefault(
    reference<KeyType>((value) => KEY_TYPES.includes(value as KeyType), KEY_TYPES.map((type) => `'${type}'`).join(' or ')),
    'ed25519',
  ),
  random: source(),
});
