// Outgoing calls that stream. The items of an upload are pulled as the callee takes them; those of
// a download are sent as the reader takes them.

import { TransportError, withDetails } from '../errors.ts';
import { iterable } from '../iterable-promise.ts';
import { decodeAs, encodeAs } from '../protocol/message.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { inMs } from '../text.ts';
import { UPLOAD } from '../wire/frame.ts';
import { badAnswer, Call, type CallHost, type OwnOptions } from './call.ts';
import { ItemReader } from './item-reader.ts';

/**
 * An outgoing streaming call. An upload resolves to the response; download and duplex calls resolve
 * to the items once the request has been sent, and their promise is iterable.
 */
export class StreamCall extends Call<unknown> {
  readonly #source: AsyncIterator<unknown> | undefined;
  /** True if nobody can read its items anymore. */
  #isForgotten = false;
  /**
   * The part of the call that its timeout bounds. The call's own timeout bounds the whole call; the
   * method's timeout bounds each wait for progress. The default bounds each wait of an upload; for
   * a download or duplex call, it bounds only the time until the request has been sent, because a
   * stream may be quiet for long.
   */
  readonly #bounds: 'whole' | 'waits' | 'opening';

  constructor(
    host: CallHost,
    method: ProtocolMethod,
    payload: Uint8Array,
    target: string | Remote,
    options: OwnOptions,
  ) {
    super(host, method, payload, target, options);
    if (method.download !== undefined) iterable(this.promise);
    const isOwn = options.timeout !== undefined;
    this.widen();
    this.travels = isOwn;
    this.#bounds = isOwn
      ? 'whole'
      : method.timeout !== undefined || method.download === undefined
        ? 'waits'
        : 'opening';
    const upload = options.upload as AsyncIterable<unknown> | undefined;
    this.#source = upload?.[Symbol.asyncIterator]();
  }

  override accepted(): void {
    if (this.#bounds === 'opening') this.due = Number.POSITIVE_INFINITY;
    const { download, host } = this;
    if (download !== undefined) {
      download.offer(this.carrier!.now);
      const items = new ItemReader(download, {
        decode: (bytes) => this.#decode(bytes),
        taken: () => this.#moved(),
        left: (failure) => this.#leave(failure),
        failure: (error) => this.#failure(error),
      });
      this.resolve(items);
      if (host.watchUnread !== undefined) {
        host.watchUnread(items, this);
        // The call must not keep its items from becoming garbage.
        this.resolve = NOTHING;
        this.promise = NEVER;
      }
    }
    if (this.method.flags & UPLOAD) void this.#pull();
  }

  /**
   * Leaves the call, because its items were dropped before anybody began to read them; as soon as
   * its upload has ended, if it has one.
   */
  forgotten(): void {
    const { upload, download } = this;
    if (download!.unreadSince === undefined) return;
    this.#isForgotten = true;
    if (upload?.ended === false) return;
    download!.discard();
    this.#leave(undefined);
  }

  /** Settles the call when its last item has arrived, even if the reader has not read it yet. */
  override ended(): void {
    if (!this.done) this.settle(undefined);
  }

  override progressed(now: number): void {
    if (this.#bounds !== 'waits' || this.done) return;
    this.due = now + this.timeout;
    this.host.wakeBy(this.due);
  }

  override taken(): void {
    (this.#source as { [TAKEN]?(): void } | undefined)?.[TAKEN]?.();
  }

  protected override silence(now: number): string {
    const { download } = this;
    if (download === undefined) return super.silence(now);
    const { came, heard } = download;
    if (came === 0) return 'no item arrived';
    return `${came} ${came === 1 ? 'item' : 'items'} arrived, then the stream was silent for ${inMs(now - heard)}`;
  }

  protected override settle(error: TransportError | undefined): void {
    super.settle(error);
    this.#stopSource();
  }

  protected override broken(error: TransportError): void {
    const { download } = this;
    if (download === undefined || download.unreadSince === Number.POSITIVE_INFINITY)
      super.broken(error);
    // Items that were complete before the callee or the connection failed are read before the
    // error. If the caller itself ends the call, the reader gets the error immediately.
    else if (!download.ended) download.break(error);
  }

  #decode(item: Uint8Array): unknown {
    this.record?.itemReceived(item.length);
    return decodeAs(this.method.download!, this.method.what.download, item);
  }

  #encode(item: unknown): Uint8Array {
    const encoded = encodeAs(this.method.upload!, this.method.what.upload, item);
    this.record?.itemSent(encoded.length);
    return encoded;
  }

  #moved(): void {
    if (this.carrier !== undefined) this.progressed(this.carrier.now);
  }

  #leave(failure: unknown): void {
    if (this.done) return;
    this.settle(failure instanceof TransportError ? failure : undefined);
    this.carrier?.abandon(this);
  }

  #failure(error: unknown): TransportError {
    if (error instanceof TransportError && error === this.download?.error)
      return withDetails(error, { target: this.target, sent: error.sent ?? true });
    return withDetails(badAnswer(error), { target: this.target });
  }

  async #pull(): Promise<void> {
    const { upload } = this;
    const source = this.#source;
    if (upload === undefined || source === undefined) return;
    try {
      for (;;) {
        const { value, done } = await Promise.resolve(source.next()).catch((error) => {
          throw aborted(error);
        });
        if (done === true) break;
        if (upload.stopped) return;
        await upload.write(this.#encode(value));
      }
      upload.close(undefined);
      if (this.#isForgotten) this.forgotten();
    } catch (error) {
      if (this.done || upload.stopped) return;
      const { code, message, reason, cause } =
        error instanceof TransportError ? error : aborted(error);
      const { sent, target } = this;
      this.giveUp(
        new TransportError(
          code,
          `${this.method.full} to ${target}: its upload failed: ${message}`,
          { reason, cause, sent, target },
        ),
      );
    }
  }

  /** Lets the iterator of an upload clean up, because no more items are wanted. */
  #stopSource(): void {
    const source = this.#source;
    if (source?.return === undefined) return;
    try {
      Promise.resolve(source.return()).catch(() => {});
    } catch {
      // Errors of the clean-up are ignored: the call has settled.
    }
  }
}

/** The key of a method that the iterator of an upload may have; see `ClientCall.upload`. */
const TAKEN: unique symbol = Symbol.for('trunkline.taken') as never;
const NOTHING = () => {};
const NEVER = new Promise<never>(NOTHING);

/** Wraps whatever an upload throws in an `aborted` error, with the original as its cause. */
function aborted(error: unknown): TransportError {
  return new TransportError('aborted', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
