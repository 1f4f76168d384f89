// An incoming call as its reader sees it: answered exactly once. A class for each way of answering: what a kind lacks is not there.

import { TransportError } from '../errors.ts';
import { decodeAs, encodeAs } from '../protocol/refusal.ts';
import type { Remote } from '../remote.ts';
import type { InCall } from '../session/in-call.ts';
import { ItemReader } from './item-reader.ts';

/** The value behind the `Rpc` types: `respond`, `fail` and the rest live on the prototype; what costs is made at first use. */
export class IncomingRpc {
  readonly request: unknown;
  readonly version: number;
  readonly #call: InCall;
  /** What few readers ask for. */
  #more: { controller?: AbortController; upload?: ItemReader<unknown> } | undefined = undefined;

  constructor(call: InCall, request: unknown) {
    this.request = request;
    this.version = call.channel.version;
    this.#call = call;
  }

  get method(): string {
    return this.#call.method.name;
  }

  get from(): Remote {
    return this.#call.from!;
  }

  get metadata(): Readonly<Record<string, string>> {
    const { metadata } = this.#call;
    return metadata === undefined ? NO_METADATA : Object.freeze(metadata);
  }

  get signal(): AbortSignal {
    this.#more ??= {};
    if (this.#more.controller === undefined) {
      const call = this.#call;
      const controller = new AbortController();
      this.#more.controller = controller;
      if (call.gone !== undefined) controller.abort(call.gone);
      else {
        call.widen();
        call.cancelled = (error) => controller.abort(error);
      }
    }
    return this.#more.controller.signal;
  }

  get deadline(): number | undefined {
    return this.#call.due === Number.POSITIVE_INFINITY ? undefined : this.#call.due;
  }

  /** Was it answered, or can it not be? */
  get settled(): boolean {
    return this.#call.answered;
  }

  protected respondWith(value: unknown): boolean {
    const call = this.#call;
    const { method } = call;
    this.#answer('respond');
    let payload: Uint8Array;
    try {
      payload = encodeAs(method.response!, method.what.response, value);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#told(call.carrier.fail(call, new TransportError('internal', `the handler's answer breaks its codec: ${message}`), false));
      throw error;
    }
    return this.#told(call.carrier.respond(call, payload));
  }

  fail(error: unknown): boolean {
    const call = this.#call;
    if (call.method.kind === 'oneway') {
      call.carrier.late();
      return false;
    }
    this.#answer('fail');
    return this.#told(call.carrier.fail(call, toTransportError(error), false));
  }

  protected writeItem(item: unknown): Promise<void> {
    const { method, download, gone } = this.#call;
    if (this.#call.answered && gone === undefined) throw new TypeError(`rpc.write: '${method.name}' has ended already`);
    if (gone !== undefined) return Promise.reject(gone);
    let payload: Uint8Array;
    try {
      payload = encodeAs(method.download!, method.what.download, item);
    } catch (error) {
      return Promise.reject(error);
    }
    return download!.write(payload);
  }

  protected endItems(): boolean {
    const call = this.#call;
    this.#answer('end');
    return this.#told(call.carrier.finish(call));
  }

  get upload(): ItemReader<unknown> | undefined {
    const { method, upload } = this.#call;
    if (upload === undefined) return undefined;
    this.#more ??= {};
    this.#more.upload ??= new ItemReader(upload, {
      decode: (bytes) => decodeAs(method.upload!, method.what.upload, bytes),
      taken: () => {},
      left: () => {},
      failure: (error) => error,
    });
    return this.#more.upload;
  }

  #answer(how: string): void {
    if (this.#call.answered) throw new TypeError(`rpc.${how}: this call of '${this.method}' was answered already`);
    this.#call.answered = true;
  }

  #told(open: boolean): boolean {
    this.#call.carrier.finished(this.#call);
    if (!open) this.#call.carrier.late();
    return open;
  }
}

/** Answers a unary or uploading call. */
class RespondingRpc extends IncomingRpc {
  // V8 runs one that is written down in half the time of one that it adds.
  constructor(call: InCall, request: unknown) {
    super(call, request);
  }

  respond(value: unknown): boolean {
    return this.respondWith(value);
  }
}

/** Answers a downloading or duplex call. */
class StreamingRpc extends IncomingRpc {
  write(item: unknown): Promise<void> {
    return this.writeItem(item);
  }

  end(): boolean {
    return this.endItems();
  }
}

/** The Rpc of a call, whatever its kind. */
export function makeRpc(call: InCall, request: unknown): IncomingRpc {
  const { response, download } = call.method;
  if (response !== undefined) return new RespondingRpc(call, request);
  return download === undefined ? new IncomingRpc(call, request) : new StreamingRpc(call, request);
}

export type { RespondingRpc, StreamingRpc };

/** Shared by all calls without metadata. */
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/** What crosses of whatever a handler threw: a TransportError as it is, anything else as `internal` with its message, never a stack. */
export function toTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  let message = 'the handler failed';
  try {
    message = error instanceof Error ? error.message : String(error);
  } catch {
    // A thrown value whose text throws, too.
  }
  return new TransportError('internal', message);
}
