// The first message of each end of a channel: the version, and the proof that a node made this very
// connection.

import { type Identity, nodeIdOf, verifySignature } from '@trunkline/security';

/** The end that made the offer, or the one that answered it. */
export type Role = 'offerer' | 'answerer';

/** The fingerprints of both certificates, as one end sees them. */
export type Fingerprints = Readonly<Record<Role, string>>;

/**
 * Encodes a hello: a version byte and, with an identity, the public key (SPKI, DER) and the
 * signature, each after two bytes with its length (big-endian).
 *
 * The signature covers the text 'trunkline-webrtc-1/offerer' (or '/answerer') and both
 * fingerprints, each on a line of its own. DTLS checks that each end has the private key of its
 * certificate, so a valid signature shows that nobody intercepts the connection between the two
 * nodes, whatever signaling did.
 */
export function encodeHello(
  identity: Pick<Identity, 'publicKey' | 'sign'> | undefined,
  role: Role,
  fingerprints: Fingerprints,
): Uint8Array {
  if (identity === undefined) return Uint8Array.of(VERSION);
  const { publicKey } = identity;
  const signature = identity.sign(signedBytes(role, fingerprints));
  const hello = new Uint8Array(5 + publicKey.length + signature.length);
  const view = new DataView(hello.buffer);
  hello[0] = VERSION;
  view.setUint16(1, publicKey.length);
  hello.set(publicKey, 3);
  view.setUint16(3 + publicKey.length, signature.length);
  hello.set(signature, 5 + publicKey.length);
  return hello;
}

/**
 * The content of a hello: the node id that it proves, if any, or a description of the flaw in it.
 */
export type Hello = { readonly nodeId: string | undefined } | { readonly flaw: string };

/** Reads the hello of the end with this role. */
export function readHello(bytes: Uint8Array, role: Role, fingerprints: Fingerprints): Hello {
  if (bytes[0] !== VERSION) return { flaw: 'it speaks another version of trunkline-webrtc' };
  if (bytes.length === 1) return { nodeId: undefined };
  const publicKey = field(bytes, 1);
  const signature = publicKey && field(bytes, 3 + publicKey.length);
  if (signature === undefined || 5 + publicKey!.length + signature.length !== bytes.length)
    return { flaw: 'its proof is cut off or too long' };
  if (!verifySignature(publicKey!, signedBytes(role, fingerprints), signature))
    return {
      flaw: 'its signature is not valid for the certificates of this connection; signaling may have replaced them',
    };
  return { nodeId: nodeIdOf(publicKey!) };
}

function signedBytes(role: Role, { offerer, answerer }: Fingerprints): Uint8Array {
  return encoder.encode(`trunkline-webrtc-1/${role}\n${offerer}\n${answerer}`);
}

/**
 * Reads a length of two bytes and that many bytes after it; returns undefined if there are fewer.
 */
function field(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (bytes.length < at + 2) return undefined;
  const end = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
  return end > bytes.length ? undefined : bytes.subarray(at + 2, end);
}

const encoder = new TextEncoder();
const VERSION = 1;
