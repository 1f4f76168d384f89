// A key and a counter of its uses: the CipherState of Noise (§5.1).

import type { Bytes } from '@trunkline/transport-core/backend';
import { HASH, type KeyUse, type Suite, TAG } from './suite.ts';

export class CipherState {
  /** The nonce of the next message. records.ts and noise-connection.ts compare it with limits. */
  n: number;
  readonly #suite: Suite;
  #use: KeyUse;

  constructor(suite: Suite, key: Uint8Array, n = 0) {
    this.#suite = suite;
    this.#use = { key, nonce };
    this.n = n;
  }

  /** Writes the ciphertext, 16 bytes longer than `plaintext`, into `target` at offset `at`. */
  seal(ad: Uint8Array | undefined, plaintext: Uint8Array, target: Uint8Array, at: number): void {
    setNonce(this.n++);
    this.#suite.seal(this.#use, ad, plaintext, target, at);
  }

  /**
   * Returns the plaintext in new memory, or undefined if the ciphertext is not authentic. In that
   * case, the nonce is not used up (§5.1), but callers never continue in that case.
   */
  open(ad: Uint8Array | undefined, ciphertext: Uint8Array): Bytes | undefined {
    setNonce(this.n);
    const plaintext = this.#suite.open(this.#use, ad, ciphertext);
    if (plaintext !== undefined) this.n++;
    return plaintext;
  }

  /**
   * Replaces the key with one derived from it, from which the old key cannot be recovered. Nonces
   * continue (§4.2, §11.3).
   */
  rekey(): void {
    const made = new Uint8Array(HASH + TAG);
    const last = { key: this.#use.key, nonce: LAST_NONCE };
    this.#suite.seal(last, undefined, ZEROS, made, 0);
    this.#use = { key: made.slice(0, HASH), nonce };
  }
}

/** Sets the nonce: 32 zero bits, then the counter, little-endian (§12.3). */
function setNonce(n: number): void {
  counter.setUint32(4, n % 0x1_0000_0000, true);
  counter.setUint32(8, n / 0x1_0000_0000, true);
}

/**
 * The nonce of the current use, in memory that all states share. This is safe because no use
 * outlasts its call.
 */
const nonce = new Uint8Array(12);
const counter = new DataView(nonce.buffer);

/** 2^64 − 1, which no message uses. */
const LAST_NONCE = new Uint8Array(12).fill(0xff, 4);
const ZEROS = new Uint8Array(HASH);
