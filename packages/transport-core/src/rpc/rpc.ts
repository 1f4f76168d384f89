// An incoming call as its reader sees it: answered exactly once. A class for each way of answering: what a kind lacks is not there.

import { reasonError, TransportError } from '../errors.ts';
import { decodeAs, encodeAs } from '../protocol/message.ts';
import type { Remote } from '../remote.ts';
import type { InCall } from '../session/in-call.ts';
import { ItemReader } from './item-reader.ts';

/** The call behind an Rpc. (A private field would keep V8 from compiling its constructor into who calls it.) */
const CALL: unique symbol = Symbol('call');

/** The value behind the `Rpc` types: `respond`, `fail` and the rest live on the prototype; what costs is made at first use. */
export class IncomingRpc {
  readonly request: unknown;
  readonly [CALL]: InCall;

  constructor(call: InCall, request: unknown) {
    this.request = request;
    this[CALL] = call;
  }

  get version(): number {
    return this[CALL].channel.version;
  }

  get method(): string {
    return this[CALL].method.name;
  }

  get from(): Remote {
    return this[CALL].from!;
  }

  get metadata(): Readonly<Record<string, string>> {
    const { metadata } = this[CALL];
    return metadata === undefined ? NO_METADATA : Object.freeze(metadata);
  }

  get signal(): AbortSignal {
    const seen = seenOf(this[CALL]);
    seen.controller ??= controllerOf(this[CALL]);
    return seen.controller.signal;
  }

  get deadline(): number | undefined {
    return this[CALL].due === Number.POSITIVE_INFINITY ? undefined : this[CALL].due;
  }

  /** Was it answered, or can it not be? */
  get settled(): boolean {
    return this[CALL].answered;
  }

  fail(error: unknown): boolean {
    const call = this[CALL];
    if (call.method.kind === 'oneway') {
      call.carrier.late();
      return false;
    }
    claim(call, 'fail');
    return told(call, call.carrier.fail(call, toTransportError(error), false));
  }

  protected writeItem(item: unknown): Promise<void> {
    const { method, download, gone } = this[CALL];
    if (this[CALL].answered && gone === undefined) throw new TypeError(`rpc.write: '${method.name}' has ended already`);
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
    const call = this[CALL];
    claim(call, 'end');
    return told(call, call.carrier.finish(call));
  }

  get upload(): ItemReader<unknown> | undefined {
    const { method, upload } = this[CALL];
    if (upload === undefined) return undefined;
    const seen = seenOf(this[CALL]);
    seen.upload ??= new ItemReader(upload, {
      decode: (bytes) => decodeAs(method.upload!, method.what.upload, bytes),
      taken: () => {},
      left: () => {},
      failure: (error) => error,
    });
    return seen.upload;
  }

  /** What Node's console shows of it. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    const { method, version, from, request, metadata, deadline, settled } = this;
    return { method, version, from: from?.endpoint, request, metadata, deadline, settled };
  }
}

/** From now on it is answered. @throws TypeError for one that was already. */
function claim(call: InCall, how: string): void {
  if (call.answered) throw new TypeError(`rpc.${how}: this call of '${call.method.name}' was answered already`);
  call.answered = true;
}

/** Answers a unary or uploading call, for the first time. @throws what its codec throws: the caller has got an error then. */
export function answer(call: InCall, value: unknown): boolean {
  const { carrier, method } = call;
  call.answered = true;
  let payload: Uint8Array;
  try {
    payload = encodeAs(method.response!, method.what.response, value);
  } catch (error) {
    const message = `the handler's answer breaks its codec: ${error instanceof Error ? error.message : String(error)}`;
    const isLarge = error instanceof TransportError && error.reason === 'too_large';
    told(call, carrier.fail(call, isLarge ? reasonError('too_large', message) : new TransportError('internal', message), false));
    throw error;
  }
  return told(call, carrier.respond(call, payload));
}

function told(call: InCall, open: boolean): boolean {
  call.carrier.finished(call);
  if (!open) call.carrier.late();
  return open;
}

/** What few readers ask for: made when one does. */
interface Seen {
  controller?: AbortController;
  upload?: ItemReader<unknown>;
}

function seenOf(call: InCall): Seen {
  call.widen();
  call.seen ??= {};
  return call.seen;
}

function controllerOf(call: InCall): AbortController {
  const controller = new AbortController();
  if (call.gone !== undefined) controller.abort(call.gone);
  else call.cancelled = (error) => controller.abort(error);
  return controller;
}

/** An IncomingRpc that is none by `extends`: V8 is slower with a constructor that calls another. */
class Responder {
  readonly request: unknown;
  readonly [CALL]: InCall;

  constructor(call: InCall, request: unknown) {
    this.request = request;
    this[CALL] = call;
  }

  respond(value: unknown): boolean {
    claim(this[CALL], 'respond');
    return answer(this[CALL], value);
  }
}
Object.setPrototypeOf(Responder.prototype, IncomingRpc.prototype);

/** Answers a unary or uploading call. */
export type RespondingRpc = IncomingRpc & Responder;

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
  if (response !== undefined) return new Responder(call, request) as RespondingRpc;
  return download === undefined ? new IncomingRpc(call, request) : new StreamingRpc(call, request);
}

export type { StreamingRpc };

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
