// Remembers the content digests of the last messages, as numbers in a ring buffer. A Map with an
// object and a string for each of thousands of messages kept the garbage collector busier than all
// other work on a message.

import type { Bytes } from '@trunkline/transport-core/backend';

export class RecentDigests {
  readonly #most: number;
  #size = 0;
  /** Position of the oldest entry in the ring. */
  #first = 0;
  #ring = new Ring(LEAST);

  /** @param most the maximum number of digests; beyond it the oldest is dropped */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Time at which the oldest digest was added; Infinity if there is none. */
  get oldest(): number {
    return this.#size === 0
      ? Number.POSITIVE_INFINITY
      : this.#ring.numbers[EACH * this.#first + TIME]!;
  }

  /**
   * Adds a digest.
   * @param life the serial number of the origin's life
   */
  keep(life: number, sequence: number, digest: number, now: number): void {
    if (this.#most === 0) return;
    if (this.#size === this.#most) this.dropOldest();
    else if (this.#size > this.#ring.mask) this.#grow();
    this.#ring.write((this.#first + this.#size) & this.#ring.mask, life, sequence, digest, now);
    this.#size++;
  }

  dropOldest(): void {
    this.#first = (this.#first + 1) & this.#ring.mask;
    this.#size--;
  }

  /** Returns the digest of a message; −1 if it is not known. */
  get(life: number, sequence: number): number {
    const { numbers, heads, befores, mask } = this.#ring;
    let younger = this.#size;
    let place = heads[slotOf(life, sequence) & mask]!;
    for (let steps = 0; steps < STEPS && place >= 0; steps++) {
      // An entry that was dropped ends the chain; its position may already hold a later entry.
      const age = (place - this.#first) & mask;
      if (age >= younger) return -1;
      if (numbers[EACH * place + SEQUENCE] === sequence && numbers[EACH * place + LIFE] === life)
        return numbers[EACH * place + DIGEST]!;
      younger = age;
      place = befores[place]!;
    }
    return -1;
  }

  #grow(): void {
    const { numbers, mask } = this.#ring;
    const ring = new Ring(2 * (mask + 1));
    for (let i = 0; i < this.#size; i++) {
      const from = EACH * ((this.#first + i) & mask);
      ring.write(
        i,
        numbers[from + LIFE]!,
        numbers[from + SEQUENCE]!,
        numbers[from + DIGEST]!,
        numbers[from + TIME]!,
      );
    }
    this.#ring = ring;
    this.#first = 0;
  }
}

/** A ring buffer whose size is a power of two. */
class Ring {
  readonly mask: number;
  /** For each position, side by side: life, sequence, digest and time. */
  readonly numbers: Float64Array;
  /** For each hash slot, the position written last; −1 if there is none. */
  readonly heads: Int32Array;
  /** For each position, the previous position in the same hash slot. */
  readonly befores: Int32Array;

  constructor(places: number) {
    this.mask = places - 1;
    this.numbers = new Float64Array(EACH * places);
    this.heads = new Int32Array(places).fill(-1);
    this.befores = new Int32Array(places);
  }

  write(place: number, life: number, sequence: number, digest: number, now: number): void {
    const slot = slotOf(life, sequence) & this.mask;
    const { numbers } = this;
    const at = EACH * place;
    numbers[at + LIFE] = life;
    numbers[at + SEQUENCE] = sequence;
    numbers[at + DIGEST] = digest;
    numbers[at + TIME] = now;
    this.befores[place] = this.heads[slot]!;
    this.heads[slot] = place;
  }
}

/**
 * Returns a hash. Sequences of one life get adjacent slots, because scattered slots caused a memory
 * fetch for each message.
 */
function slotOf(life: number, sequence: number): number {
  return (sequence + Math.imul(life, 0x9e37_79b1)) | 0;
}

const EACH = 4;
const LIFE = 0;
const SEQUENCE = 1;
const DIGEST = 2;
const TIME = 3;
const LEAST = 16;
/**
 * Maximum number of entries examined in one hash slot. An attacker that fills a slot can hide some
 * conflicts but can't cause more work.
 */
const STEPS = 16;

// A fast digest of a message's content, used to detect two contents under one id. It is not
// cryptographic: anyone can construct two contents with the same digest.

/**
 * Returns an integer from 0 to 2^53 − 1. The mixing follows MurmurHash3, in four lanes that don't
 * depend on each other. Each round multiplies one of two words. It rotates the other, so that bits
 * in equal positions don't cancel each other, and the next round multiplies it. Multiplying all
 * words took twice as long.
 */
export function contentDigest(bytes: Uint8Array): number {
  const { view, at: start } = look(bytes);
  const { length } = bytes;
  const end = start + length;
  // All values stay signed 32-bit integers. Otherwise V8 would keep them as floating-point numbers
  // and convert them in each round.
  let a = 0x9e37_79b9 ^ length;
  let b = 0x85eb_ca6b | 0;
  let c = 0xc2b2_ae35 | 0;
  let d = 0x27d4_eb2f | 0;
  let at = start;
  for (const last = end - 32; at <= last; at += 32) {
    a = Math.imul(a ^ view.getInt32(at, true), 0xcc9e_2d51) ^ turned(view.getInt32(at + 16, true));
    b =
      Math.imul(b ^ view.getInt32(at + 4, true), 0x1b87_3593) ^
      turned(view.getInt32(at + 20, true));
    c =
      Math.imul(c ^ view.getInt32(at + 8, true), 0xcc9e_2d51) ^
      turned(view.getInt32(at + 24, true));
    d =
      Math.imul(d ^ view.getInt32(at + 12, true), 0x1b87_3593) ^
      turned(view.getInt32(at + 28, true));
    // The high bits of a product don't affect the low bits of the next one.
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 15;
    d ^= d >>> 13;
  }
  for (const last = end - 4; at <= last; at += 4) {
    a = Math.imul(a ^ view.getInt32(at, true), 0xcc9e_2d51);
    a ^= a >>> 15;
  }
  for (; at < end; at++) {
    a = Math.imul(a ^ view.getUint8(at), 0xcc9e_2d51);
    a ^= a >>> 15;
    b = Math.imul(b + view.getUint8(at), 0x1b87_3593);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ Math.imul(c, 0x1b87_3593) ^ (b >>> 16), 0xc2b2_ae35);
  b = Math.imul(b ^ Math.imul(d, 0xcc9e_2d51) ^ (a >>> 13), 0x85eb_ca6b);
  // The result is too short for all bits of b.
  a ^= Math.imul(b ^ (b >>> 15), 0x1b87_3593);
  return ((b ^ (b >>> 16)) & 0x1f_ffff) * 0x1_0000_0000 + ((a ^ (a >>> 16)) >>> 0);
}

function turned(word: number): number {
  return (word << 13) | (word >>> 19);
}

// Gives access to bytes by 32-bit words. Comparing node ids and digesting contents by words takes a
// third of the time that it takes by bytes. Getting the buffer of a typed array is a call into the
// engine, and so is creating a view. Therefore the last buffer and view are kept: a message is read
// several times, and messages that arrive together share their memory.

/**
 * A view of the whole memory that holds some bytes, and their offset in it. Readers must stay
 * within the bytes. The object is shared: it is valid until the next call of `look` or `rest`.
 */
export interface WordReader {
  readonly view: DataView<ArrayBufferLike>;
  readonly at: number;
}

const here = {
  bytes: new Uint8Array(0),
  memory: new ArrayBuffer(0) as ArrayBufferLike,
  view: new DataView<ArrayBufferLike>(new ArrayBuffer(0)),
  at: 0,
};

/** Returns access to these bytes. */
export function look(bytes: Uint8Array): WordReader {
  if (bytes !== here.bytes) turn(bytes);
  return here;
}

/**
 * Returns the same bytes as `bytes.subarray(from)`, in half the time, as a plain Uint8Array. The
 * cached view then belongs to the result. Throws a RangeError if `from` is too large.
 */
export function rest(bytes: Uint8Array, from: number): Uint8Array {
  if (bytes !== here.bytes) turn(bytes);
  const at = here.at + from;
  const part = new Uint8Array(here.memory, at, bytes.length - from);
  here.bytes = part as Bytes;
  here.at = at;
  return part;
}

function turn(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer !== here.memory) {
    here.memory = buffer;
    here.view = new DataView(buffer);
  }
  here.bytes = bytes as Bytes;
  here.at = bytes.byteOffset;
}
