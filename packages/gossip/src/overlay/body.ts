// The body of a message as overlays carry it: its payload and its audience. Each body is decoded
// only once and encoded only once.

/**
 * The receivers of a message: everybody on the topic, only the listed nodes, or everybody but the
 * listed nodes.
 */
export type Audience = 'all' | 'to' | 'except';

/** A public key, and a signature made with its private key. */
export interface Signature {
  /** SPKI, DER: 44 bytes (Ed25519) or 91 (P-256). Its SHA-256 is the publisher's node id. */
  readonly publicKey: Uint8Array;
  /** The signature of `signedContent`: 64 bytes. */
  readonly bytes: Uint8Array;
}

/** The content of a message, and everything that is kept with it while it is passed on. */
export interface Body {
  readonly audience: Audience;
  /** Node ids that `to` and `except` refer to. */
  readonly nodes: readonly string[];
  readonly payload: Uint8Array;
  /**
   * The decoded message, set once the codec has decoded it; undefined for a message that this node
   * published.
   */
  message: unknown;
  /**
   * The publisher's signature. It has been verified and is passed on unchanged. Set once, when the
   * body is made.
   */
  signature?: Signature | undefined;
  /**
   * Set on this node's own messages: receivers that get the message directly from this node are
   * asked to confirm it.
   */
  readonly receipt?: boolean | undefined;
  /** The last frame that was encoded from this body, and the hop count in it. */
  frame?: { readonly hops: number; readonly bytes: Uint8Array } | undefined;
}

/** Returns true if the message is for that node. */
export function isFor(
  { audience, nodes }: Pick<Body, 'audience' | 'nodes'>,
  nodeId: string,
): boolean {
  if (audience === 'all') return true;
  return nodes.includes(nodeId) === (audience === 'to');
}

export const SIGNATURE_BYTES = 64;
