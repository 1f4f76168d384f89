// One buffer that all sockets which this thread dialled are read into, one after the other: nothing is allocated for a read, nor does a
// chunk pass through a Readable. (Node offers that to who dials and not to who accepts.)

import type { OnReadOpts } from 'node:net';

/** What a socket that is about to be dialled reads with; its connection comes later, and until then the socket is paused. */
export class Reader {
  /** Takes a chunk, whose memory is good until it returns. False: it wants no more for now. */
  read: ((chunk: Uint8Array<ArrayBuffer>) => boolean) | undefined = undefined;

  /** What Node's `connect` is given. */
  onread(): OnReadOpts {
    buffer ??= new Uint8Array(SIZE);
    return {
      buffer,
      callback: (length) => this.read!(new Uint8Array(buffer!.buffer, 0, length)),
    };
  }
}

/** From the first dial on. */
let buffer: Uint8Array<ArrayBuffer> | undefined;

/** What libuv would allocate for each read. */
const SIZE = 64 * 1024;
