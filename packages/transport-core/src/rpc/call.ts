// An outgoing call: a promise that settles exactly once, by its answer, deadline, signal, upload or
// connection. The items of an upload are pulled as far as the callee's credit goes; those of a
// download are sent as the reader takes them. Mount, the protocol to which a call belongs, counts
// its calls. call.test.ts and calls-pair.test.ts (with its siblings) test this file.

import { refuseUnknown } from '../config.ts';
import {
  type ErrorCode,
  iterable,
  reasonError,
  stackless,
  TransportError,
  withDetails,
  withoutStack,
} from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { decodeAs, encodeAs } from '../protocol/codec.ts';
import { isProjectProtocol, type Protocol, type ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { OutCall } from '../session/outgoing-calls.ts';
import { type InStream, ItemReader, isAsyncIterable } from '../session/streams.ts';
import { errorText, fieldsOf, inMs } from '../text.ts';
import { encodeMetadata } from '../wire/metadata.ts';
import { dues, Inbox, type RpcHost } from './inbox.ts';
import type { OutgoingRecord } from './records.ts';

/** One mounted protocol: the inbox of the peers' calls, and the calls that are made here. */
export class Mount extends Inbox {
  /** The number of calls made here that have not settled. */
  open = 0;
  /** The error with which new calls fail; set when the mount closes. */
  over: TransportError | undefined = undefined;
  /**
   * False if its calls go on while the node drains; always false for Trunkline's own protocols.
   */
  readonly drains: boolean;

  /** @param allow the rule for calls to all methods. */
  constructor(protocol: Protocol, host: RpcHost, allow?: AllowCall, drains = true) {
    super(protocol, host, allow);
    this.drains = drains && !isProjectProtocol(protocol);
  }

  /** Counts a call that starts. */
  begin(): void {
    if (this.open++ === 0) this.host.alive.enter();
  }

  /** Called when a call has settled, with this code if it failed. */
  settled(code: ErrorCode | undefined): void {
    this.open--;
    if (code !== undefined) this.host.reporter.callFailed(code);
    if (this.open === 0) this.host.alive.leave();
  }

  /** Makes all new calls from here fail with `shutdown`. */
  shut(): void {
    const message = `this transport of '${this.protocol.name}' is closed`;
    this.over ??= new TransportError('shutdown', message, { sent: false });
  }
}

/** Options of one call, as `send` takes them. */
export interface OwnOptions {
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** An object once `checkOptions` has returned the options. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly upload?: unknown;
}

/** The options of most calls. */
export const NO_OPTIONS: OwnOptions = Object.freeze({});

/**
 * A call of any kind. A one-way resolves once its place in the send order is certain and its caller
 * may use the memory of the payload again; a unary call and an upload settle with the response.
 * Download and duplex calls resolve to the items once the request has been sent, and their promise
 * is iterable.
 */
export class Call extends OutCall {
  /** Set by `promiseOf`. */
  declare resolve: (value: unknown) => void;
  promise: Promise<unknown>;
  /** Undefined if nobody observes the call. */
  record: OutgoingRecord | undefined = undefined;
  /** The target as the user gave it. */
  readonly to: string | Remote;
  /** The timeout in milliseconds, or Infinity. */
  readonly timeout: number;
  readonly mount: Mount;
  private readonly signal: AbortSignal | undefined;

  // The following properties matter only for a call that streams. They are set after `widen()`, as
  // those of `OutCall`.
  declare source: AsyncIterator<unknown> | undefined;
  /** True if nobody can read its items anymore. */
  declare isForgotten: boolean;
  /**
   * The part of the call that its timeout bounds. The call's own timeout bounds the whole call; the
   * method's timeout bounds each wait for progress. The default bounds each wait of an upload; for
   * a download or duplex call, it bounds only the time until the request has been sent, because a
   * stream may be quiet for long.
   */
  declare bounds: 'whole' | 'waits' | 'opening';

  /**
   * Counts the call at its mount; from now on it settles exactly once.
   *
   * @throws what `encodeMetadata` throws, `aborted` for an upload that throws, `cancelled` for an
   * aborted signal, and a TypeError for an invalid one. The mount does not count the call then.
   */
  constructor(
    mount: Mount,
    method: ProtocolMethod,
    payload: Uint8Array,
    target: string | Remote,
    options: OwnOptions,
  ) {
    const { host } = mount;
    const { metadata, signal, timeout = method.timeout ?? host.config.timeout } = options;
    const encoded = metadata === undefined ? undefined : encodeMetadata(metadata);
    const upload = options.upload as AsyncIterable<unknown> | undefined;
    const source = upload === undefined ? undefined : iteratorOf(upload);
    // The codec, the upload or an interceptor may have aborted it since it was checked.
    refuseAborted(method.full, signal);
    super(method, payload, encoded);
    const now = host.ticker.now();
    this.mount = mount;
    this.to = target;
    this.timeout = timeout;
    this.signal = signal;
    this.due = now + timeout;
    this.promise = promiseOf(this);
    // An invalid signal throws.
    if (signal !== undefined) watchSignal(signal, this);
    mount.begin();
    if (method.flags === 0) return;
    if (method.download !== undefined) iterable(this.promise);
    const isOwn = options.timeout !== undefined;
    this.widen();
    this.travels = isOwn;
    this.isForgotten = false;
    this.bounds = isOwn
      ? 'whole'
      : method.timeout !== undefined || method.download === undefined
        ? 'waits'
        : 'opening';
    this.source = source;
  }

  /** The address or name that the user gave; the endpoint of a Remote. */
  get target(): string {
    return typeof this.to === 'string' ? this.to : this.to.endpoint;
  }

  /** Gives the call, which is about to be sent, its place in the order of calls. */
  begin(): void {
    this.seq = this.mount.host.calls.made++;
  }

  /** Returns true for a call that may delay short messages, because it streams or is long. */
  isBulky(packet: number): boolean {
    const { method, mount, payload } = this;
    return method.flags !== 0 || (payload.length > packet && !mount.protocol.ordered);
  }

  override writeIn(batch: number): void {
    super.writeIn(batch);
    this.record?.written();
  }

  /** Prepares the call to be sent on another connection, which counts as a number of moves. */
  move(moves: number): void {
    this.widen();
    this.moves += moves;
  }

  override failed(error: TransportError): void {
    if (this.done) return;
    const detailed = withoutStack(error, { target: this.target, sent: error.sent ?? this.sent });
    if (error.code === 'deadline_exceeded') dues.set(detailed, this.due);
    this.settle(detailed);
    this.reject(detailed);
  }

  override expired(now: number): void {
    if (this.done) return;
    const { sent, target } = this;
    const where =
      this.writtenIn === 0
        ? (this.carrier?.stage ?? 'it was waiting')
        : silence(this.download, now);
    const message = `${this.method.full} to ${target}: ${inMs(this.timeout)} passed; ${where}`;
    const error = stackless('deadline_exceeded', message, { sent, target });
    dues.set(error, this.due);
    this.giveUp(error);
  }

  signalAborted(reason: unknown): void {
    if (this.done) return;
    const { sent, target } = this;
    const message = `${this.method.full} to ${target}: its signal was aborted`;
    this.giveUp(new TransportError('cancelled', message, { sent, target, cause: reason }));
  }

  override accepted(): void {
    if (this.method.flags !== 0) return opened(this);
    if (this.done || this.method.kind !== 'oneway') return;
    this.settle(undefined);
    this.resolve(undefined);
  }

  override answered(payload: Uint8Array): void {
    if (this.record !== undefined) this.record.bytesReceived += payload.length;
    let value: unknown;
    try {
      value = decodeAs(this.method.response!, this.method.what.response, payload);
    } catch (error) {
      return this.failed(badAnswer(error));
    }
    // The codec may have aborted the signal of the call.
    if (this.done) return;
    this.settle(undefined);
    this.resolve(value);
  }

  /** Settles the call when its last item has arrived, even if the reader has not read it yet. */
  override ended(): void {
    if (!this.done) this.settle(undefined);
  }

  /** Settles the call from this side, and withdraws or cancels it. */
  giveUp(error: TransportError): void {
    this.settle(error);
    this.carrier?.abandon(this);
    this.reject(error);
  }

  /**
   * Marks the call as settled, with this error if it failed; called exactly once, so each caller
   * checks `done` first.
   */
  settle(error: TransportError | undefined): void {
    this.done = true;
    if (this.signal !== undefined) unwatchSignal(this.signal, this);
    this.mount.settled(error?.code);
    this.record?.settled(error);
    if (this.method.flags !== 0) stop(this.source);
  }

  /**
   * Rejects the promise one microtask later, or breaks the items once the caller has them
   * (`unreadSince` is Infinity until then).
   */
  reject(error: TransportError): void {
    const { download } = this;
    if (download === undefined || download.unreadSince === Number.POSITIVE_INFINITY)
      this.resolve({ then: (_: unknown, reject: (error: unknown) => void) => reject(error) });
    // Items that were complete before the callee or the connection failed are read before the
    // error. If the caller itself ends the call, the reader gets the error immediately.
    else if (!download.ended) download.break(error);
  }

  /**
   * Leaves the call, because its items were dropped before anybody began to read them; as soon as
   * its upload has ended, if it has one.
   */
  forgotten(): void {
    const { upload, download } = this;
    if (download!.unreadSince === undefined) return;
    this.isForgotten = true;
    if (upload?.ended === false) return;
    download!.discard();
    leave(this, undefined);
  }

  override progressed(): void {
    const { ticker, timer } = this.mount.host;
    const now = ticker.now();
    if (this.bounds !== 'waits' || this.done) return;
    this.due = now + this.timeout;
    timer.by(this.due);
  }

  override taken(): void {
    try {
      (this.source as { [TAKEN]?(): void } | undefined)?.[TAKEN]?.();
    } catch (error) {
      uploadFailed(this, uploadError(error));
    }
  }
}

// Streams.

/** Gives the items to the reader and begins to pull the upload, because the request has left. */
function opened(call: Call): void {
  if (call.bounds === 'opening') call.due = Number.POSITIVE_INFINITY;
  const { download, method, mount, record, target } = call;
  if (download !== undefined) {
    download.offer();
    const items = new ItemReader(download, {
      decode(item) {
        record?.itemReceived(item.length);
        return decodeAs(method.download!, method.what.download, item);
      },
      taken: () => call.progressed(),
      left: (failure) => leave(call, failure),
      failure: (error) =>
        error instanceof TransportError && error === download.error
          ? withDetails(error, { target, sent: error.sent ?? true })
          : withDetails(badAnswer(error), { target }),
    });
    call.resolve(items);
    const { watchUnread } = mount.host;
    if (watchUnread !== undefined) {
      watchUnread(items, call);
      // The call must not keep its items from becoming garbage.
      call.resolve = NOTHING;
      call.promise = NEVER;
    }
  }
  if (method.upload !== undefined) void pull(call);
}

/**
 * Settles and cancels a call whose items nobody reads anymore, or whose next item could not be
 * decoded (`failure`).
 */
function leave(call: Call, failure: unknown): void {
  if (call.done) return;
  call.settle(failure instanceof TransportError ? failure : undefined);
  call.carrier?.abandon(call);
}

/** Sends the items of the upload, one at a time, and then its end. Nobody awaits it. */
async function pull(call: Call): Promise<void> {
  const { method, record, source, upload } = call;
  if (upload === undefined || source === undefined) return;
  try {
    for (;;) {
      const { value, done } = await nextOf(source);
      if (done === true) break;
      if (upload.stopped) return;
      const item = encodeAs(method.upload!, method.what.upload, value);
      record?.itemSent(item.length);
      await upload.write(item);
    }
    upload.close(undefined);
    if (call.isForgotten) call.forgotten();
  } catch (error) {
    uploadFailed(call, error);
  }
}

function iteratorOf(upload: AsyncIterable<unknown>): AsyncIterator<unknown> {
  try {
    return upload[Symbol.asyncIterator]();
  } catch (error) {
    throw uploadError(error);
  }
}

/** Returns the next item of an upload. An error of the source becomes `aborted`. */
async function nextOf(source: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
  try {
    return await source.next();
  } catch (error) {
    throw uploadError(error);
  }
}

/** Ends a call whose upload has failed. An error of its codec or its stream keeps its code. */
function uploadFailed(call: Call, error: unknown): void {
  if (call.done || call.upload!.stopped) return;
  const { method, sent, target } = call;
  const cause = error instanceof TransportError ? error : uploadError(error);
  const message = `${method.full} to ${target}: its upload failed: ${cause.message}`;
  call.giveUp(withDetails(cause, { sent, target }, message));
}

/** Lets the iterator of an upload clean up, because no more items are wanted. */
function stop(source: AsyncIterator<unknown> | undefined): void {
  if (source?.return === undefined) return;
  try {
    Promise.resolve(source.return()).catch(() => {});
  } catch {
    // Errors of the clean-up are ignored: the call has settled.
  }
}

/** Describes what arrived for a call that expires after its request was sent. */
function silence(items: InStream | undefined, now: number): string {
  if (items === undefined) return 'no response arrived';
  const { came, heard } = items;
  if (came === 0) return 'no item arrived';
  return `${came} ${came === 1 ? 'item' : 'items'} arrived, then the stream was silent for ${inMs(now - heard)}`;
}

/** The key of a method that the iterator of an upload may have; see `ClientCall.upload`. */
const TAKEN: unique symbol = Symbol.for('trunkline.taken') as never;
const NOTHING = () => {};
const NEVER = new Promise<never>(NOTHING);

/** Wraps whatever an upload throws in an `aborted` error, with the original as its cause. */
function uploadError(error: unknown): TransportError {
  return new TransportError('aborted', errorText(error), { cause: error });
}

/**
 * Returns the error for an answer that this end's codec refuses: `internal`, as in gRPC, or
 * `resource_exhausted` with reason `too_large`.
 */
function badAnswer(error: unknown): TransportError {
  const message = `the response was rejected by its codec: ${errorText(error)}`;
  if (error instanceof TransportError && error.reason === 'too_large')
    return reasonError('too_large', message, { sent: true, cause: error });
  return new TransportError('internal', message, { origin: 'remote', sent: true, cause: error });
}

/**
 * Creates the promise of a call. No code keeps the reject function, so V8 does not create one; and
 * no function needs to capture `this`.
 */
function promiseOf(call: Call): Promise<unknown> {
  return new Promise((resolve) => {
    call.resolve = resolve;
  });
}

/**
 * Checks the options of a call, and returns them with `metadata` as an object.
 *
 * @throws TypeError for an unknown or invalid option, and `cancelled` for an aborted signal.
 */
export function checkOptions(method: ProtocolMethod, options: OwnOptions): OwnOptions {
  refuseUnknown(options, 'send', CALL_OPTIONS);
  const { timeout, signal, metadata, upload } = options;
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0))
    throw new TypeError(
      `send: timeout must be milliseconds above 0, or Infinity, got ${String(timeout)}`,
    );
  if (method.upload === undefined && upload !== undefined)
    throw new TypeError(`send: '${method.full}' has no upload, but was given one`);
  if (method.upload !== undefined && !isAsyncIterable(upload))
    throw new TypeError(`send: '${method.full}' needs an upload: an AsyncIterable of items`);
  refuseAborted(method.full, signal);
  if (metadata === undefined) return options;
  const fields = fieldsOf(metadata, 'send: metadata');
  return fields === metadata ? options : { ...options, metadata: fields };
}

