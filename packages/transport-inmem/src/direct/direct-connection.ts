// One end of a direct connection: frames are handed over as they are. They were copied when they were written.

import { type Clock, type Frame, reasonError, type StreamConnection, type StreamSink, type TransportError } from '@trunkline/transport-core';
import { Courier } from '../courier.ts';

/** Both ends of a connection, each unattached. */
export function directPair(dialler: string, acceptor: string, clock: Clock): [dialled: DirectConnection, accepted: DirectConnection] {
  const dialled = new DirectConnection(acceptor, clock);
  const accepted = new DirectConnection(dialler, clock);
  dialled.meet(accepted);
  accepted.meet(dialled);
  return [dialled, accepted];
}

export class DirectConnection implements StreamConnection {
  readonly endpoint: string;
  readonly frames = { send: (batch: Frame[]): void => this.#send(batch) };
  readonly #courier: Courier;
  #other!: DirectConnection;
  #sink: StreamSink | undefined;
  /** What came and was not handed over: the session's credit and limits bound it. */
  #inbox: Frame[][] = [];
  /** How the other end ended, behind what it sent. */
  #end: { readonly error: TransportError | undefined } | undefined;
  #paused = false;
  #closing = false;
  #over = false;

  constructor(endpoint: string, clock: Clock) {
    this.endpoint = endpoint;
    this.#courier = new Courier(clock, () => this.#deliver());
  }

  meet(other: DirectConnection): void {
    this.#other = other;
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#courier.call();
  }

  write(): boolean {
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#courier.call();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#other.#hear(undefined);
    this.#courier.call();
  }

  destroy(error?: TransportError): void {
    if (this.#over) return;
    this.#closing = true;
    this.#inbox = [];
    this.#end = { error };
    this.#other.#inbox = [];
    this.#other.#hear(reasonError('reset', `the connection to ${this.#other.endpoint} was reset`, { target: this.#other.endpoint }));
    this.#courier.call();
  }

  #send(batch: Frame[]): void {
    if (this.#closing || this.#other.#over) return;
    this.#other.#inbox.push(batch);
    this.#other.#courier.call();
  }

  #hear(error: TransportError | undefined): void {
    this.#end ??= { error };
    this.#courier.call();
  }

  #deliver(): void {
    if (this.#over || this.#sink === undefined) return;
    while (this.#inbox.length > 0 && !this.#paused && !this.#closing) {
      const { length } = this.#inbox;
      for (const batch of this.#inbox.splice(0, length)) if (!this.#closing) this.#sink.frames(batch);
    }
    // It ends when the other end has: a close of ours is answered by its own, as with sockets.
    if (this.#end === undefined || (this.#inbox.length > 0 && !this.#closing)) return;
    this.#over = true;
    this.#inbox = [];
    if (!this.#closing) this.#other.#hear(undefined);
    this.#closing = true;
    this.#sink.closed(this.#end.error);
  }
}
