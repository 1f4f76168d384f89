// The state that a handshake has agreed on so far: the SymmetricState of Noise (§5.2).

import { CipherState } from './cipher-state.ts';
import { type Suite, TAG } from './suite.ts';

export class SymmetricState {
  /** h: the hash of everything sent and received. */
  hash: Uint8Array;
  readonly #suite: Suite;
  /** ck: the chaining key, derived from all shared secrets. */
  #chain: Uint8Array;
  #cipher: CipherState | undefined;

  /**
   * @param name exactly 32 bytes; a longer name would be hashed, and a shorter one padded with
   * zeros.
   */
  constructor(suite: Suite, name: Uint8Array) {
    this.#suite = suite;
    this.hash = name;
    this.#chain = name;
  }

  mixHash(data: Uint8Array): void {
    this.hash = this.#suite.hash(this.hash, data);
  }

  mixKey(secret: Uint8Array): void {
    const [chain, key] = this.#derive(secret);
    this.#chain = chain;
    this.#cipher = new CipherState(this.#suite, key);
  }

  /** Encrypts the plaintext if there is a key, and mixes the result into the hash. */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    let ciphertext = plaintext;
    if (this.#cipher !== undefined) {
      ciphertext = new Uint8Array(plaintext.length + TAG);
      this.#cipher.seal(this.hash, plaintext, ciphertext, 0);
    }
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /**
   * Decrypts the ciphertext, and mixes it into the hash. Returns undefined if it is not authentic.
   */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext =
      this.#cipher === undefined ? ciphertext : this.#cipher.open(this.hash, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** True if there is a key, so that the result of `encryptAndHash` is longer than its argument. */
  get encrypts(): boolean {
    return this.#cipher !== undefined;
  }

  /**
   * Returns the cipher states for all later messages: first the state for the initiator's messages,
   * then the state for the responder's.
   */
  split(): [CipherState, CipherState] {
    const [one, other] = this.#derive(NOTHING);
    return [new CipherState(this.#suite, one), new CipherState(this.#suite, other)];
  }

  /** HKDF with two outputs (§4.3). */
  #derive(secret: Uint8Array): [Uint8Array, Uint8Array] {
    const key = this.#suite.hmac(this.#chain, secret);
    const one = this.#suite.hmac(key, ONE);
    const next = new Uint8Array(one.length + 1);
    next.set(one);
    next[one.length] = 2;
    return [one, this.#suite.hmac(key, next)];
  }
}

const NOTHING = new Uint8Array(0);
const ONE = Uint8Array.of(1);
