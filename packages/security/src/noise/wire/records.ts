// Records, the messages that both ends send once they share keys: a length of two bytes
// (big-endian), followed by that many bytes of a Noise transport message.

import type { Bytes } from '@trunkline/transport-core/backend';
import type { CipherState } from '../framework/cipher-state.ts';
import { TAG } from '../framework/suite.ts';

/** Maximum length of a Noise message (Noise §3), and of the plaintext in one, in bytes. */
export const LONGEST = 65_535;
export const MOST_PLAINTEXT: number = LONGEST - TAG;
/** Size of the field in front of each message that holds its length, in bytes. */
export const LENGTH = 2;
/** The number of bytes in a record in addition to its plaintext. */
export const RECORD_OVERHEAD: number = LENGTH + TAG;

/**
 * The number of records after which each direction takes a new key (Noise's REKEY) and forgets the
 * old key. At most 4 GiB are sent under one key.
 */
export const REKEY_AFTER = 65_536;
/**
 * Maximum number of records in one direction, including the record that ends it. At a million
 * records per second, they last for nine years.
 */
export const MOST_RECORDS: number = 2 ** 48;

/**
 * Writes a record into `target` at offset `at`, and returns its length. `plaintext` has at most
 * MOST_PLAINTEXT bytes; an empty one marks the end of the stream. The caller keeps to MOST_RECORDS:
 * this function does not check it.
 */
export function sealRecord(
  cipher: CipherState,
  plaintext: Uint8Array,
  target: Uint8Array,
  at: number,
): number {
  const length = plaintext.length + TAG;
  target[at] = length >>> 8;
  target[at + 1] = length;
  cipher.seal(undefined, plaintext, target, at + LENGTH);
  turn(cipher);
  return LENGTH + length;
}

/**
 * Returns the plaintext of a record (passed without its length) in new memory, or undefined if it
 * is not the next record of this direction, or is beyond MOST_RECORDS.
 */
export function openRecord(cipher: CipherState, message: Uint8Array): Bytes | undefined {
  if (cipher.n >= MOST_RECORDS) return undefined;
  const plaintext = cipher.open(undefined, message);
  if (plaintext !== undefined) turn(cipher);
  return plaintext;
}

function turn(cipher: CipherState): void {
  if (cipher.n % REKEY_AFTER === 0) cipher.rekey();
}
