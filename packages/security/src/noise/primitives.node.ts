// The functions of Noise, computed by OpenSSL. In Node, the import '#noise-primitives' is this
// file; elsewhere, it is primitives.ts. Both compute the same bytes.

import { Buffer } from 'node:buffer';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';
import { type KeyPair, type Suite, TAG } from './framework/suite.ts';

/** 25519, ChaChaPoly and SHA256. */
export const suite: Suite = {
  keyPair: (secret) => new NativeKeyPair(secret),
  hash: (first, second) => plain(createHash('sha256').update(first).update(second).digest()),
  hmac: (key, data) => plain(createHmac('sha256', key).update(data).digest()),
  seal({ key, nonce }, ad, plaintext, target, at) {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, AEAD);
    // Only Node's types demand the length of the plaintext, which other ciphers (CCM) need.
    if (ad !== undefined) cipher.setAAD(ad, { plaintextLength: plaintext.length });
    target.set(cipher.update(plaintext), at);
    cipher.final(); // Returns no bytes, but completes the tag.
    target.set(cipher.getAuthTag(), at + plaintext.length);
  },
  open({ key, nonce }, ad, ciphertext) {
    const length = ciphertext.length - TAG;
    if (length < 0) return undefined;
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, AEAD);
    decipher.setAuthTag(ciphertext.subarray(length));
    if (ad !== undefined) decipher.setAAD(ad, { plaintextLength: length });
    const plaintext = decipher.update(ciphertext.subarray(0, length));
    try {
      decipher.final(); // Checks the tag.
    } catch {
      return undefined;
    }
    // The memory that `update` has allocated, without the class Buffer.
    return new Uint8Array(plaintext.buffer as ArrayBuffer, plaintext.byteOffset, length);
  },
};

class NativeKeyPair implements KeyPair {
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;

  constructor(secret: Uint8Array) {
    this.#key = privateKey(secret);
    this.publicKey = plain(
      Buffer.from(createPublicKey(this.#key).export({ format: 'jwk' }).x!, 'base64url'),
    );
  }

  agree(publicKey: Uint8Array): Uint8Array | undefined {
    const other = createPublicKey({
      key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(publicKey).toString('base64url') },
      format: 'jwk',
    });
    try {
      return plain(diffieHellman({ privateKey: this.#key, publicKey: other }));
    } catch {
      // OpenSSL rejects a result of all zeros.
      return undefined;
    }
  }
}

/**
 * Creates the private key. The OpenSSL of Node 20 takes 0.3 ms to parse it as PKCS#8, but 3 µs as a
 * JWK. A JWK includes the public half. Older versions of Node ignore the given value and recompute
 * it; newer versions check it, but parse PKCS#8 fast.
 */
function privateKey(secret: Uint8Array): KeyObject {
  if (publicHalfIsChecked !== true) {
    try {
      const key = createPrivateKey({
        key: { kty: 'OKP', crv: 'X25519', d: Buffer.from(secret).toString('base64url'), x: '' },
        format: 'jwk',
      });
      publicHalfIsChecked = false;
      return key;
    } catch (error) {
      if (publicHalfIsChecked === false) throw error;
      publicHalfIsChecked = true;
    }
  }
  return createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
}

/**
 * Set when the first key is created: true if this version of Node rejected the key as a JWK with an
 * empty public half. From then on, keys are parsed as PKCS#8.
 */
let publicHalfIsChecked: boolean | undefined;

/** Returns a copy in memory of its own: a small Buffer keeps a pool of 8 KiB alive. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}

/** The DER prefix of the 32 bytes of an X25519 key (RFC 8410). */
const PKCS8: Uint8Array = Buffer.from('302e020100300506032b656e04220420', 'hex');

const AEAD = { authTagLength: TAG };
