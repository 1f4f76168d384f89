// Memory as the runtime gives and takes it fastest: with system-clock and system-random the only file that names its globals.

declare const Buffer: { allocUnsafeSlow?(size: number): Uint8Array<ArrayBuffer> } | undefined;
declare const MessageChannel: (new () => { readonly port1: Port }) | undefined;

interface Port {
  postMessage(message: null, transfer: readonly ArrayBuffer[]): void;
  close(): void;
}

interface Transferable extends ArrayBuffer {
  transfer?(size: number): ArrayBuffer;
}

/**
 * Bytes that will all be written before anybody reads them: not zeroed first where the runtime can spare that.
 *
 * With the first long ones of a process, 31 MiB are taken that nobody touches, and left: once they are freed, glibc keeps up to twice as
 * much of what is free at the end of its heap (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). Else it gives the memory of long
 * messages back to the system again and again, and each new one is faulted in page by page, a fifth of its receiver's time.
 */
export const allocate: (size: number) => Uint8Array<ArrayBuffer> =
  typeof Buffer !== 'undefined' && Buffer.allocUnsafeSlow !== undefined
    ? (size) => {
        if (size > LONG && !isTold) {
          isTold = true;
          unzeroed(MAPPED); // For the collector: freed at once it would need what a simulation forbids.
        }
        return unzeroed(size);
      }
    : (size) => new Uint8Array(size);

function unzeroed(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer!.allocUnsafeSlow!(size).buffer, 0, size);
}

let isTold = false;

/**
 * Frees the memory of a chunk now, which the collector would do when it comes: for a stream layer whose sink is done with a chunk that
 * nobody else has. The chunk is empty then. One of at most 16 KiB, or that is a part of larger memory, is left as it is, and so are all
 * where the runtime has no means.
 *
 * (Who receives long messages would leave 64 KiB behind for every 64 KiB read; when 64 MB of them lie there, V8 of Node 24 marks and
 * sweeps the whole heap: docs/performance.md.)
 */
export function freeChunk(chunk: Uint8Array): void {
  if (chunk.length <= SHORT) return;
  const { buffer } = chunk;
  if (chunk.length === buffer.byteLength && buffer instanceof ArrayBuffer) free(buffer);
}

/** Node 20 has no `transfer`: what is sent to a closed port is taken from its sender, and nobody gets it. */
const free: (memory: Transferable) => void =
  'transfer' in ArrayBuffer.prototype ? (memory) => void memory.transfer!(0) : (memory) => (nowhere ??= closedPort())?.postMessage(null, [memory]);

function closedPort(): Port | undefined {
  if (typeof MessageChannel === 'undefined') return undefined;
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}

let nowhere: Port | undefined;

/** What is smaller is not worth it. */
const SHORT = 16 * 1024;
/** From here on it is no packet or batch, but a message of many: what glibc maps at first (above 128 KiB). */
const LONG = 256 * 1024;
/** glibc learns from blocks up to 32 MiB. */
const MAPPED = 31 * 1024 * 1024;
