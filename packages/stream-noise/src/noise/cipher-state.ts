// A key and how often it was used: the CipherState of Noise (§5.1).

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

  /** Writes the ciphertext, 16 bytes longer than `plaintext`, into `target` from `at` on. */
  seal(ad: Uint8Array | undefined, plaintext: Uint8Array, target: Uint8Array, at: number): void {
    this.#suite.seal(this.#key, nonceOf(this.n++), ad, plaintext, target, at);
  }

  /** The plaintext in fresh memory. Undefined where it is not authentic: the nonce is then not used up (§5.1), but nobody goes on. */
  open(ad: Uint8Array | undefined, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const plaintext = this.#suite.open(this.#key, nonceOf(this.n), ad, ciphertext);
    if (plaintext !== undefined) this.n++;
    return plaintext;
  }

  /** A new key, made of the old one, from which that can't be told. The nonces go on (§4.2, §11.3). */
  rekey(): void {
    const made = new Uint8Array(HASH + TAG);
    this.#suite.seal(this.#key, LAST_NONCE, undefined, ZEROS, made, 0);
    this.#key = made.slice(0, HASH);
  }
}

/** 32 zero bits, then the counter, its lowest byte first (§12.3). The memory is the same each time. */
function nonceOf(n: number): Uint8Array {
  counter.setUint32(4, n % 0x1_0000_0000, true);
  counter.setUint32(8, n / 0x1_0000_0000, true);
  return nonce;
}

const nonce = new Uint8Array(12);
const counter = new DataView(nonce.buffer);

/** 2^64 − 1: never a message's. */
const LAST_NONCE = new Uint8Array(12).fill(0xff, 4);
const ZEROS = new Uint8Array(HASH);
