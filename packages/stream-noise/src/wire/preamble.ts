// The first five bytes of each end: "TRKN" and a version. Whoever begins otherwise is named, so that the mistake can be mended.

import { lookAlike, type Reason } from '@trunkline/transport-core';

/** The version of what is described here. Another version is another byte, and nothing else is promised of it. */
export const VERSION = 1;

/** "TRKN" and the version. The initiator's is the prologue of the handshake: who alters it, alters that. */
export const PREAMBLE: Uint8Array = Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, VERSION);

/** What the other end's first bytes have shown. */
export interface Stranger {
  readonly reason: Extract<Reason, 'wrong_preamble' | 'wrong_version'>;
  readonly text: string;
  /** It is a relative, and learns by our preamble what it has met. */
  readonly answer: boolean;
}

/** Judges the first bytes: 'more' where they are too few, 'ours' where the first five are right. */
export function judgePreamble(bytes: Uint8Array): 'more' | 'ours' | Stranger {
  const magic = MAGIC.findIndex((byte, i) => i < bytes.length && bytes[i] !== byte);
  if (magic >= 0) {
    const isPlain = startsWith(bytes, 'TRKL');
    const text = isPlain
      ? 'the other end speaks plain Trunkline (TRKL), it is not secured; this end speaks noise: give both the same security'
      : `the other end speaks ${lookAlike(bytes)}, this end Trunkline secured by noise (TRKN): give both the same security`;
    return { reason: 'wrong_preamble', text, answer: isPlain };
  }
  if (bytes.length < PREAMBLE.length) return 'more';
  const version = bytes[MAGIC.length]!;
  if (version === VERSION) return 'ours';
  const text = `the other end speaks version ${version} of Trunkline's noise, this end version ${VERSION}: bring both up to date`;
  return { reason: 'wrong_version', text, answer: true };
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return textOf(bytes.subarray(0, text.length)) === text;
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const MAGIC = Array.from(PREAMBLE.subarray(0, 4));