/** Throws `cancelled` if the signal of an operation has aborted before it began. */
export function refuseAborted(operation: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  const message = `${operation}: its signal was already aborted`;
  throw new TransportError('cancelled', message, { cause: signal.reason, sent: false });
}

const CALL_OPTIONS = ['timeout', 'signal', 'metadata', 'upload'] as const;

/** Returns the target of a call as error texts show it. */
export function nameOf(target: string | Remote): string {
  return typeof target === 'string' ? target : (target?.endpoint ?? String(target));
}

// Abort signals. A signal gets one listener, however many calls it cancels, so that 100,000 calls
// can share a signal without warnings or leaks.

/** A call that an AbortSignal can cancel. */
type Abortable = Pick<Call, 'signalAborted'>;
type Watch = { readonly calls: Set<Abortable>; readonly listener: () => void };

const watched = new WeakMap<AbortSignal, Watch>();

/**
 * Calls `call.signalAborted` when the signal aborts, until `unwatchSignal`. Call `refuseAborted`
 * first: a signal that has aborted never calls it.
 */
export function watchSignal(signal: AbortSignal, call: Abortable): void {
  let entry = watched.get(signal);
  if (entry === undefined) {
    const calls = new Set<Abortable>();
    const listener = () => {
      for (const waiting of calls) waiting.signalAborted(signal.reason);
      watched.delete(signal);
    };
    // An invalid signal throws here, so it must not be in the table yet.
    signal.addEventListener('abort', listener, { once: true });
    entry = { calls, listener };
    watched.set(signal, entry);
  }
  entry.calls.add(call);
}

/** Stops watching the signal for a call that has settled; the last call removes the listener. */
export function unwatchSignal(signal: AbortSignal, call: Abortable): void {
  const entry = watched.get(signal);
  if (entry === undefined || !entry.calls.delete(call) || entry.calls.size > 0) return;
  signal.removeEventListener('abort', entry.listener);
  watched.delete(signal);
}
