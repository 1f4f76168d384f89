// Decodes bytes into frames, no matter how the bytes are cut into chunks. Bad input from a peer is
// a return value, never an exception. Memory is allocated for received bytes, not for announced
// lengths. A Session that reads bytes owns a decoder, and is its visitor; `screenHello` reads one
// frame with a decoder of its own. decoder.test.ts and its siblings test the decoder, and
// session/early-cancels.test.ts the search for CANCEL frames below.

import { EMPTY, Frame, ID, KIND, PAYLOAD, parseFrame, readId } from './frame.ts';
import * as Kind from './kind.ts';

/**
 * A protocol violation by the peer, which ends its connection: `too_large` for a frame above this
 * end's limit, otherwise `malformed`.
 */
export interface FrameViolation {
  reason: 'malformed' | 'too_large';
  message: string;
}

/** Receives decoded frames. */
export interface FrameVisitor {
  /**
   * Handles a frame. Returning false stops the decoder: it drops the rest of the chunk and
   * everything that follows, unless the visitor `pauses`.
   */
  frame(frame: Frame): boolean;
  /**
   * The decoder reads this after `frame` has returned false. True makes the decoder keep the rest
   * of the chunk in `unread` and continue with the next chunk.
   */
  readonly pauses?: boolean;
  /**
   * Called for each chunk with bytes of a PART of call `id` that was split across chunks, unless
   * the decoder reads the PART into a buffer (see `#begin`). Returns memory of exactly `length`
   * bytes for its whole payload: the same memory for each chunk, unless nobody wants the payload
   * anymore. The decoder keeps no reference to it between two chunks, so it may be freed then. The
   * payload may never arrive completely, and the call may have ended by then.
   */
  place?(id: number, length: number): Uint8Array;
}

/**
 * Decodes the frames of one connection (after the preamble). After a violation, or after the
 * visitor returned false and does not pause, it reads nothing more. All frames share one Frame
 * object, whose payload and hello are views into the chunk; its `bytes` are the very object that
 * `read` was given, by which PayloadRetainer (session/packets.ts; session/chunks.test.ts) tells
 * that a payload shares the chunk. If the frame was split across chunks, they are views into a
 * buffer, or the payload fills the memory that `place` returned.
 */
export class FrameDecoder {
  /**
   * Maximum length of an accepted frame in bytes, not counting the bytes of the length itself;
   * below 2^28.
   */
  #maxLength: number;
  readonly #allocate: (size: number) => Uint8Array;
  readonly #frame = new Frame().widen();
  #dead = false;
  #reading = false;
  /**
   * The state of a length that was split across chunks: its bits so far, and the number of its
   * bytes that have arrived.
   */
  #length = 0;
  #lengthBytes = 0;
  /**
   * The state of a frame that was split across chunks: its beginning, the number of its bytes that
   * have arrived, and its length (0 if unknown).
   */
  #body: Uint8Array = EMPTY;
  #filled = 0;
  #expected = 0;
  /** A buffer that the visitor returned for reuse. */
  #spare: Uint8Array = EMPTY;
  /**
   * The state of a PART that was split across chunks and for whose payload the visitor gives the
   * memory: its call id, the length of its payload (0 for other frames), and the payload once it is
   * complete.
   */
  #id = 0;
  #size = 0;
  #payload: Uint8Array = EMPTY;
  /**
   * The unread rest of the last chunk, after a visitor paused: pass it to `read` again before
   * anything else.
   */
  unread: Uint8Array = EMPTY;

  constructor(options: { maxLength: number; allocate: (size: number) => Uint8Array }) {
    this.#maxLength = options.maxLength;
    this.#allocate = options.allocate;
  }

  /** Sets the maximum length of an accepted frame, from the next frame on. */
  limit(maxLength: number): void {
    this.#maxLength = maxLength;
  }

  /**
   * The number of bytes of an incomplete frame that have arrived (a known length counts as one
   * byte); 0 between frames.
   */
  get partial(): number {
    return this.#expected === 0 ? this.#lengthBytes : 1 + this.#filled;
  }

  /** The number of bytes that the incomplete frame still lacks; 0 if its length is not known. */
  get missing(): number {
    return this.#expected - this.#filled;
  }

