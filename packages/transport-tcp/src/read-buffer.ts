// One read buffer, shared by all sockets that this thread dialed without TLS: reads allocate
// nothing, and chunks do not pass through a Readable. Node offers this option (`onread`) only for
// dialed sockets, not for accepted ones.

import type { OnReadOpts } from 'node:net';
import type { Bytes } from '@trunkline/transport-core/backend';

/**
 * The read callback of a socket that is about to be dialed. TcpConnection calls `start` when a sink
 * is attached, or when it is closed without one. Until then the socket must be paused (TcpLayer
 * pauses it), because a read would throw.
 */
export class SocketReader {
  #read: ((chunk: Bytes) => boolean) | undefined = undefined;

  /**
   * @param read receives each chunk, whose memory is valid until `read` returns. `read` returns
   *   false to stop reading for now.
   */
  start(read: (chunk: Bytes) => boolean): void {
    this.#read = read;
  }

  /** Returns the `onread` option for Node's `connect`. */
  onread(): OnReadOpts {
    buffer ??= new Uint8Array(SIZE);
    return {
      buffer,
      callback: (length) => this.#read!(new Uint8Array(buffer!.buffer, 0, length)),
    };
  }
}

/** Allocated by the first dial. */
let buffer: Bytes | undefined;

/** The size, in bytes, that libuv would allocate for each read. */
const SIZE = 64 * 1024;
