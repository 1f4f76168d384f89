// The first five bytes of each end: "TRKN" and a version. The error for any other beginning names
// the protocol, so that the mistake can be fixed.

import type { Reason } from '@trunkline/transport-core';
import { lookAlike } from '@trunkline/transport-core/backend';

/**
 * The version of the protocol described here. Another version has another byte here and may differ
 * in everything else.
 */
export const VERSION = 1;

/**
 * "TRKN" and the version. The initiator's preamble is the prologue of the handshake, so altering it
 * makes the handshake fail.
 */
export const PREAMBLE: Uint8Array = Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, VERSION);

/** Describes an end that does not speak this protocol, as its first bytes reveal. */
export interface PreambleMismatch {
  readonly reason: Extract<Reason, 'wrong_preamble' | 'wrong_version'>;
  readonly text: string;
  /**
   * True for another version of this protocol, which receives our preamble to learn what it has
   * met.
   */
  readonly answer: boolean;
}

/** Judges the first bytes: 'more' if there are too few, 'ours' if the first five are right. */
export function judgePreamble(bytes: Uint8Array): 'more' | 'ours' | PreambleMismatch {
  const magic = MAGIC.findIndex((byte, i) => i < bytes.length && bytes[i] !== byte);
  if (magic >= 0) {
    const isPlain = startsWith(bytes, 'TRKL');
    const text = isPlain
      ? 'the other end speaks plain Trunkline (TRKL), this end speaks noise: give both the same security'
      : `the other end speaks ${lookAlike(bytes)}, this end speaks Trunkline secured by noise (TRKN): give both the same security`;
    return { reason: 'wrong_preamble', text, answer: isPlain };
  }
  if (bytes.length < PREAMBLE.length) return 'more';
  const version = bytes[MAGIC.length]!;
  if (version === VERSION) return 'ours';
  const text = `the other end speaks version ${version} of Trunkline with noise, this end version ${VERSION}: update the older one`;
  return { reason: 'wrong_version', text, answer: true };
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return textOf(bytes.subarray(0, text.length)) === text;
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const MAGIC = Array.from(PREAMBLE.subarray(0, 4));
