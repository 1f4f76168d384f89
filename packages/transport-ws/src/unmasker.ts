// Unmasks the messages of a dialer (RFC 6455, section 5.3), in place and word by word, before `ws`
// reads it. `ws` skips masks of zero. It would remove other masks byte by byte, which takes 6 times
// as long (1.4 ms for 1 MiB); an acceptor of such messages would need more than twice the CPU.
// `bufferutil`, which `ws` can use instead, is compiled code with an install script.

/**
 * Unmasks the frames of one connection, whatever chunks they arrive in. It validates nothing: bytes
 * that break the rules reach `ws` unchanged.
 */
export class Unmasker {
  /** The number of bytes of the current payload that have not arrived yet. */
  #left = 0;
  /**
   * The key, rotated so that it begins with the next byte of the payload; 0 means that there is
   * nothing to unmask.
   */
  #key = 0;
  /** The bytes received so far of a header that is split over chunks. */
  #head: Uint8Array | undefined = undefined;
  #got = 0;

  /** Unmasks a chunk of the connection in place; nothing else may use the chunk. */
  read(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0)
        at =
          this.#got > 0 || sizeOf(chunk, at) > chunk.length - at
            ? this.#piece(chunk, at)
            : this.#header(chunk, at);
      else {
        const end = Math.min(chunk.length, at + this.#left);
        if (this.#key !== 0) this.#key = unmask(chunk, at, end, this.#key);
        this.#left -= end - at;
        at = end;
      }
    }
  }

  /** Reads a header that is complete in the chunk and sets the key in it to zero. */
  #header(chunk: Uint8Array, at: number): number {
    const end = at + sizeOf(chunk, at);
    this.#left = lengthOf(chunk, at);
    this.#key = 0;
    if (isMasked(chunk, at)) {
      for (let i = 0; i < 4; i++) {
        keyBytes[i] = chunk[end - 4 + i]!;
        chunk[end - 4 + i] = 0;
      }
      this.#key = keyWord[0]!;
    }
    return end;
  }

  /**
   * Reads one more byte of a header that is split over chunks. `ws` may have read a part of the key
   * already, so the key stays and `ws` unmasks this frame itself.
   */
  #piece(chunk: Uint8Array, at: number): number {
    this.#head ??= new Uint8Array(LONGEST_HEADER);
    this.#head[this.#got++] = chunk[at]!;
    if (this.#got < 2 || this.#got < sizeOf(this.#head, 0)) return at + 1;
    this.#left = lengthOf(this.#head, 0);
    this.#key = this.#got = 0;
    this.#head = undefined;
    return at + 1;
  }
}

/**
 * Returns the size of the header that begins at `at`: at least 2 bytes, of which the second
 * determines the rest.
 */
function sizeOf(bytes: Uint8Array, at: number): number {
  if (at + 1 >= bytes.length) return 2;
  const length = bytes[at + 1]! & 0x7f;
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (isMasked(bytes, at) ? 4 : 0);
}

function isMasked(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + 1]! & 0x80) !== 0;
}

function lengthOf(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1]! & 0x7f;
  if (length < 126) return length;
  let sum = 0;
  for (let i = 0; i < (length === 126 ? 2 : 8); i++) sum = sum * 256 + bytes[at + 2 + i]!;
  return sum;
}

/** Unmasks a range and returns the key for the bytes that follow it. */
function unmask(chunk: Uint8Array, from: number, end: number, key: number): number {
  const aligned = Math.min(end, from + (-(chunk.byteOffset + from) & 3));
  const words = (end - aligned) >> 2;
  const next = unmaskBytes(chunk, from, aligned, key);
  if (words > 0) {
    const view = new Int32Array(chunk.buffer, chunk.byteOffset + aligned, words);
    for (let i = 0; i < words; i++) view[i]! ^= next;
  }
  return unmaskBytes(chunk, aligned + words * 4, end, next);
}

/** Unmasks up to three bytes before or after the aligned words. */
function unmaskBytes(chunk: Uint8Array, from: number, end: number, key: number): number {
  if (from === end) return key;
  keyWord[0] = key;
  for (let at = from; at < end; at++) chunk[at]! ^= keyBytes[at - from]!;
  for (let i = 0; i < 4; i++) turnedBytes[i] = keyBytes[(i + end - from) & 3]!;
  return turnedWord[0]!;
}

/** One key as four bytes and as a word, in the byte order of this machine. */
const keyBytes = new Uint8Array(4);
const keyWord = new Int32Array(keyBytes.buffer);
const turnedBytes = new Uint8Array(4);
const turnedWord = new Int32Array(turnedBytes.buffer);

const LONGEST_HEADER = 14;
