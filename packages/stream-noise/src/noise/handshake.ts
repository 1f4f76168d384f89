// Noise_XX_25519_ChaChaPoly_SHA256: three messages, after which both ends have keys that nobody else has, and know each other's
// static key. Pure: it is given keys and bytes, and gives bytes.

import type { CipherState } from './cipher-state.ts';
import { KEY, type KeyPair, type Suite, TAG } from './suite.ts';
import { SymmetricState } from './symmetric-state.ts';

export interface HandshakeOptions {
  readonly suite: Suite;
  /** The one that speaks first. */
  readonly initiator: boolean;
  /** What both ends have seen alike before it; where they have not, the second message fails. */
  readonly prologue: Uint8Array;
  readonly staticKey: KeyPair;
  /** Called once, when it is needed. */
  readonly ephemeralKey: () => KeyPair;
}

/** A message that was read. */
export interface Received {
  readonly payload: Uint8Array;
  /** The handshake hash just before the payload: of all that its sender had said and heard. */
  readonly hash: Uint8Array;
}

export class Handshake {
  /** The other end's static key, once it has sent it. */
  remoteStatic: Uint8Array | undefined = undefined;
  readonly #options: HandshakeOptions;
  readonly #state: SymmetricState;
  #ephemeral: KeyPair | undefined = undefined;
  #remoteEphemeral: Uint8Array | undefined = undefined;
  /** Which of the three is next. */
  #next = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#state = new SymmetricState(options.suite, NAME);
    this.#state.mixHash(options.prologue);
  }

  /** All three messages were written and read. */
  get isOver(): boolean {
    return this.#next === MESSAGES.length;
  }

  /** The handshake hash: when it is over, a value that both ends share and no other handshake has. */
  get hash(): Uint8Array {
    return this.#state.hash;
  }

  /** The next message; a text where the other end's key is no good. The payload may depend on the hash just before it. */
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

  /** Reads the next message; a text where it is no good. After that the handshake is of no use. */
  read(message: Uint8Array): Received | string {
    const number = this.#next + 1;
    let at = 0;
    const take = (length: number) => message.subarray(at, (at += length));
    for (const token of MESSAGES[this.#next++]!) {
      if (token === 'e' || token === 's') {
        const key = take(token === 's' && this.#state.encrypts ? KEY + TAG : KEY);
        if (at > message.length) return `its handshake message ${number} ends after ${message.length} bytes, within a key`;
        if (token === 'e') {
          if (equal(key, this.#ephemeral?.publicKey)) return `its handshake message ${number} is our own, sent back`;
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

  /** The keys of what follows. */
  split(): { send: CipherState; receive: CipherState } {
    const [initiators, responders] = this.#state.split();
    return this.#options.initiator ? { send: initiators, receive: responders } : { send: responders, receive: initiators };
  }

  /** Mixes in what two keys share. False where one is of low order. */
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

const LOW_ORDER = 'its key is of low order: anybody would know what we share';

const NAME = new TextEncoder().encode('Noise_XX_25519_ChaChaPoly_SHA256');

/** XX (§7.5): what each message carries and mixes in, the initiator's first. */
const MESSAGES = [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] as const;
