// A connection that a test works by hand: it keeps what is written to it, and reports what it is told to.

import type { StreamConnection, StreamSink, TransportError } from '@trunkline/transport-core';

export class HandWire implements StreamConnection {
  readonly endpoint = 'hand:1';
  /** What was written, as it was then. */
  readonly written: Uint8Array[] = [];
  /** The memory that was written from. */
  readonly memory: Uint8Array[] = [];
  /** What `write` answers. */
  takes = true;
  sink!: StreamSink;
  paused = false;
  closes = 0;
  destroyed: { error: TransportError | undefined } | undefined;

  attach(sink: StreamSink): void {
    this.sink = sink;
  }

  write(chunk: Uint8Array): boolean {
    this.written.push(chunk.slice());
    this.memory.push(chunk);
    return this.takes;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(): void {
    this.closes++;
  }

  destroy(error?: TransportError): void {
    this.destroyed ??= { error };
  }
}

/** A sink that keeps what it is told. */
export class Ear implements StreamSink {
  readonly chunks: Uint8Array[] = [];
  drains = 0;
  readonly revocations: TransportError[] = [];
  readonly ends: (TransportError | undefined)[] = [];
  onData: (() => void) | undefined;

  data(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.onData?.();
  }

  frames(): void {}

  drained(): void {
    this.drains++;
  }

  revoked(error: TransportError): void {
    this.revocations.push(error);
  }

  closed(error?: TransportError): void {
    this.ends.push(error);
  }
}
