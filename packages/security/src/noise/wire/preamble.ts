// The first five bytes of each end: "TRKN" and a version. For any other beginning, the error names
// the protocols of both ends, so that the mistake can be fixed.

import type { ErrorReason } from '@trunkline/transport-core';
import { lookAlike } from '@trunkline/transport-core/backend';
import { KEY } from '../framework/suite.ts';
import { LENGTH } from './records.ts';

/**
 * The version of the protocol described here. Any other version has a different number here, and
 * may differ in everything else.
 */
export const VERSION = 1;

/**
 * The bytes "TRKN" and the version. The initiator's preamble is the prologue of the handshake, so
 * altering it makes the handshake fail.
 */
export const PREAMBLE: Uint8Array = Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, VERSION);

/** Describes an end whose first bytes show that it does not speak this version of noise. */
export interface PreambleMismatch {
  readonly reason: Extract<ErrorReason, 'wrong_preamble' | 'wrong_version'>;
  readonly text: string;
  /**
   * True for another version of noise and for plain Trunkline. A responder sends such an end its
   * preamble before it closes, so that the other end can name the mistake, too.
   */
  readonly answer: boolean;
}

/**
 * Judges the first bytes that have arrived: 'ours' if the first five are right, 'more' if fewer
 * than five have arrived and all are right. A wrong byte of "TRKN" is reported immediately.
 */
export function judgePreamble(bytes: Uint8Array): 'more' | 'ours' | PreambleMismatch {
  if (MAGIC.some((byte, i) => i < bytes.length && bytes[i] !== byte)) {
    // TRKL differs from TRKN only in its last byte, so a shorter fragment is not a mismatch yet.
    const isPlain = String.fromCharCode(...bytes.subarray(0, 4)) === 'TRKL';
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

/**
 * Returns why a dialer's first bytes are refused; undefined if they are the preamble and a whole
 * message 1.
 */
export function screenMessage1(
  first: Uint8Array,
): { readonly reason: ErrorReason; readonly message: string } | undefined {
  const judged = judgePreamble(first);
  if (typeof judged === 'object') return { reason: judged.reason, message: judged.text };
  const [high, low] = first.subarray(PREAMBLE.length, HEADER);
  if (high === 0 && low === KEY && first.length >= HEADER + KEY) return undefined;
  return {
    reason: 'malformed',
    message: `no whole message 1 of noise is in the first bytes (length ${first.length})`,
  };
}

const MAGIC = PREAMBLE.subarray(0, 4);
/** Number of bytes before message 1: the preamble and the length. */
const HEADER = PREAMBLE.length + LENGTH;
