// One end of an in-process byte stream: what is written is copied, and a writer that runs ahead of its reader waits.

import { type Clock, reasonError, type StreamConnection, type StreamSink, type TransportError } from '@trunkline/transport-core';
import { Courier } from '../courier.ts';

/** Both ends of a stream, each unattached. */
export function streamPair(
  dialler: string,
  acceptor: string,
  diallerClock: Clock,
  acceptorClock: Clock,
): [dialled: InmemConnection, accepted: InmemConnection] {
  const dialled = new InmemConnection(acceptor, diallerClock);
  const accepted = new InmemConnection(dialler, acceptorClock);
  dialled.meet(accepted);
  accepted.meet(dialled);
  return [dialled, accepted];
}

export class InmemConnection implements StreamConnection {
  readonly endpoint: string;
  readonly #courier: Courier;
  #other!: InmemConnection;
  #sink: StreamSink | undefined;
  /** Chunks that the other end wrote and this one was not handed. */
  #inbox: Uint8Array[] = [];
  #bytes = 0;
  /** A write of ours was false: `drained` is owed. */
  #blocked = false;
  /** How the other end ended, behind what it wrote. */
  #end: { readonly error: TransportError | undefined } | undefined;
  #paused = false;
  #closing = false;
  #over = false;

  constructor(endpoint: string, clock: Clock) {
    this.endpoint = endpoint;
    this.#courier = new Courier(clock, () => this.#deliver());
  }

  meet(other: InmemConnection): void {
    this.#other = other;
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#courier.call();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closing || this.#other.#over) return true;
    this.#other.#receive(chunk.slice());
    this.#blocked = this.#other.#bytes > CAPACITY;
    return !this.#blocked;
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
    this.#drop();
    this.#other.#hear(undefined);
    this.#courier.call();
  }

  destroy(error?: TransportError): void {
    if (this.#over) return;
    this.#closing = true;
    this.#drop();
    this.#end = { error };
    this.#other.#drop();
    this.#other.#hear(reasonError('reset', `the connection to ${this.#other.endpoint} was reset`, { target: this.#other.endpoint }));
    this.#courier.call();
  }

  #receive(chunk: Uint8Array): void {
    this.#inbox.push(chunk);
    this.#bytes += chunk.length;
    this.#courier.call();
  }

  #hear(error: TransportError | undefined): void {
    this.#end ??= { error };
    this.#courier.call();
  }

  /** What was not read is discarded, which makes room for the other end to flush. */
  #drop(): void {
    this.#clear();
    this.#other.#courier.call();
  }

  #deliver(): void {
    if (this.#over || this.#sink === undefined) return;
    while (this.#inbox.length > 0 && !this.#paused && !this.#closing) {
      const chunk = this.#inbox.shift()!;
      this.#bytes -= chunk.length;
      this.#sink.data(chunk);
    }
    if (this.#closing) this.#clear();
    if (this.#blocked && this.#other.#bytes <= CAPACITY) {
      this.#blocked = false;
      if (!this.#over) this.#sink.drained();
    }
    if (this.#other.#blocked) this.#other.#courier.call();
    // It ends when the other end has: a close of ours is answered by its own, as with sockets.
    if (this.#over || this.#end === undefined || this.#inbox.length > 0) return;
    this.#over = true;
    if (!this.#closing) this.#other.#hear(undefined);
    this.#closing = true;
    this.#sink.closed(this.#end.error);
  }

  #clear(): void {
    this.#inbox = [];
    this.#bytes = 0;
  }
}

/** Bytes on their way before a writer waits: a socket's buffers. */
const CAPACITY = 256 * 1024;
