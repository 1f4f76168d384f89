// The sink that a connection keeps for life. A sink can be attached only once, but the listener
// behind it changes.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamSink } from '@trunkline/transport-core/backend';

/** The sink of a connection that carries bytes. It copies the data that it keeps. */
export type ByteSink = Required<Omit<StreamSink, 'frames' | 'copies'>>;

/** Forwards events to `sink`: first the opening, then the connection that it becomes. */
export class ForwardingSink implements StreamSink {
  /** Both sinks copy what they keep, so the underlying connection may reuse its memory. */
  readonly copies = true;
  sink: ByteSink;

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  /** Returns true: neither sink keeps a part of the chunk, so its memory may be freed. */
  data(chunk: Uint8Array): true {
    this.sink.data(chunk);
    return true;
  }

  frames(): void {}

  drained(): void {
    this.sink.drained();
  }

  revoked(error: TransportError): void {
    this.sink.revoked(error);
  }

  leave(text: string): void {
    this.sink.leave(text);
  }

  closed(error?: TransportError): void {
    this.sink.closed(error);
  }
}
