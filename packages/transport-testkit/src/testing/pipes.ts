// A minimal StreamLayer for the testkit's own tests: pipes within this process, on which every byte
// can be observed.

import { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer, StreamSink } from '@trunkline/transport-core/backend';

/** The writer of a chunk: the end that dialed, or the end that accepted. */
export type Side = 'dialer' | 'acceptor';

/**
 * Creates a world of pipes, with addresses 'pipe-1', 'pipe-2' …; `tap` receives every chunk as it
 * is written.
 */
export function createPipes(tap: (side: Side, chunk: Uint8Array) => void = () => {}): {
  layer(): StreamLayer;
} {
  const listeners = new Map<string, (connection: StreamConnection) => void>();
  let made = 0;
  return {
    layer(): StreamLayer {
      const address = `pipe-${++made}`;
      let bound = false;
      return {
        async listen(accept) {
          listeners.set(address, accept);
          bound = true;
        },
        async dial(to) {
          const accept = listeners.get(to);
          if (accept === undefined)
            throw new TransportError('unavailable', `nobody listens at ${to}`, {
              reason: 'connection_refused',
              target: to,
              sent: false,
            });
          const here = new PipeEnd(to, (chunk) => tap('dialer', chunk));
          const there = new PipeEnd(address, (chunk) => tap('acceptor', chunk));
          here.other = there;
          there.other = here;
          accept(there);
          return here;
        },
        localAddr() {
          if (!bound)
            throw new TransportError(
              'failed_precondition',
              'this layer does not listen yet: call listen() first',
            );
          return address;
        },
        advertiseAddr: () => address,
        async close() {
          listeners.delete(address);
        },
      };
    },
  };
}

type Event = { chunk: Uint8Array } | 'end' | 'cut';

/**
 * One end of a pipe. Each write arrives in a turn of its own; a paused end takes WINDOW bytes
 * before its writer blocks.
 */
class PipeEnd implements StreamConnection {
  other: PipeEnd | undefined;
  readonly endpoint: string;
  private readonly hear: (chunk: Uint8Array) => void;
  private sink: StreamSink | undefined;
  private readonly inbox: Event[] = [];
  private waiting = 0;
  private paused = false;
  private scheduled = false;
  private blocked = false;
  private over = false;
  private ending = false;

  constructor(endpoint: string, hear: (chunk: Uint8Array) => void) {
    this.endpoint = endpoint;
    this.hear = hear;
  }

  attach(sink: StreamSink): void {
    this.sink = sink;
    this.schedule();
  }

  write(chunk: Uint8Array): boolean {
    if (this.over || this.ending) return true;
    this.hear(chunk);
    this.other?.put({ chunk: chunk.slice() });
    this.blocked = (this.other?.waiting ?? 0) > WINDOW;
    return !this.blocked;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.schedule();
  }

  close(): void {
    if (this.over || this.ending) return;
    this.ending = true;
    this.other?.put('end');
    setImmediate(() => this.finish(undefined));
  }

  destroy(error?: TransportError): void {
    if (this.over) return;
    this.other?.put('cut');
    this.finish(error);
  }

  private put(event: Event): void {
    if (this.over) return;
    if (typeof event === 'object') this.waiting += event.chunk.length;
    if (event === 'cut' && this.paused) this.inbox.length = 0;
    this.inbox.push(event);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.over || this.sink === undefined) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    while (
      !this.over &&
      this.inbox.length > 0 &&
      !this.ending &&
      (!this.paused || typeof this.inbox[0] === 'string')
    ) {
      const event = this.inbox.shift() as Event;
      if (event === 'cut')
        return this.finish(
          new TransportError('unavailable', 'the other end cut the pipe', { reason: 'reset' }),
        );
      if (event === 'end') return this.finish(undefined);
      this.waiting -= event.chunk.length;
      this.sink?.data(event.chunk);
      this.other?.unblock(this.waiting);
    }
  }

  private unblock(waiting: number): void {
    if (!this.blocked || waiting > WINDOW / 2) return;
    this.blocked = false;
    if (!this.over) this.sink?.drained();
  }

  private finish(error: TransportError | undefined): void {
    if (this.over) return;
    this.over = true;
    this.inbox.length = 0;
    this.sink?.closed(error);
  }
}

const WINDOW = 256 * 1024;
