// Encodes text as UTF-8. In Node 20, TextEncoder.encode spends most of its time on the allocation
// of an ArrayBuffer, so short texts share one.

/**
 * Returns the UTF-8 of a text. The bytes of short texts share an ArrayBuffer of 4 KiB with others,
 * as with `Buffer.from`: a message that is kept keeps at most that much memory.
 */
export function encodeText(text: string): Uint8Array {
  if (text.length > LONGEST) return encoder.encode(text);
  if (text.length <= rest.length) {
    const { read, written } = encoder.encodeInto(text, rest);
    if (read === text.length) return take(written);
  }
  rest = new Uint8Array(SHARED);
  return take(encoder.encodeInto(text, rest).written);
}

function take(length: number): Uint8Array {
  const bytes = rest.subarray(0, length);
  rest = rest.subarray(length);
  return bytes;
}

/** The size of the shared memory in bytes, and the length of the longest text that uses it. */
const SHARED = 4_096;
const LONGEST = SHARED / 4;

const encoder = new TextEncoder();
/** The shared memory that is still free. */
let rest = new Uint8Array(0);
