// The proof that a node owns the id under which it registers: its signature over the hub's
// challenge, the realm and the address at which the node has dialed the hub.

import { nodeIdOf, verifySignature } from '@trunkline/security';
import { TransportError } from '@trunkline/transport-core';

/** The number of bytes in a challenge; the hub draws them at random for each registration. */
export const CHALLENGE_LENGTH = 32;

/** The hub and the realm in which a node registers. */
export interface Registering {
  /** The address at which the node has dialed the hub. */
  readonly hub: string;
  readonly realm: string;
}

/**
 * Returns the bytes that a node signs. The prefix keeps the signature from being valid for another
 * purpose. The address keeps another hub from using the proof to register here as the node.
 */
export function messageToSign({ hub, realm }: Registering, challenge: Uint8Array): Uint8Array {
  const text = `trunkline signaling registration 1\0${hub}\0${realm}\0`;
  const prefix = new TextEncoder().encode(text);
  const message = new Uint8Array(prefix.length + challenge.length);
  message.set(prefix);
  message.set(challenge, prefix.length);
  return message;
}

/**
 * Returns the node id of a public key in base64; throws `unauthenticated` if it is not a valid key.
 */
export function claimedId(publicKey: string): { nodeId: string; key: Uint8Array } {
  try {
    const key = Uint8Array.from(atob(publicKey), (character) => character.charCodeAt(0));
    return { nodeId: nodeIdOf(key), key };
  } catch (error) {
    throw new TransportError('unauthenticated', 'register: publicKey is not a public key', {
      cause: error,
    });
  }
}

/** Throws `unauthenticated` unless the key has signed the result of `messageToSign`. */
export function checkProof(
  key: Uint8Array,
  registering: Registering,
  challenge: Uint8Array,
  signature: Uint8Array | undefined,
): void {
  if (
    signature === undefined ||
    !verifySignature(key, messageToSign(registering, challenge), signature)
  )
    throw new TransportError(
      'unauthenticated',
      "register: the signature over the hub's challenge is wrong, so the node id isn't proven",
    );
}

/** Returns an address without its node id and final slash, for comparison with other addresses. */
export function plainAddress(address: string): string {
  return address.replace(/^[^/:@]*@(?=[a-z]+:)/, '').replace(/\/$/, '');
}

/** Encodes a public key as `claimedId` reads it. */
export function encodeKey(publicKey: Uint8Array): string {
  return btoa(String.fromCharCode(...publicKey));
}
