// What a connection reports to for all its life: a sink is attached once, and who listens changes.

import type { StreamSink, TransportError } from '@trunkline/transport-core';

/** The sink of a connection that carries bytes. */
export type ByteSink = Required<Omit<StreamSink, 'frames' | 'copies'>>;

/** First the opening listens, then what became of it. */
export class Tap implements StreamSink {
  sink: ByteSink;

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  data(chunk: Uint8Array): void {
    this.sink.data(chunk);
  }

  frames(): void {}

  drained(): void {
    this.sink.drained();
  }

  revoked(error: TransportError): void {
    this.sink.revoked(error);
  }

  closed(error?: TransportError): void {
    this.sink.closed(error);
  }
}
