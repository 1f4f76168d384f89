// Signs this node's messages, and verifies the signatures of others. GossipDriver owns the one of a
// node; Publisher signs with it, and Incoming verifies. Also tested in ../signatures.test.ts and
// ../signatures.forgeries.test.ts.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { TransportError } from '@trunkline/transport-core';
import { MESSAGE_ID_BYTES, type MessageId, writeMessageId } from '../messages/message-id.ts';
import { type Body, SIGNATURE_BYTES, type Signature } from '../overlay/overlay.ts';
import { KEY_BYTES } from '../protocol.ts';
import { type Envelope, encodeRecipients } from '../wire/frame.ts';

/**
 * A key that signs: an `Identity` of @trunkline/security, or an object with the same members, for
 * example for a key in a security module.
 */
export interface MessageSigner {
  /** SHA-256 of `publicKey`: 64 lower-case hex digits. */
  readonly nodeId: string;
  /** SPKI, DER: Ed25519 or P-256. */
  readonly publicKey: Uint8Array;
  /** Signs synchronously. Returns 64 bytes in the format that `verifySignature` accepts. */
  sign(message: Uint8Array): Uint8Array;
  /**
   * Verifies a signature of another node: `verifySignature` of @trunkline/security, or a function
   * that accepts and refuses exactly the same signatures, because all nodes must agree on each
   * message. `publicKey` is SPKI, DER: Ed25519 or P-256; `signature` has 64 bytes. The message
   * counts as forged if the function throws or returns anything but true.
   */
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
}

/** Verifies a signature. */
export type Verify = MessageSigner['verify'];

/**
 * The option `signatures` of `createGossip`. With `identity` or `verify`, a node drops messages
 * without a signature, and reports the peers that send them, but not relays. Without both, it drops
 * signed messages. So either all publishers of a topic sign, or none does.
 */
export interface SignatureOptions {
  /**
   * This node signs the messages that it publishes with this key. Its id must be the node id of
   * `peers`.
   */
  readonly identity?: MessageSigner | undefined;
  /**
   * Verifies signatures at a node without an identity: `verifySignature` of @trunkline/security.
   * Such a node receives messages but can't publish (`failed_precondition`). Default
   * `identity.verify`.
   */
  readonly verify?: MessageSigner['verify'] | undefined;
}

/**
 * The outcome of verifying a signature:
 * - refused: it was not verified, because its sender has recently sent too many forgeries
 * - unverified: this node can't verify signatures
 */
type Authenticity = 'true' | 'forged' | 'refused' | 'unverified';

/**
 * The signatures of one node. Each message is verified only once, because known messages are
 * recognized by their ids first. To bound the cost of a flood of forgeries, messages of a source
 * that has sent many in the current second are not verified. A forgery leaves no trace except in
 * the count of its sender, so it can't replace the true message, although anybody can guess the id
 * of a message.
 */
export class Signatures {
  /** True if messages must be signed. */
  readonly areRequired: boolean;
  readonly #signer: MessageSigner | undefined;
  readonly #verify: Verify | undefined;
  readonly #publicKey: Uint8Array;
  /** The number of forgeries from each source in the second that began at `#secondStart`. */
  readonly #forgeries = new Map<string, number>();
  #secondStart = Number.NEGATIVE_INFINITY;

