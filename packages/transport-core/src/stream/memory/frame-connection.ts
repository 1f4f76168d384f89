// One end of a direct connection, which passes frames unchanged.

import type { Clock } from '../../clock.ts';
import type { Frame } from '../../wire/frame.ts';
import { FrameCollector } from '../../wire/frame-collector.ts';
import type { StreamSink } from '../stream-layer.ts';
import type { CallbackRunner } from './end-of-tick.ts';
import { MemoryConnection } from './memory-connection.ts';

/**
 * One end of a connection without bytes. Its unit is the batch of frames that a session wrote at
 * once.
 */
export class FrameConnection extends MemoryConnection<Frame[]> {
  readonly frames: { readonly collector: FrameCollector; send(batch: Frame[]): void };

  constructor(endpoint: string, clock: Clock, callbacks?: CallbackRunner) {
    super(endpoint, clock, Number.POSITIVE_INFINITY, callbacks);
    this.frames = { collector: new FrameCollector(), send: (batch) => void this.put(batch) };
  }

  override write(): boolean {
    return true;
  }

  protected override sizeOf(): number {
    return 0;
  }

  protected override deliver(sink: StreamSink, batch: Frame[]): void {
    sink.frames(batch);
  }
}
