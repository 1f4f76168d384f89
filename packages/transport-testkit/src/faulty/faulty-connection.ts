// A connection with faults: the rules of a stream above, two lanes, and the wrapped connection
// below.

import type { Clock, ClockTimer, TransportError } from '@trunkline/transport-core';
import {
  reasonError,
  type StreamConnection,
  type StreamSink,
} from '@trunkline/transport-core/backend';
import type { Frame } from '@trunkline/transport-core/internal';
import type { FaultSettings } from './faults.ts';
import { type Cargo, Lane, type LaneRandom } from './lane.ts';

/** The layer, as its connections use it. */
export interface FaultyConnectionOwner {
  readonly clock: Clock;
  /** The current faults. */
  readonly settings: { readonly out: FaultSettings; readonly in: FaultSettings };
  /**
   * Keeps a connection that has ended for its owner but cannot notify the other end yet, until the
   * line works again or the layer closes.
   */
  detach(connection: FaultyConnection): void;
  /** Stops tracking a connection that has ended at both ends. */
  gone(connection: FaultyConnection): void;
}

export class FaultyConnection implements StreamConnection {
  readonly endpoint: string;
  readonly nodeId: string | undefined;
  readonly binding: Uint8Array | undefined;
  readonly refused: TransportError | undefined;
  readonly attachment: object | undefined;
  readonly frames: StreamConnection['frames'];
  readonly writeAll: StreamConnection['writeAll'];
  readonly ref: StreamConnection['ref'];
  readonly #host: FaultyConnectionOwner;
  readonly #inner: StreamConnection;
  readonly #out: Lane;
  readonly #in: Lane;
  #sink: StreamSink | undefined = undefined;
  /**
   * The state of the connection. 'ending': no more writes or reads; 'detached': the owner was
   * notified that the connection has ended, but the other end was not.
   */
  #state: 'open' | 'ending' | 'destroyed' | 'detached' | 'over' = 'open';
  #error: TransportError | undefined = undefined;
  /** Set once the wrapped connection has ended; its end may still wait in the incoming lane. */
  #ended: { readonly error: TransportError | undefined } | undefined = undefined;
  #paused = false;
  /** The part whose `drained` the owner waits for: the wrapped connection or the lane. */
  #owed: 'no' | 'inner' | 'lane' = 'no';
  #discarded = 0;
  #linger: ClockTimer | undefined = undefined;

