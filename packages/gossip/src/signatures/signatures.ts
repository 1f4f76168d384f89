// This node's signatures, and what it makes of those of others.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { verifySignature } from '@trunkline/identity';
import { TransportError } from '@trunkline/transport-core';
import type { Envelope } from '../driver/frame.ts';
import type { MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/body.ts';
import { Forgers } from './forgers.ts';
import { SIGNATURE_BYTES, type Signature } from './signature.ts';
import { signedContent } from './signed-content.ts';

/** Who signs: an `Identity` of @trunkline/identity, or what has the same members: a key in a security module, say. */
export interface Signer {
  /** SHA-256 of `publicKey`: 64 lower-case hex digits. */
  readonly nodeId: string;
  /** SPKI, DER: Ed25519 or P-256. */
  readonly publicKey: Uint8Array;
  /** 64 bytes, at once; the rules are those of `verifySignature`. */
  sign(message: Uint8Array): Uint8Array;
}

/** `lenient`: messages without a signature are taken, too. `strict`: they are dropped. */
export type SignatureMode = 'strict' | 'lenient';

/** `refused`: its sender has forged too much of late for it to be looked at. */
export type Authenticity = 'true' | 'forged' | 'refused';

/**
 * A message is verified once: what is known already is told by its id, before. A flood of forgeries costs no more than `Forgers` lets pass, and
 * by the byte less than receiving it did. Nothing of a forgery is remembered but who sent it, so that none can take the place of the true message,
 * whose id anybody can guess.
 */
export class Signatures {
  readonly isStrict: boolean;
  readonly #signer: Signer | undefined;
  readonly #publicKey: Uint8Array;
  readonly #forgers = new Forgers();

  /** @param self this node's id; a TypeError for a signer with another, or with a key that others would not take. */
  constructor(self: string, { identity, mode }: { readonly identity?: Signer | undefined; readonly mode?: SignatureMode | undefined }) {
    this.isStrict = (mode ?? (identity === undefined ? 'lenient' : 'strict')) === 'strict';
    this.#signer = identity;
    this.#publicKey = new Uint8Array(identity?.publicKey ?? []);
    if (identity === undefined) return;
    const { nodeId } = identity;
    if (nodeId !== self) throw new TypeError(`createGossip: signatures.identity: is node ${nodeId}, but peers is node ${self}; give both the same identity`);
    if (!KEY_LENGTHS.includes(this.#publicKey.length)) {
      throw new TypeError(`createGossip: signatures.identity.publicKey: must be an Ed25519 or P-256 key as SPKI in DER, got ${this.#publicKey.length} bytes`);
    }
    if (idOfKey(this.#publicKey) !== nodeId) {
      throw new TypeError(`createGossip: signatures.identity: node id ${nodeId} is not the SHA-256 of its publicKey, ${idOfKey(this.#publicKey)}`);
    }
  }

  /** Does this node sign what it publishes? */
  get signs(): boolean {
    return this.#signer !== undefined;
  }

  /** A `failed_precondition` where nobody would take what this node publishes. */
  checkPublisher(): void {
    if (!this.isStrict || this.#signer !== undefined) return;
    throw new TransportError('failed_precondition', 'publish: signatures.mode is strict, and this node has no signatures.identity to sign with', {
      sent: false,
    });
  }

  /** Undefined: this node does not sign. It throws what the signer throws, and a TypeError where that gives no signature. */
  sign(topic: Uint8Array, id: MessageId, body: Body): Signature | undefined {
    if (this.#signer === undefined) return undefined;
    const bytes: unknown = this.#signer.sign(signedContent(topic, id, body));
    if (bytes instanceof Uint8Array && bytes.length === SIGNATURE_BYTES) return { publicKey: this.#publicKey, bytes };
    const got = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes;
    throw new TypeError(`createGossip: signatures.identity.sign: must give ${SIGNATURE_BYTES} bytes at once, got ${got}`);
  }

  /**
   * Is a signed message of whom it says, and as it was published? The cheaper questions come first.
   * @param source whom forgeries are counted against.
   */
  examine(source: string, topic: Uint8Array, envelope: Envelope, signature: Signature, now: number): Authenticity {
    if (this.#forgers.isBarred(source, now)) return 'refused';
    const { id } = envelope;
    const { publicKey, bytes } = signature;
    if (idOfKey(publicKey) === id.origin && verifySignature(publicKey, signedContent(topic, id, envelope), bytes)) return 'true';
    this.#forgers.note(source, now);
    return 'forged';
  }
}

function idOfKey(publicKey: Uint8Array): string {
  return bytesToHex(sha256(publicKey));
}

/** Of Ed25519, and of P-256. */
const KEY_LENGTHS: readonly number[] = [44, 91];
