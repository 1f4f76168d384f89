// The functions that Noise is built on: a Diffie-Hellman function, a cipher and a hash; in this
// case 25519, ChaChaPoly and SHA256 (Noise §12).

import type { Bytes } from '@trunkline/transport-core/backend';

/**
 * The functions of Noise_…_25519_ChaChaPoly_SHA256, all synchronous. `#noise-primitives` provides
 * one.
 */
export interface Suite {
  /** Returns the key pair of 32 secret bytes. */
  keyPair(secret: Uint8Array): KeyPair;
  /** Returns the SHA-256 of both arrays, concatenated. */
  hash(first: Uint8Array, second: Uint8Array): Uint8Array;
  /** Returns the HMAC-SHA-256. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /**
   * ChaCha20-Poly1305: writes the ciphertext and its tag, 16 bytes more than `plaintext`, into
   * `target` at offset `at`.
   * @param ad associated data; undefined for none
   */
  seal(
    use: KeyUse,
    ad: Uint8Array | undefined,
    plaintext: Uint8Array,
    target: Uint8Array,
    at: number,
  ): void;
  /** Returns the plaintext in new memory, or undefined if the ciphertext is not authentic. */
  open(use: KeyUse, ad: Uint8Array | undefined, ciphertext: Uint8Array): Bytes | undefined;
}

/** One use of a cipher key. */
export interface KeyUse {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes, unique among all uses of the key. */
  readonly nonce: Uint8Array;
}

/** An X25519 key pair. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * Returns the secret shared with a public key of 32 bytes: 32 bytes, or undefined if they are all
   * zeros, because then that key is of low order and anybody could compute the result.
   */
  agree(publicKey: Uint8Array): Uint8Array | undefined;
}

/** Sizes in bytes: of public keys and shared secrets, of hashes, and of authentication tags. */
export const KEY = 32;
export const HASH = 32;
export const TAG = 16;