  /**
   * Passes each complete frame to the visitor before returning. Returns the peer's violation, after
   * which all chunks are dropped; otherwise undefined. The chunk must not change while views into
   * it are in use. If the visitor throws, decoding ends, even if it `pauses`, and the error is
   * rethrown.
   *
   * @throws TypeError when called from inside a visitor: pass the chunk after the visitor has
   * returned.
   */
  read(chunk: Uint8Array, visitor: FrameVisitor): FrameViolation | undefined {
    if (this.#dead) return undefined;
    if (this.#reading)
      throw new TypeError(
        'read() was called from inside a FrameVisitor; pass the chunk after the visitor has returned',
      );
    this.#reading = true;
    let result: FrameViolation | undefined = STOPPED;
    this.unread = EMPTY;
    try {
      result = this.#read(chunk, visitor);
    } finally {
      this.#reading = false;
      if (result === undefined) this.#rest();
      else this.#end();
    }
    return result === STOPPED ? undefined : result;
  }

  /**
   * Called from inside `frame` when the payload was copied, so that its buffer can hold the next
   * frame that is split across chunks. (A new 64 KiB buffer for each packet of a long message costs
   * as much as reading the packet.)
   */
  recycle(): void {
    if (this.#body !== EMPTY) this.#spare = this.#body;
  }

  #read(chunk: Uint8Array, visitor: FrameVisitor): FrameViolation | undefined {
    let at = 0;
    if (this.#expected !== 0) {
      at = this.#size === 0 ? this.#fill(chunk, 0) : this.#pour(chunk, 0, visitor);
      if (this.#filled < this.#expected) return undefined;
      const result = this.#assembled(visitor);
      if (result !== undefined) return result === STOPPED ? this.#stop(chunk, at, visitor) : result;
    }
    const frame = this.#frame;
    const available = chunk.length;
    while (at < available) {
      let length = chunk[at]!;
      if (length < 0x80 && this.#lengthBytes === 0) at++;
      else {
        length = this.#length;
        let bytes = this.#lengthBytes;
        for (;;) {
          const byte = chunk[at++]!;
          length |= (byte & 0x7f) << (7 * bytes++);
          if (byte < 0x80) break;
          if (bytes === MAX_LENGTH_BYTES)
            return malformed(`a frame's length takes more than ${MAX_LENGTH_BYTES} bytes`);
          if (at === available) {
            this.#length = length;
            this.#lengthBytes = bytes;
            return undefined;
          }
        }
        this.#length = this.#lengthBytes = 0;
      }
      if (length === 0) return malformed('an empty frame');
      if (length > this.#maxLength)
        return {
          reason: 'too_large',
          message: `a frame of ${length} bytes, above the limit of ${this.#maxLength} here`,
        };
      const end = at + length;
      if (end > available) {
        this.#expected = length;
        const start = visitor.place === undefined ? at : this.#begin(chunk, at, end);
        if (this.#size === 0) this.#fill(chunk, at);
        else this.#pour(chunk, start, visitor);
        return undefined;
      }
      const wrong = parseFrame(frame, chunk, at, end);
      if (wrong !== undefined) return malformed(wrong);
      at = end;
      if (!visitor.frame(frame)) return this.#stop(chunk, at, visitor);
    }
    return undefined;
  }

  /**
   * Handles a `false` from the visitor: keeps the rest of the chunk if the visitor pauses,
   * otherwise stops.
   */
  #stop(chunk: Uint8Array, at: number, visitor: FrameVisitor): FrameViolation | undefined {
    if (visitor.pauses !== true) return STOPPED;
    if (at < chunk.length) this.unread = chunk.subarray(at);
    return undefined;
  }

  /**
   * Releases memory. Between two chunks, `unread`, a frame that was cut and a buffer for it are
   * kept, and the metadata and the text of the last frame.
   */
  #rest(): void {
    this.#frame.release();
    if (this.#expected === 0) this.#spare = EMPTY;
  }

  #end(): void {
    this.#dead = true;
    this.#length = this.#lengthBytes = this.#filled = this.#expected = this.#size = 0;
    this.#body = EMPTY;
    this.#rest();
  }

  /**
   * If the frame that was cut is a PART as Trunkline's encoder writes it, begins a payload that is
   * read into the visitor's memory, and returns the position where the payload begins. Otherwise
   * returns `at`, and `#size` stays 0.
   */
  #begin(chunk: Uint8Array, at: number, end: number): number {
    if (
      chunk.length < at + PART_HEADER ||
      chunk[at] !== KIND ||
      chunk[at + 1] !== Kind.PART ||
      chunk[at + 2] !== ID ||
      chunk[at + 7] !== PAYLOAD
    )
      return at;
    let start = at + 8;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = chunk[start++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (start === at + PART_HEADER) return at;
    }
    if (start + length !== end) return at;
    this.#id = readId(chunk, at + 3);
    this.#size = length;
    this.#filled = start - at;
    return start;
  }

  /** Copies the bytes of a cut payload from the chunk to the visitor's memory. */
  #pour(chunk: Uint8Array, at: number, visitor: FrameVisitor): number {
    const place = visitor.place!(this.#id, this.#size);
    const left = this.#expected - this.#filled;
    const end = Math.min(chunk.length, at + left);
    place.set(
      at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end),
      place.length - left,
    );
    this.#filled += end - at;
    if (end === at + left) this.#payload = place;
    return end;
  }

  /**
   * Copies the bytes of a cut frame from the chunk to the buffer. A buffer that is allocated has at
   * most four times the received bytes, or `SMALL_BUFFER`.
   */
  #fill(chunk: Uint8Array, at: number): number {
    const filled = this.#filled;
    const end = Math.min(chunk.length, at + this.#expected - filled);
    const needed = filled + end - at;
    if (this.#body.length < needed) {
      let body = this.#spare;
      this.#spare = EMPTY;
      if (body.length < this.#expected)
        body = this.#allocate(Math.min(this.#expected, Math.max(needed * 4, SMALL_BUFFER)));
      if (filled > 0) body.set(this.#body.subarray(0, filled));
      this.#body = body;
    }
    this.#body.set(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end), filled);
    this.#filled = needed;
    return end;
  }

  /** Passes a frame that was cut to the visitor, once it is complete. */
  #assembled(visitor: FrameVisitor): FrameViolation | undefined {
    const length = this.#expected;
    this.#filled = this.#expected = 0;
    const wrong =
      this.#size === 0 ? parseFrame(this.#frame, this.#body, 0, length) : this.#placed();
    const going = wrong === undefined && visitor.frame(this.#frame);
    this.#body = EMPTY;
    if (wrong !== undefined) return malformed(wrong);
    return going ? undefined : STOPPED;
  }

  /** Builds the frame of a payload that is complete in the visitor's memory. */
  #placed(): string | undefined {
    const payload = this.#payload;
    this.#payload = EMPTY;
    this.#size = 0;
    for (let i = 0; i < 4; i++) header[3 + i] = this.#id >>> (8 * i);
    const wrong = parseFrame(this.#frame, header, 0, header.length);
    this.#frame.place(payload, 0, payload.length);
    return wrong;
  }
}

function malformed(message: string): FrameViolation {
  return { reason: 'malformed', message };
}

/** The result for a visitor that wants no more frames. */
const STOPPED: FrameViolation = { reason: 'malformed', message: '' };

/**
 * Maximum number of bytes in the varint of a frame's length, over-long forms included: lengths are
 * below 2^28.
 */
const MAX_LENGTH_BYTES = 4;

/** The smallest buffer that is allocated, unless the frame is shorter. */
const SMALL_BUFFER = 4 * 1024;

/** Maximum size of a PART's header, in bytes: kind, id, and the payload's tag and length. */
const PART_HEADER = 12;
/** The kind and the id of a PART. All decoders share it; `#placed` writes the id at each use. */
const header = Uint8Array.of(KIND, Kind.PART, ID, 0, 0, 0, 0);

// Finds the CANCEL frames of a chunk without decoding the other frames.

/**
 * Returns the ids of the CANCEL frames in a chunk, if they are written as Trunkline's encoder
 * writes them: the kind first, then the id. Returns undefined if there are none. The chunk need not
 * be valid: then some ids are missing or wrong.
 * @param from where a frame begins.
 */
export function cancelsIn(chunk: Uint8Array, from: number): Set<number> | undefined {
  let ids: Set<number> | undefined;
  const last = chunk.length - LENGTH - 1;
  for (let at = from; at <= last; ) {
    let length = chunk[at++]!;
    for (let shift = 7; length >> shift > 0 && shift < 28; shift += 7)
      length = (length & ((1 << shift) - 1)) | (chunk[at++]! << shift);
    if (
      length === LENGTH &&
      chunk[at + 1] === Kind.CANCEL &&
      chunk[at] === KIND &&
      chunk[at + 2] === ID
    )
      ids = (ids ?? new Set()).add(readId(chunk, at + 3));
    at += length;
  }
  return ids;
}

/** Returns the ids of the CANCELs among these frames, from index `from` on; undefined if none. */
export function cancelsAmong(frames: readonly Frame[], from: number): Set<number> | undefined {
  let ids: Set<number> | undefined;
  for (let at = from; at < frames.length; at++) {
    const frame = frames[at]!;
    if (frame.kind === Kind.CANCEL) ids = (ids ?? new Set()).add(frame.id);
  }
  return ids;
}

/** The length of a CANCEL. */
const LENGTH = 7;
