// Memory that is used again: batch buffers are shared by all connections of a transport, given back when they were written.

declare const Buffer: { allocUnsafeSlow?(size: number): Uint8Array<ArrayBuffer> } | undefined;

/** Bytes that will all be written before anybody reads them: without zeroing where the runtime can. */
export const allocate: (size: number) => Uint8Array<ArrayBuffer> =
  typeof Buffer !== 'undefined' && Buffer.allocUnsafeSlow !== undefined
    ? (size) => {
        const { buffer } = Buffer!.allocUnsafeSlow!(size);
        return new Uint8Array(buffer, 0, size);
      }
    : (size) => new Uint8Array(size);

export class BufferPool {
  private readonly free: Uint8Array[] = [];
  private readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  readonly take = (size: number): Uint8Array => (size <= this.size ? (this.free.pop() ?? allocate(this.size)) : allocate(size));

  /** The buffer is nobody's any more. */
  give(buffer: Uint8Array | undefined): void {
    if (buffer !== undefined && buffer.length === this.size && this.free.length < KEPT) this.free.push(buffer);
  }
}

/** Buffers that wait for their next use; more are left to the collector. */
const KEPT = 32;