  constructor(
    host: FaultyConnectionOwner,
    inner: StreamConnection,
    random: { readonly out: LaneRandom; readonly in: LaneRandom },
  ) {
    const { clock, settings } = host;
    this.#host = host;
    this.#inner = inner;
    this.endpoint = inner.endpoint;
    this.nodeId = inner.nodeId;
    this.binding = inner.binding;
    this.refused = inner.refused;
    this.attachment = inner.attachment;
    this.#out = new Lane(
      {
        clock,
        random: random.out,
        deliver: (cargo) => this.#depart(cargo),
        room: () => this.#roomToWrite(),
      },
      settings.out,
    );
    this.#in = new Lane(
      {
        clock,
        random: random.in,
        deliver: (cargo) => this.#arrive(cargo),
        room: () => this.#roomToRead(),
      },
      settings.in,
    );
    this.ref = inner.ref?.bind(inner);
    const { frames } = inner;
    this.frames = frames && { collector: frames.collector, send: (batch) => this.#send(batch) };
    this.writeAll = inner.writeAll && ((chunks) => this.#writeAll(chunks));
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#inner.attach({
      data: (chunk) => this.#data(chunk),
      frames: (batch) => this.#frames(batch),
      drained: () => this.#drained(),
      leave: (text) => sink.leave?.(text),
      revoked: (error) => (sink.revoked === undefined ? this.destroy(error) : sink.revoked(error)),
      closed: (error) => this.#closed(error),
    });
  }

  write(chunk: Uint8Array): boolean {
    if (this.#state !== 'open' || chunk.length === 0) return true;
    if (this.#out.isClear) return this.#passed(this.#inner.write(chunk));
    this.#out.enterChunk(new Uint8Array(chunk)); // `slice` of a Buffer returns a view.
    return this.#queued();
  }

  pause(): void {
    if (this.#state !== 'open') return;
    this.#paused = true;
    this.#in.block();
    this.#inner.pause();
  }

  resume(): void {
    if (this.#state !== 'open') return;
    this.#paused = false;
    this.#host.clock.defer(() => {
      if (this.#paused || this.#state !== 'open') return;
      this.#in.go();
      this.#roomToRead();
    });
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#in.clear();
    if (this.#ended !== undefined) return this.#report(this.#ended.error);
    // Bytes that still arrive are read and discarded, so that the other end can finish.
    this.#inner.resume();
    if (this.#out.isClear) return this.#inner.close();
    const { clock } = this.#host;
    const late = () =>
      this.#abort(reset(this.endpoint, `what was written was not taken within ${LINGER} ms`));
    this.#linger = clock.setTimeout(late, this.#out.lastDue - clock.now() + LINGER);
    this.#out.enterEnd();
  }

  destroy(error?: TransportError): void {
    if (this.#state === 'open' || this.#state === 'ending') this.#abort(error);
  }

  /** Applies changed faults. */
  change({ out, in: inward }: { readonly out: FaultSettings; readonly in: FaultSettings }): void {
    this.#out.change(out);
    this.#in.change(inward);
    if (this.#state === 'detached') {
      if (!this.#out.isStopped) this.#inner.destroy();
    } else if ((this.#out.lost && !out.halfOpen) || (this.#in.lost && !inward.halfOpen))
      this.cut('the line was dead, and what crossed meanwhile is lost');
  }

  /** Resets the connection at both ends. */
  cut(why: string): void {
    this.destroy(reset(this.endpoint, why));
  }

  /** Destroys a detached connection, because its layer is closed. */
  release(): void {
    this.#inner.destroy();
  }

  // Outgoing.

  #send(batch: Frame[]): void {
    if (this.#state !== 'open') return;
    if (this.#out.isClear) this.#inner.frames!.send(batch);
    else this.#out.enterFrames(batch);
  }

  #writeAll(chunks: readonly Uint8Array[]): boolean {
    if (this.#state !== 'open') return true;
    if (this.#out.isClear) return this.#passed(this.#inner.writeAll!(chunks));
    for (const chunk of chunks) if (chunk.length > 0) this.#out.enterChunk(new Uint8Array(chunk));
    return this.#queued();
  }

  #passed(isDone: boolean): boolean {
    if (!isDone) this.#owed = 'inner';
    return isDone;
  }

  #queued(): boolean {
    if (!this.#out.isFull) return true;
    this.#owed = 'lane';
    return false;
  }

  /** Passes cargo on. Returns false if the wrapped connection keeps the cargo until `drained`. */
  #depart(cargo: Cargo): boolean {
    if (cargo === 'cut') return this.#strike();
    if (cargo === 'end') {
      this.#stopLinger();
      this.#inner.close();
      return false;
    }
    if (cargo instanceof Uint8Array) return this.#inner.write(cargo);
    this.#inner.frames!.send(cargo);
    return true;
  }

  #drained(): void {
    if (this.#owed !== 'inner') return this.#out.go();
    this.#owed = 'no';
    if (this.#state === 'open') this.#sink?.drained();
  }

  #roomToWrite(): void {
    if (this.#owed !== 'lane') return;
    this.#owed = 'no';
    // A lane may drain while its owner is writing, so the owner is notified later.
    this.#host.clock.defer(() => {
      if (this.#state === 'open') this.#sink?.drained();
    });
  }

  // Incoming.

  #data(chunk: Uint8Array): boolean | void {
    if (this.#state !== 'open') return this.#discard(chunk.length);
    if (this.#in.isClear) return this.#sink?.data(chunk);
    this.#in.enterChunk(chunk);
    if (this.#in.isFull) this.#inner.pause();
  }

  #frames(batch: Frame[]): void {
    if (this.#state !== 'open') return;
    if (this.#in.isClear) this.#sink?.frames(batch);
    else this.#in.enterFrames(batch);
  }

  #arrive(cargo: Cargo): boolean {
    if (cargo === 'cut') return this.#strike();
    if (cargo === 'end') this.#report(this.#ended?.error);
    else if (cargo instanceof Uint8Array) this.#sink?.data(cargo);
    else this.#sink?.frames(cargo);
    return true;
  }

  #roomToRead(): void {
    if (this.#state === 'open' && !this.#paused && !this.#in.isFull) this.#inner.resume();
  }

  #discard(length: number): void {
    this.#discarded += length;
    if (this.#state === 'ending' && this.#discarded > DISCARD)
      this.#abort(reset(this.endpoint, 'the other end continued to write'));
  }

  /** Cuts the connection at random (`cutEvery`), once the running code has finished. */
  #strike(): false {
    this.#host.clock.defer(() => this.cut('chance has cut it (cutEvery)'));
    return false;
  }

  // Ending.

  #abort(error: TransportError | undefined): void {
    this.#error = error;
    this.#stopLinger();
    this.#in.clear();
    this.#out.clear();
    if (this.#ended !== undefined) {
      this.#state = 'destroyed';
      this.#report(this.#error);
    } else if (this.#out.isStopped) {
      this.#state = 'detached';
      this.#host.detach(this);
      this.#tell(error);
    } else {
      this.#state = 'destroyed';
      this.#inner.destroy(error);
    }
  }

  #closed(error: TransportError | undefined): void {
    this.#ended = { error };
    this.#stopLinger();
    if (this.#state === 'open' && !this.#in.isClear) return this.#in.enterEnd();
    if (this.#state === 'detached') this.#leave();
    else if (this.#state !== 'over') this.#finish(this.#error ?? error);
  }

  #report(error: TransportError | undefined): void {
    this.#host.clock.defer(() => {
      if (this.#state !== 'over') this.#finish(error);
    });
  }

  #finish(error: TransportError | undefined): void {
    const sink = this.#sink;
    this.#leave();
    sink?.closed(error);
  }

  /** Notifies only the owner that the connection has ended. */
  #tell(error: TransportError | undefined): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#host.clock.defer(() => sink?.closed(error));
  }

  #leave(): void {
    this.#state = 'over';
    this.#sink = undefined;
    this.#stopLinger();
    this.#in.clear();
    this.#out.clear();
    this.#host.gone(this);
  }

  #stopLinger(): void {
    if (this.#linger !== undefined) this.#host.clock.clearTimeout(this.#linger);
    this.#linger = undefined;
  }
}

function reset(endpoint: string, why: string): TransportError {
  return reasonError('reset', `Connection with ${endpoint} was reset by faulty(): ${why}`, {
    target: endpoint,
  });
}

/**
 * The time, in milliseconds, for which an end waits to flush, and the number of bytes that it
 * discards during that time: the rule for every layer (docs/writing-a-transport.md).
 */
const LINGER = 1_000;
const DISCARD = 256 * 1024;
