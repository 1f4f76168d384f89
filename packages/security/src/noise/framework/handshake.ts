// Noise_XX_25519_ChaChaPoly_SHA256: three messages, after which both ends share secret keys and
// know each other's static key. This class does no I/O: it takes keys and bytes, and returns bytes.
// § means the Noise specification, revision 34.

import type { CipherState } from './cipher-state.ts';
import { KEY, type KeyPair, type Suite, TAG } from './suite.ts';
import { SymmetricState } from './symmetric-state.ts';

/** The keys and the role of one end. */
export interface HandshakeOptions {
  readonly suite: Suite;
  /** True for the end that sends the first message. */
  readonly initiator: boolean;
  /**
   * Data that both ends have seen before the handshake; if their data differs, the second message
   * fails.
   */
  readonly prologue: Uint8Array;
  readonly staticKey: KeyPair;
  /** Called once, when the key is needed. */
  readonly ephemeralKey: () => KeyPair;
}

/** A message that was read. */
export interface ReceivedPayload {
  readonly payload: Uint8Array;
  /**
   * The handshake hash just before the payload. It covers everything that the sender had sent and
   * received.
   */
  readonly hash: Uint8Array;
}

/**
 * One end of a handshake. Call `write` and `read` alternately until `isOver`, then `split`; the
 * initiator begins with `write`. If either returns an error text, or `write` throws, drop the
 * handshake.
 */
export class Handshake {
  /** The other end's static key, once received. */
  remoteStatic: Uint8Array | undefined = undefined;
  readonly #options: HandshakeOptions;
  readonly #state: SymmetricState;
  #ephemeral: KeyPair | undefined = undefined;
  #remoteEphemeral: Uint8Array | undefined = undefined;
  /** Index of the next message. */
  #next = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#state = new SymmetricState(options.suite, NAME);
    this.#state.mixHash(options.prologue);
  }

  /** True once all three messages were written and read. */
  get isOver(): boolean {
    return this.#next === MESSAGES.length;
  }

  /**
   * The handshake hash. At the end of the handshake, both ends share it, and no other handshake has
   * the same hash.
   */
  get hash(): Uint8Array {
    return this.#state.hash;
  }

  /**
   * Returns the next message, or an error text if the other end's key is invalid. The payload may
   * depend on the handshake hash at that point. Throws what `payload` and `ephemeralKey` throw.
   */
  write(payload: (hash: Uint8Array) => Uint8Array): Uint8Array | string {
    const { staticKey, ephemeralKey } = this.#options;
    const parts: Uint8Array[] = [];
    for (const token of MESSAGES[this.#next++]!) {
      if (token === 'e') {
        this.#ephemeral = ephemeralKey();
        this.#state.mixHash(this.#ephemeral.publicKey);
        parts.push(this.#ephemeral.publicKey);
      } else if (token === 's') parts.push(this.#state.encryptAndHash(staticKey.publicKey));
      else if (!this.#agree(token)) return LOW_ORDER;
    }
    parts.push(this.#state.encryptAndHash(payload(this.#state.hash)));
    return concat(parts);
  }

  /**
   * Reads the next message. Returns an error text if the message is invalid; the handshake cannot
   * continue after that.
   */
  read(message: Uint8Array): ReceivedPayload | string {
    const number = this.#next + 1;
    let at = 0;
    const take = (length: number) => message.subarray(at, (at += length));
    for (const token of MESSAGES[this.#next++]!) {
      if (token === 'e' || token === 's') {
        const key = take(token === 's' && this.#state.encrypts ? KEY + TAG : KEY);
        if (at > message.length)
          return `its handshake message ${number} ends after ${message.length} bytes, within a key`;
        if (token === 'e') {
          if (equal(key, this.#ephemeral?.publicKey))
            return `its handshake message ${number} is the one of this end, sent back`;
          this.#remoteEphemeral = key.slice();
          this.#state.mixHash(key);
        } else {
          this.remoteStatic = this.#state.decryptAndHash(key);
          if (this.remoteStatic === undefined) return altered(number);
        }
      } else if (!this.#agree(token)) return LOW_ORDER;
    }
    const { hash } = this.#state;
    const payload = this.#state.decryptAndHash(message.subarray(at));
    return payload === undefined ? altered(number) : { payload, hash };
  }

  /** Returns the cipher states for everything after the handshake. Call it once `isOver`. */
  split(): { send: CipherState; receive: CipherState } {
    const [initiators, responders] = this.#state.split();
    return this.#options.initiator
      ? { send: initiators, receive: responders }
      : { send: responders, receive: initiators };
  }

  /** Mixes in the secret shared by two keys. Returns false if one of them is of low order. */
  #agree(token: 'ee' | 'es' | 'se'): boolean {
    const { initiator, staticKey } = this.#options;
    // The first letter is the initiator's key, the second the responder's.
    const [mine, theirs] = initiator ? token : [token[1], token[0]];
    const key = mine === 'e' ? this.#ephemeral! : staticKey;
    const shared = key.agree(theirs === 'e' ? this.#remoteEphemeral! : this.remoteStatic!);
    if (shared !== undefined) this.#state.mixKey(shared);
    return shared !== undefined;
  }
}

function altered(number: number): string {
  return `its handshake message ${number} is not authentic: it was altered, or belongs to another handshake`;
}

function equal(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The text for a public key that makes every shared secret zero. */
const LOW_ORDER = 'its key has low order, so the shared secret would be known to anybody';

/** The name of the protocol (§8), which is the first input of the handshake hash. */
const NAME = new TextEncoder().encode('Noise_XX_25519_ChaChaPoly_SHA256');

/**
 * XX (§7.5): the tokens of each message; the initiator sends the first. 'e' and 's' send the
 * ephemeral and the static public key. A token of two letters mixes in the secret that the
 * initiator's key (first letter) and the responder's key (second letter) share.
 */
const MESSAGES = [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] as const;
