// The functions of Noise in plain JavaScript (@noble), which browsers get as '#noise-primitives'.
// Node gets primitives.node.ts, which computes the same bytes several times faster.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from '@trunkline/transport-core/backend';
import { type KeyPair, type Suite, TAG } from './framework/suite.ts';

/** 25519, ChaChaPoly and SHA256. */
export const suite: Suite = {
  keyPair: (secret) => new NobleKeyPair(secret),
  hash: (first, second) => sha256.create().update(first).update(second).digest(),
  hmac: (key, data) => hmac(sha256, key, data),
  seal({ key, nonce }, ad, plaintext, target, at) {
    chacha20poly1305(key, nonce, ad).encrypt(
      plaintext,
      target.subarray(at, at + plaintext.length + TAG),
    );
  },
  open({ key, nonce }, ad, ciphertext) {
    if (ciphertext.length < TAG) return undefined;
    try {
      return chacha20poly1305(key, nonce, ad).decrypt(ciphertext) as Bytes;
    } catch {
      return undefined;
    }
  },
};

class NobleKeyPair implements KeyPair {
  readonly publicKey: Uint8Array;
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.publicKey = x25519.getPublicKey(secret);
  }

  agree(publicKey: Uint8Array): Uint8Array | undefined {
    try {
      return x25519.getSharedSecret(this.#secret, publicKey);
    } catch {
      // The library rejects a result of all zeros.
      return undefined;
    }
  }
}