  /**
   * @param self this node's id.
   * @throws TypeError if the signer has another id, or a key that other nodes would not accept.
   */
  constructor(self: string, { identity, verify }: SignatureOptions) {
    this.#signer = identity;
    this.#verify = verify ?? identity?.verify.bind(identity);
    this.areRequired = this.#verify !== undefined;
    this.#publicKey = new Uint8Array(identity?.publicKey ?? []);
    if (identity === undefined) return;
    const { nodeId } = identity;
    const { length } = this.#publicKey;
    if (nodeId !== self)
      throw wrong(`: is node ${nodeId}, but peers is node ${self}; give both the same identity`);
    if (!KEY_LENGTHS.includes(length))
      throw wrong(
        `.publicKey: must be an Ed25519 or P-256 key as SPKI in DER, got ${length} bytes`,
      );
    const id = idOfKey(this.#publicKey);
    if (id !== nodeId)
      throw wrong(`: node id ${nodeId} is not the SHA-256 of its publicKey, ${id}`);
  }

  /** Throws `failed_precondition` if no node would accept this node's messages. */
  checkPublisher(): void {
    if (!this.areRequired || this.#signer !== undefined) return;
    const text =
      'publish: this node has signatures.verify, but no signatures.identity to sign with';
    throw new TransportError('failed_precondition', text, { sent: false });
  }

  /**
   * Signs a message; returns undefined if this node does not sign. Throws the errors of the signer,
   * and a TypeError if the signer does not return a signature.
   */
  sign(topic: Uint8Array, id: MessageId, body: Body): Signature | undefined {
    if (this.#signer === undefined) return undefined;
    const bytes: unknown = this.#signer.sign(signedContent(topic, id, body));
    if (bytes instanceof Uint8Array && bytes.length === SIGNATURE_BYTES)
      return { publicKey: this.#publicKey, bytes };
    const got = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes;
    throw wrong(`.sign: must return ${SIGNATURE_BYTES} bytes synchronously, got ${got}`);
  }

  /**
   * Verifies that a signed message (it must have a signature) comes from the publisher in its id,
   * unchanged. The cheaper checks run first.
   * @param source the name that forgeries are counted under; see `Incoming.inspect`
   */
  examine(source: string, topic: Uint8Array, envelope: Envelope, now: number): Authenticity {
    if (this.#verify === undefined) return 'unverified';
    if (now - this.#secondStart >= SECOND) {
      this.#secondStart = now;
      this.#forgeries.clear();
    }
    const forgeries = this.#forgeries.get(source) ?? 0;
    if (forgeries >= FORGERIES) return 'refused';
    const { id } = envelope;
    const { publicKey, bytes } = envelope.signature!;
    try {
      const isOwn = idOfKey(publicKey) === id.origin;
      if (isOwn && this.#verify(publicKey, signedContent(topic, id, envelope), bytes) === true)
        return 'true';
    } catch {
      // The messages that arrived after this one must still be handled.
    }
    this.#forgeries.set(source, forgeries + 1);
    return 'forged';
  }
}

/**
 * Returns the bytes that a signature covers: everything that the publisher determines, but not the
 * hops, which change on the way. They begin with the name of this format and a zero byte, so that
 * no signature made for another purpose is valid here. After that come 32 bytes for the topic, 44
 * for the id, 1 for the audience, the list of the audience as in a frame, and the payload. All
 * nodes must agree on them (docs/wire-gossip.md).
 */
export function signedContent(
  topic: Uint8Array,
  id: MessageId,
  body: Pick<Body, 'audience' | 'nodes' | 'payload'>,
): Uint8Array {
  const recipients = encodeRecipients(body);
  const head = DOMAIN.length + KEY_BYTES + MESSAGE_ID_BYTES;
  const bytes = new Uint8Array(head + recipients.length + body.payload.length);
  bytes.set(DOMAIN);
  bytes.set(topic, DOMAIN.length);
  writeMessageId(id, bytes, DOMAIN.length + KEY_BYTES);
  bytes.set(recipients, head);
  bytes.set(body.payload, head + recipients.length);
  return bytes;
}

function wrong(how: string): TypeError {
  return new TypeError(`createGossip: signatures.identity${how}`);
}

function idOfKey(publicKey: Uint8Array): string {
  return bytesToHex(sha256(publicKey));
}

/** Lengths of an Ed25519 key and of a P-256 key, in bytes. */
const KEY_LENGTHS: readonly number[] = [44, 91];
/**
 * Maximum number of forgeries that are verified per source and second: 2 to 4 ms of work in Node,
 * 30 to 55 ms in a browser. Honest peers send none.
 */
export const FORGERIES = 16;
const SECOND = 1_000;
/** The prefix of the signed content; see {@link signedContent}. */
const DOMAIN = utf8ToBytes('trunkline.gossip.v1\0');
