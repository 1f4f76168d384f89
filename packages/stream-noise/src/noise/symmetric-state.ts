// What a handshake has agreed on so far: the SymmetricState of Noise (§5.2).

import { CipherState } from './cipher-state.ts';
import { type Suite, TAG } from './suite.ts';

export class SymmetricState {
  /** h: of all that was said. */
  hash: Uint8Array;
  readonly #suite: Suite;
  /** ck: of all that is shared and secret. */
  #chain: Uint8Array;
  #cipher: CipherState | undefined;

  /** `name` has exactly 32 bytes; others would be hashed, or filled with zeros. */
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

  /** Encrypted once there is a key. */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    let ciphertext = plaintext;
    if (this.#cipher !== undefined) {
      ciphertext = new Uint8Array(plaintext.length + TAG);
      this.#cipher.seal(this.hash, plaintext, ciphertext, 0);
    }
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** Undefined where it is not authentic. */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher === undefined ? ciphertext : this.#cipher.open(this.hash, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** Is what `encryptAndHash` gives longer than what it takes? */
  get encrypts(): boolean {
    return this.#cipher !== undefined;
  }

  /** The keys of what follows: for what the initiator sends, and for what the responder sends. */
  split(): [CipherState, CipherState] {
    const [one, other] = this.#derive(NOTHING);
    return [new CipherState(this.#suite, one), new CipherState(this.#suite, other)];
  }

  /** HKDF with two results (§4.3). */
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
