// Short byte arrays that share memory with others. In Node 20, most of the time that it takes to
// create one is spent on the allocation of an ArrayBuffer.

/**
 * Returns the UTF-8 of a text. The bytes of short texts share an ArrayBuffer of 4 KiB with others,
 * as with `Buffer.from`: a message that is kept keeps at most that much memory.
 */
export function encodeText(text: string): Uint8Array {
  if (text.length > LONGEST) return encoder.encode(text);
  if (text.length <= memory.byteLength - used) {
    const { read, written } = encoder.encodeInto(text, new Uint8Array(memory, used));
    if (read === text.length) return take(written);
  }
  begin();
  return take(encoder.encodeInto(text, new Uint8Array(memory)).written);
}

/**
 * Returns a copy of bytes. The copy of 65 to LONGEST bytes shares memory with others, as the result
 * of `encodeText` does.
 */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length <= ON_HEAP || length > LONGEST) return new Uint8Array(bytes);
  if (length > memory.byteLength - used) begin();
  const copy = take(length);
  copy.set(bytes);
  return copy;
}

function begin(): void {
  memory = new ArrayBuffer(SHARED);
  used = 0;
}

function take(length: number): Uint8Array {
  const bytes = new Uint8Array(memory, used, length);
  used += length;
  return bytes;
}

/**
 * The size of the shared memory in bytes, and the length of the longest text (in UTF-16 units) or
 * bytes that use it. A unit takes up to three bytes, and `encodeText` would truncate a text that
 * does not fit in empty shared memory, so LONGEST must be at most a third of SHARED.
 */
const SHARED = 4_096;
const LONGEST = SHARED / 4;
/** Maximum length of an array that V8 keeps in the JavaScript heap, where it costs less. */
const ON_HEAP = 64;

const encoder = new TextEncoder();
/**
 * The current shared memory, and the number of its bytes that were handed out; these are never
 * written again, because a codec with `owned` may have returned them. The memory has no bytes if a
 * program has transferred it to a worker.
 */
let memory = new ArrayBuffer(SHARED);
let used = 0;
