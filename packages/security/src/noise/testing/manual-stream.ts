// A connection that a test drives by hand: it keeps the chunks that are written to it, and reports
// the events that the test triggers.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamSink } from '@trunkline/transport-core/backend';

export class ManualStream implements StreamConnection {
  readonly endpoint = 'hand:1';
  readonly attachment = {};
  /** Copies of the written chunks, taken at the time of the write. */
  readonly written: Uint8Array[] = [];
  /** The written chunks themselves, uncopied. */
  readonly memory: Uint8Array[] = [];
  /** The return value of `write`. */
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

/** A sink that records all events. */
export class RecordingSink implements StreamSink {
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
