// Runs a handler for one stream, starting with the call that opened the stream. The handler gets an
// Rpc that writes into the stream instead of a connection.

import { type Remote, TransportError } from '@trunkline/transport-core';
import { leave } from './download.ts';
import type { ServedStream } from './served-stream.ts';

/** The call that opened the stream, as the handler sees it. */
interface OpeningCall {
  readonly method: string;
  readonly request: unknown;
  readonly from: Remote;
  readonly version: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The `Rpc` of a handler, and the loop over the items that it returns. The compiler does not check
 * that it has every member of `Rpc`, because `run` casts it.
 */
export class StreamRun {
  readonly method: string;
  readonly request: unknown;
  readonly from: Remote;
  readonly version: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly upload = undefined;
  readonly deadline = undefined;
  readonly #stream: ServedStream<unknown>;
  readonly #sizeOf: (item: unknown) => number;

  constructor(
    stream: ServedStream<unknown>,
    sizeOf: (item: unknown) => number,
    { method, request, from, version, metadata }: OpeningCall,
  ) {
    this.#stream = stream;
    this.#sizeOf = sizeOf;
    this.method = method;
    this.request = request;
    this.from = from;
    this.version = version;
    this.metadata = metadata;
  }

  get signal(): AbortSignal {
    return this.#stream.signal;
  }

  write(item: unknown): Promise<void> {
    if (this.#stream.hasEnded) throw new TypeError(`rpc.write: '${this.method}' has already ended`);
    let size: number;
    try {
      size = this.#sizeOf(item);
      if (!Number.isFinite(size) || size < 0)
        throw new TypeError(`its size must be a number of bytes, got ${size}`);
    } catch (error) {
      return Promise.reject(refused(this.method, error));
    }
    return this.#stream.write(item instanceof Uint8Array ? new Uint8Array(item) : item, size);
  }

  end(): boolean {
    return this.#close('end', {});
  }

  fail(error: unknown): boolean {
    return this.#close('fail', { error });
  }

  /**
   * Runs the handler to its end, as `serve` does. Errors are ignored after the stream was ended or
   * removed.
   */
  async run(handler: (request: never, rpc: never) => unknown): Promise<void> {
    try {
      const result = await handler(this.request as never, this as never);
      if (isAsyncIterable(result)) await this.#send(result);
      this.#stream.end({});
    } catch (error) {
      this.#stream.end({ error });
    }
  }

  async #send(items: AsyncIterable<unknown>): Promise<void> {
    const iterator = items[Symbol.asyncIterator]();
    const { signal } = this;
    // The iterator's clean-up must run when the stream is removed, even if the source hangs.
    const close = () => leave(iterator);
    signal.addEventListener('abort', close, { once: true });
    try {
      if (signal.aborted || this.#stream.hasEnded) return close();
      for (;;) {
        const { value, done } = await iterator.next();
        if (done === true || signal.aborted) return;
        await this.write(value);
      }
    } catch (error) {
      if (!signal.aborted) close();
      throw error;
    } finally {
      signal.removeEventListener('abort', close);
    }
  }

  #close(how: string, end: { readonly error?: unknown }): boolean {
    if (this.#stream.hasEnded)
      throw new TypeError(`rpc.${how}: this call of '${this.method}' was already answered`);
    this.#stream.end(end);
    return !this.signal.aborted;
  }
}

function refused(method: string, error: unknown): unknown {
  if (error instanceof TransportError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new TransportError('invalid_argument', `an item of '${method}' was refused: ${text}`, {
    cause: error,
  });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
