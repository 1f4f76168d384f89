// One end of an in-memory byte stream.

import type { StreamSink } from '../stream-layer.ts';
import { MemoryConnection } from './memory-connection.ts';

/** One end of a connection that carries bytes. */
export class ByteConnection extends MemoryConnection<Uint8Array> {
  override write(chunk: Uint8Array): boolean {
    // A copy, so that the writer may reuse its memory, and neither end sees changes by the other.
    return chunk.length === 0 || this.put(new Uint8Array(chunk));
  }

  protected override sizeOf(chunk: Uint8Array): number {
    return chunk.length;
  }

  protected override deliver(sink: StreamSink, chunk: Uint8Array): void {
    sink.data(chunk);
  }
}
