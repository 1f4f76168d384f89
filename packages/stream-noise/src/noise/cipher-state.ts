// A key and a counter of its uses: the CipherState of Noise (§5.1).

import { HASH, type Suite, TAG } from './suite.ts';

export class CipherState {
  /** The nonce of the next message. */
  n: number;
  readonly #suite: Suite;
  #key: Uint8Array;

  constructor(suite: Suite, key: Uint8Array, n = 0) {
    this.#suite = suite;
    this.#key = key;
    this.n = n;
  }

  /** Writes the ciphertext, 16 bytes longer than `plaintext`, into `target` at offset `at`. */
  seal(ad: Uint8Array | undefined, plaintext: Uint8Array, target: Uint8Array, at: number): void {
    this.#suite.seal(this.#key, nonceOf(this.n++), ad, plaintext, target, at);
  }

  /**
   * Returns the plaintext in new memory, or undefined if the ciphertext is not authentic. In that
   * case the nonce is not used up (§5.1), but no caller continues.
   */
  open(ad: Uint8Array | undefined, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const plaintext = this.#suite.open(this.#key, nonceOf(this.n), ad, ciphertext);
    if (plaintext !== undefined) this.n++;
    return plaintext;
  }

  /**
   * Replaces the key by one derived from it, from which the old key cannot be recovered. Nonces
   * continue (§4.2, §11.3).
   */
  rekey(): void {
    const made = new Uint8Array(HASH + TAG);
    this.#suite.seal(this.#key, LAST_NONCE, undefined, ZEROS, made, 0);
    this.#key = made.slice(0, HASH);
  }
}

/**
 * Returns the nonce: 32 zero bits, then the counter, little-endian (§12.3). Each call reuses the
 * same memory.
 */
function nonceOf(n: number): Uint8Array {
  counter.setUint32(4, n % 0x1_0000_0000, true);
  counter.setUint32(8, n / 0x1_0000_0000, true);
  return nonce;
}

const nonce = new Uint8Array(12);
const counter = new DataView(nonce.buffer);

/** 2^64 − 1, which no message uses. */
const LAST_NONCE = new Uint8Array(12).fill(0xff, 4);
const ZEROS = new Uint8Array(HASH);
