// The fastest ways to allocate and free memory in each runtime. Of this package, only the
// system-*.ts files use such globals of the runtime.
//
// The bars for messages of 1 MiB over TCP (s5 in bench/src/calls.ts) depend on them. If memory were
// zeroed, the receiver would need 1.34 times the CPU time; without `freeChunk`, 1.14 times; and
// without the freed 31 MiB, 1.09 times, with 5 to 80 page faults for each message instead of 0.4 to
// 5 (Node 20, medians of alternating runs).

import { override } from './runtime-override.ts';
import type { Bytes } from './text.ts';

declare const Buffer: { allocUnsafeSlow?(size: number): Bytes } | undefined;
declare const MessageChannel: (new () => { readonly port1: MessagePortLike }) | undefined;

interface MessagePortLike {
  postMessage(message: null, transfer: readonly ArrayBuffer[]): void;
  close(): void;
}

interface Transferable extends ArrayBuffer {
  transfer?(size: number): ArrayBuffer;
}

/**
 * Allocates bytes that are not zeroed if the runtime allows that. The caller must write all of them
 * before they are read. The result is a plain Uint8Array, because programs receive it as a message
 * (stream/buffers.test.ts), and fills its ArrayBuffer, or `freeChunk` would do nothing
 * (system-memory.test.ts).
 *
 * The first long allocation of a thread also allocates 31 MiB that are never touched and leaves
 * them to the garbage collector. Once they are freed, glibc keeps up to twice as much free memory
 * at the end of its heap (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). Otherwise it would
 * return the memory of long messages to the system again and again, and each new message would be
 * faulted in page by page.
 */
export const allocate: (size: number) => Bytes =
  typeof Buffer !== 'undefined' && Buffer.allocUnsafeSlow !== undefined
    ? (size) => {
        if (size > LONG && !hasRaisedThresholds) {
          hasRaisedThresholds = true;
          // Left to the garbage collector: on Node 20, freeing it now would need a MessageChannel,
          // which simulations forbid.
          unzeroed(MAPPED);
        }
        return unzeroed(size);
      }
    : (size) => new Uint8Array(size);

function unzeroed(size: number): Bytes {
  return new Uint8Array(Buffer!.allocUnsafeSlow!(size).buffer, 0, size);
}

/**
 * True once this thread has allocated the block whose release makes glibc keep more free memory.
 */
let hasRaisedThresholds = false;

/**
 * Frees the memory of a chunk or of an incomplete message now, without waiting for the garbage
 * collector. Call it only for memory that nobody else holds, such as a chunk with which the sink of
 * a stream layer is done; it is empty afterwards. Does nothing in a simulation, for a chunk of at
 * most 16 KiB, for a part of larger memory, or if the runtime has no means to free memory.
 *
 * Without it, a receiver of long messages leaves 64 KiB of garbage for every 64 KiB that it reads.
 * At 64 MB of such garbage, V8 in Node 24 marks and sweeps the whole heap.
 */
export function freeChunk(chunk: Uint8Array): void {
  // In a simulation, it would make runs irreproducible.
  if (chunk.length <= SHORT || override !== undefined) return;
  const { buffer } = chunk;
  if (chunk.length === buffer.byteLength && buffer instanceof ArrayBuffer) free(buffer);
}

/**
 * Frees a buffer. Node 20 has no `transfer`; there the buffer is sent to a closed port, which takes
 * it from its sender and discards it.
 */
const free: (memory: Transferable) => void =
  'transfer' in ArrayBuffer.prototype
    ? (memory) => void memory.transfer!(0)
    : (memory) => (nowhere ??= closedPort())?.postMessage(null, [memory]);

function closedPort(): MessagePortLike | undefined {
  if (typeof MessageChannel === 'undefined') return undefined;
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}

let nowhere: MessagePortLike | undefined;

/** Maximum size, in bytes, of a chunk that is not worth freeing. */
const SHORT = 16 * 1024;
/**
 * The size in bytes above which an allocation holds a message of many packets rather than a packet
 * or a batch (with the default `limits.packet`). glibc uses mmap for them at first (above 128 KiB).
 */
const LONG = 256 * 1024;
/**
 * A size in bytes just below 32 MiB, which is the largest block from which glibc adjusts its
 * thresholds.
 */
const MAPPED = 31 * 1024 * 1024;
