// What is sent, how it is answered, and how every reply is checked.

import { Buffer } from 'node:buffer';

/** Requests of one size, each another, over and over: a reply that belongs to another of the last calls in flight is noticed. */
export class Messages {
  readonly #requests: readonly Uint8Array[];
  #next = 0;
  #checked = 0;

  /** @param inFlight how many calls there are at a time: of twice as many each is another. */
  constructor(size: number, inFlight: number) {
    const distinct = Math.max(Math.min(Math.floor(MEMORY / size), MOST_DISTINCT), 2 * inFlight);
    this.#requests = Array.from({ length: distinct }, (_, number) => numbered(size, number));
  }

  take(): Uint8Array {
    const request = this.#requests[this.#next]!;
    this.#next = this.#next + 1 === this.#requests.length ? 0 : this.#next + 1;
    return request;
  }

  /** Every reply by its size and its number, which stands at both ends; one in `WHOLE` byte by byte. @throws Error for a wrong one. */
  check(request: Uint8Array, reply: Uint8Array): void {
    check(request, reply);
    if (request.length > ECHOED || ++this.#checked % WHOLE !== 0) return;
    if (Buffer.compare(request, reply) !== 0) throw new Error(`a wrong answer: ${reply.length} bytes that differ from those of the request in the middle`);
  }
}

/** A message of `size` bytes, 8 or more, with its number at both ends; no two of its pieces between are alike. */
export function numbered(size: number, number: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += PAGE) {
    const first = (number + (at >>> 8) * 7 + (at >>> 16) * 13) & 0xff;
    bytes.set(RAMP.subarray(first, first + Math.min(PAGE, size - at)), at);
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, number, true);
  view.setUint32(size - 4, ~number);
  return bytes;
}

/**
 * What every server does, by the request alone: a message of up to 64 KiB comes back as it is; of a longer one a receipt of eight bytes, its
 * size and a sum over a sample of it. An ack that says nothing could not be checked.
 */
export function answer(request: Uint8Array): Uint8Array {
  if (request.length <= ECHOED) return request;
  const { length } = request;
  const sum = sampled(request);
  return Uint8Array.of(length, length >>> 8, length >>> 16, length >>> 24, sum, sum >>> 8, sum >>> 16, sum >>> 24);
}

/** @throws Error where it is not the answer to that request, as far as its ends tell. */
export function check(request: Uint8Array, reply: Uint8Array): void {
  const { length } = request;
  if (length <= ECHOED) {
    const last = length - 1;
    if (reply.length === length && reply[0] === request[0] && reply[1] === request[1] && reply[last] === request[last] && reply[last - 1] === request[last - 1])
      return;
  } else if (reply.length === 8 && Buffer.compare(reply, answer(request)) === 0) return;
  throw new Error(`a wrong answer: ${reply.length} bytes, ${reply.slice(0, 8)}, to a request of ${length} bytes, ${request.slice(0, 8)}`);
}

/** One byte in 16 KiB, and the last: a piece that is lost, or in another's place, changes it. It reads 65 bytes of a MiB. */
function sampled(bytes: Uint8Array): number {
  let sum = bytes[bytes.length - 1]!;
  for (let at = 0; at < bytes.length; at += SAMPLE) sum = Math.imul(sum ^ bytes[at]!, FNV);
  return sum >>> 0;
}

const PAGE = 256;
/** Every byte in turn, from any first one. */
const RAMP = Uint8Array.from({ length: 2 * PAGE }, (_, at) => at);
/** Messages up to this size are echoed. */
const ECHOED = 64 * 1024;
const SAMPLE = 16 * 1024;
/** The prime of FNV-1a. */
const FNV = 16_777_619;
/** Bytes that the requests of one size may take: what does not fit a cache would measure memory. */
const MEMORY = 512 * 1024;
const MOST_DISTINCT = 4_096;
/** A power of two; of 64 KiB the comparison takes 2 % of a call. */
const WHOLE = 16;
