// Records: what both ends say once they share keys. Two bytes of length (big-endian), and that many bytes: a Noise transport message.

import type { CipherState } from '../noise/cipher-state.ts';
import { TAG } from '../noise/suite.ts';

/** The longest Noise message (Noise §3), and the most plaintext that fits into one. */
export const LONGEST = 65_535;
export const MOST_PLAINTEXT: number = LONGEST - TAG;
/** The length before each message. */
export const LENGTH = 2;
/** Bytes that a record has besides its plaintext. */
export const RECORD_OVERHEAD: number = LENGTH + TAG;

/** After so many records each direction takes a new key (Noise's REKEY), and the old one is forgotten: 4 GiB at most under one key. */
export const REKEY_AFTER = 65_536;
/** A direction has no more records than this, the end included; a million in a second would take nine years. */
export const MOST_RECORDS: number = 2 ** 48;

/** Writes a record into `target` from `at` on, and gives its length. An empty plaintext is the end of the stream. */
export function sealRecord(cipher: CipherState, plaintext: Uint8Array, target: Uint8Array, at: number): number {
  const length = plaintext.length + TAG;
  target[at] = length >>> 8;
  target[at + 1] = length;
  cipher.seal(undefined, plaintext, target, at + LENGTH);
  turn(cipher);
  return LENGTH + length;
}

/** The plaintext of a record without its length, in fresh memory; undefined where it is not the next record of this direction. */
export function openRecord(cipher: CipherState, message: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (cipher.n >= MOST_RECORDS) return undefined;
  const plaintext = cipher.open(undefined, message);
  if (plaintext !== undefined) turn(cipher);
  return plaintext;
}

function turn(cipher: CipherState): void {
  if (cipher.n % REKEY_AFTER === 0) cipher.rekey();
}
