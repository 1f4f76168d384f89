// The byte level of the beginning of a secured connection: the preambles, the three handshake
// messages, and the proofs of identity. This class does no I/O: it takes chunks, and returns the
// bytes to send and the outcome of the greeting.

import type { ErrorReason } from '@trunkline/transport-core';
import type { Identity } from '../../identity/identity.ts';
import type { CipherState } from '../framework/cipher-state.ts';
import { Handshake } from '../framework/handshake.ts';
import { KEY, type KeyPair, type Suite } from '../framework/suite.ts';
import { encodeProof, type HandshakeRole, judgeProof } from './identity-proof.ts';
import { judgePreamble, PREAMBLE } from './preamble.ts';
import { LENGTH } from './records.ts';

export interface GreetingOptions {
  readonly suite: Suite;
  readonly identity: Pick<Identity, 'publicKey' | 'sign'>;
  readonly staticKey: KeyPair;
  /** Creates a new key pair; called once, when it is needed. */
  readonly ephemeralKey: () => KeyPair;
  readonly role: HandshakeRole;
}

/** The state that both ends hold when the greeting is complete. */
export interface SecureChannel {
  readonly send: CipherState;
  readonly receive: CipherState;
  /** The handshake hash. */
  readonly binding: Uint8Array;
  /** The node id that the other end proved. */
  readonly nodeId: string | undefined;
  /** The flaw in the other end's proof, if there is one. */
  readonly flaw: string | undefined;
}

/** A step of the greeting: something to send, the end, or both. */
export interface GreetingStep {
  readonly send?: Uint8Array | undefined;
  readonly done?: SecureChannel;
  /**
   * Set if the greeting failed. `cut`: the connection must be destroyed immediately instead of
   * being closed gracefully.
   */
  readonly failed?: { readonly reason: ErrorReason; readonly text: string; readonly cut: boolean };
}

/**
 * The wire format, from the first byte. I is the initiator (the dialer), R the responder. A message
 * begins with its length in two bytes (big-endian), which is at most 1,024 during the handshake.
 *
 * ```
 * I → R   "TRKN" 01   message 1: e
 * I ← R   "TRKN" 01   message 2: e, ee, s, es, proof of R
 * I → R   message 3: s, se, proof of I
 * both    records, until one that is empty: the end
 * ```
 *
 * The handshake is Noise_XX_25519_ChaChaPoly_SHA256 with the initiator's five bytes as its
 * prologue. The responder sends nothing before it has read these bytes. Message 1 has no payload;
 * the payloads of 2 and 3 are in identity-proof.ts, the records in records.ts.
 */
export class Greeting {
  readonly #options: GreetingOptions;
  readonly #handshake: Handshake;
  /** Received bytes that are not consumed yet. */
  #bytes: Uint8Array = NOTHING;
  #greeted = false;
  #over = false;
  #proven: { nodeId: string } | { flaw: string } | undefined = undefined;

  constructor(options: GreetingOptions) {
    this.#options = options;
    const { suite, role, staticKey, ephemeralKey } = options;
    this.#handshake = new Handshake({
      suite,
      initiator: role === 'initiator',
      prologue: PREAMBLE,
      staticKey,
      ephemeralKey,
    });
  }

  /**
   * Returns the first bytes that the initiator sends. Only the initiator calls it, once and before
   * `receive`. Throws what `ephemeralKey` throws; `receive` reports that as a failure instead.
   */
  begin(): Uint8Array {
    return join(PREAMBLE, framed(this.#handshake.write(() => NOTHING) as Uint8Array));
  }

  /**
   * The bytes after the consumed ones; after the last step, they are the beginning of the records.
   */
  get rest(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Takes a chunk and performs at most one step. Returns undefined if more bytes are needed. Pass
   * an empty chunk to perform the next step, if there is one. The chunk must not be changed later:
   * `rest` may be a view of it. Never throws.
   */
  receive(chunk: Uint8Array): GreetingStep | undefined {
    this.#bytes = join(this.#bytes, chunk);
    if (this.#over) return undefined;
    if (!this.#greeted) {
      const first = judgePreamble(this.#bytes);
      if (first === 'more') return undefined;
      if (first !== 'ours') {
        const { reason, text, answer } = first;
        return this.#end({
          send: answer && !this.#initiates ? PREAMBLE : undefined,
          failed: { reason, text, cut: this.#initiates },
        });
      }
      this.#greeted = true;
      this.#bytes = this.#bytes.subarray(PREAMBLE.length);
    }
    const message = this.#message();
    return message === undefined
      ? undefined
      : typeof message === 'string'
        ? this.#malformed(message)
        : this.#read(message);
  }

  get #initiates(): boolean {
    return this.#options.role === 'initiator';
  }

  /** Returns the next message once it is complete, or an error text if its length is invalid. */
  #message(): Uint8Array | string | undefined {
    const bytes = this.#bytes;
    if (bytes.length < LENGTH) return undefined;
    const length = (bytes[0]! << 8) | bytes[1]!;
    if (length > LONGEST_HANDSHAKE)
      return `it announced a handshake message of ${length} bytes, above the limit of ${LONGEST_HANDSHAKE}`;
    if (bytes.length < LENGTH + length) return undefined;
    this.#bytes = bytes.subarray(LENGTH + length);
    return bytes.subarray(LENGTH, LENGTH + length);
  }

  #read(message: Uint8Array): GreetingStep {
    const handshake = this.#handshake;
    const received = handshake.read(message);
    if (typeof received === 'string') return this.#malformed(received);
    if (handshake.remoteStatic === undefined) {
      if (message.length !== KEY)
        return this.#malformed(
          `its handshake message 1 has ${message.length} bytes instead of ${KEY}`,
        );
    } else {
      const theirs = this.#initiates ? 'responder' : 'initiator';
      this.#proven = judgeProof(received.payload, theirs, received.hash, handshake.remoteStatic);
    }
    return handshake.isOver ? this.#end({ done: this.#channel() }) : this.#answer();
  }

  #answer(): GreetingStep {
    const { identity, role, staticKey } = this.#options;
    let message: Uint8Array | string;
    try {
      message = this.#handshake.write((hash) =>
        encodeProof(identity, role, hash, staticKey.publicKey),
      );
    } catch (error) {
      const text = `the identity of this end could not sign: ${error instanceof Error ? error.message : String(error)}`;
      return this.#end({ failed: { reason: 'bad_certificate', text, cut: true } });
    }
    if (typeof message === 'string') return this.#malformed(message);
    if (this.#handshake.isOver) return this.#end({ send: framed(message), done: this.#channel() });
    return { send: join(PREAMBLE, framed(message)) };
  }

  #channel(): SecureChannel {
    return {
      ...this.#handshake.split(),
      binding: this.#handshake.hash,
      nodeId: undefined,
      flaw: undefined,
      ...this.#proven,
    };
  }

  #malformed(text: string): GreetingStep {
    return this.#end({ failed: { reason: 'malformed', text, cut: true } });
  }

  #end(step: GreetingStep): GreetingStep {
    this.#over = true;
    return step;
  }
}

function framed(message: Uint8Array): Uint8Array {
  return join(Uint8Array.of(message.length >>> 8, message.length), message);
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/**
 * Maximum length of a handshake message, in bytes, that is accepted before the keys are shared; our
 * longest one has 255.
 */
const LONGEST_HANDSHAKE = 1_024;
const NOTHING = new Uint8Array(0);
