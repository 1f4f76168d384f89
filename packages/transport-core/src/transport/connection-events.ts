// Who comes and goes, as an async iterator: those that live come first. A reader that lags is told of no connection that came and went.

import type { Remote } from '../remote.ts';
import type { ConnectionEvent } from './types.ts';

export class ConnectionEvents implements AsyncIterableIterator<ConnectionEvent, undefined> {
  readonly #queue: ConnectionEvent[];
  readonly #waiting: ((result: IteratorResult<ConnectionEvent, undefined>) => void)[] = [];
  readonly #left: (events: ConnectionEvents) => void;
  #over = false;

  /** @param left called once, when its reader leaves. */
  constructor(live: readonly Remote[], left: (events: ConnectionEvents) => void) {
    this.#queue = live.map((remote) => ({ type: 'up', remote }));
    this.#left = left;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: ConnectionEvent): void {
    const reader = this.#waiting.shift();
    if (reader !== undefined) return reader({ value: event, done: false });
    if (event.type === 'down' && this.#queue.length >= LAG) {
      const up = this.#queue.findIndex((queued) => queued.remote === event.remote);
      if (up >= 0) return void this.#queue.splice(up, 1);
    }
    this.#queue.push(event);
  }

  next(): Promise<IteratorResult<ConnectionEvent, undefined>> {
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<ConnectionEvent, undefined>> {
    this.#queue.length = 0;
    this.end();
    this.#left(this);
    return Promise.resolve(DONE);
  }

  /** The transport is closed; what was not read can still be. */
  end(): void {
    this.#over = true;
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }
}

/** Events that may wait before a connection that came and went unread is left out: so the queue is bounded by what lives. */
const LAG = 1_024;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
