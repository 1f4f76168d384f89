// The two ends of a stream of items: the sending end, which is limited by the receiver's credit,
// and the receiving end, which keeps items until their reader takes them (docs/wire-protocol.md §6,
// account 3).
//
// Each end owns its items and its account. The peer's frames and the user of the stream drive it.
// The sending end puts one unit at a time into the lanes. The receiving end gives credit back, so a
// reader that stops taking items stops only its own sender. Below is ItemReader. Tested in
// streams.test.ts and growing-account.test.ts; ItemReader in rpc/item-reader.test.ts.

import { reasonError, TransportError } from '../errors.ts';
import { List } from '../list.ts';
import type { Codec } from '../protocol/codec.ts';
import { DONE, type Step, Steps } from '../steps.ts';
import { ACCOUNT_MAX, EMPTY, type Frame, UNIT } from '../wire/frame.ts';
import * as Kind from '../wire/kind.ts';
import type { Creditor } from './batch.ts';
import { GrowingAccount } from './credit.ts';
import type { Outbox } from './outbox.ts';
import { isLent, kept, type Lanes, Outgoing, type UnitSender } from './outgoing.ts';
import { type IncomingPackets, longCost, type Receiver } from './packets.ts';
import type { SessionContext } from './session-context.ts';

/** The receiving end of a stream: items that have arrived and wait for their reader. */
export class InStream {
  readonly account: GrowingAccount;
  /** True once the stream is complete or has failed; `error` is set if it has failed. */
  ended = false;
  error: TransportError | undefined = undefined;
  /** The error that its reader gets instead of further items, because this end broke it off. */
  brokenBy: TransportError | undefined = undefined;
  /**
   * The number of items that arrived, and the time of the last one (before the first, the time at
   * which the stream was created).
   */
  came = 0;
  heard: number;
  /**
   * The time since which a reader could begin to read; Infinity before, undefined once it has
   * begun or the items were discarded. `Caller` ends streams by it, and `Call` tells by it whether
   * its user has the items.
   */
  unreadSince: number | undefined = Number.POSITIVE_INFINITY;
  /**
   * Called when there is an item to take or the stream has ended; set only while a reader waits.
   */
  #waiter: (() => void) | undefined = undefined;
  #items: { payload: Uint8Array; cost: number }[] = [];
  #head = 0;
  /** The total cost of the items that were not taken yet. */
  #unread = 0;
  #discarding = false;
  #released = false;
  readonly #context: SessionContext;

  constructor(context: SessionContext, creditor: Creditor, id: number) {
    this.#context = context;
    this.heard = context.now;
    this.account = new GrowingAccount(context, creditor, id);
  }

  /**
   * Handles an ITEM: a short one, or the first packet of a long one. `Caller.item` and
   * `Callee.item` check before that no other long item is arriving.
   * @param keep false if its reader is gone.
   * @param call keeps the packets of a long item, which is pushed once it is complete.
   */
  receive(frame: Frame, packets: IncomingPackets, keep: boolean, call: Receiver): void {
    const context = this.#context;
    const { item } = context.limits;
    if (frame.size > 0) {
      if (packets.long(frame, this.account)) packets.begin(frame, call, keep);
      return;
    }
    if (!packets.short(frame)) return;
    if (frame.length > item) {
      const text = `an item of ${frame.length} bytes is above our limits.item, ${item}`;
      return context.violation(text, 'too_large');
    }
    const cost = longCost(frame);
    if (!this.account.spend(cost))
      return context.violation(`an item of call ${frame.id} arrived without credit of its stream`);
    if (packets.packet(frame)) this.push(keep ? packets.keep(frame) : undefined, cost);
  }

  /**
   * Adds a complete item; not called after `release`. With undefined, the item was only counted, so
   * its credit is given back.
   */
  push(payload: Uint8Array | undefined, cost: number): void {
    if (this.#discarding || payload === undefined) return this.account.giveBack(cost, false);
    this.came++;
    this.heard = this.#context.now;
    this.#context.usage.hold(cost);
    this.#items.push({ payload, cost });
    this.#unread += cost;
    this.#notify();
  }

  /** Called when the items of a download are handed to the user of the call. */
  offer(): void {
    this.unreadSince = this.#context.now;
  }

  /**
   * Takes the next item and gives its credit back. Returns undefined if there is none. In both
   * cases, its reader has begun to read.
   */
  take(): Uint8Array | undefined {
    this.unreadSince = undefined;
    if (this.#head >= this.#items.length) return undefined;
    const { payload, cost } = this.#items[this.#head++]!;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    if (!this.#released) this.#context.usage.free(cost);
    this.#unread -= cost;
    this.account.used(cost, this.#unread);
    return payload;
  }

  /**
   * Calls `waiter` once, when there is an item to take, or the stream has ended or was broken. Call
   * it only if none of that is so yet. Pays credit that was held back, so the sender can continue.
   */
  wait(waiter: () => void): void {
    this.#waiter = waiter;
    this.account.payWaiting();
  }

  /** Ends the stream. Items that have arrived can still be taken; an error comes after them. */
  end(error: TransportError | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.account.end();
    this.#notify();
  }

  /**
   * Called when the call has ended. The remaining items belong to the reader, which may never take
   * them, and no longer count as held by the connection.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#context.usage.free(this.#unread);
  }

  /**
   * Breaks the stream off for its reader: items that have arrived are dropped, and the reader gets
   * the error. `ended` stays as it is.
   */
  break(error: TransportError): void {
    this.brokenBy ??= error;
    this.discard();
    this.#notify();
  }

  /** Called when the reader has left: items that have arrived, or still arrive, are dropped. */
  discard(): void {
    if (this.#discarding) return;
    this.#discarding = true;
    while (this.take() !== undefined);
  }

  #notify(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.();
  }
}

/**
 * Returns the promise of a write, whose rejection no longer counts as unhandled: a writer that does
 * not wait must not end the process when its peer leaves.
 */
export function handled<P extends Promise<unknown>>(promise: P): P {
  promise.catch(NOTHING);
  return promise;
}

/** An item, with the promise of the writer that waits for it. */
class Item extends Outgoing {
  /** True if the writer waits until the item has left, because its memory is the writer's. */
  isLent = false;
  resolve: (() => void) | undefined = undefined;
  reject: ((error: TransportError) => void) | undefined = undefined;
  readonly written = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  /** Rejects the write, because its call has ended. */
  refuse(error: TransportError): void {
    handled(this.written);
    this.reject!(error);
  }
}

/**
 * The sending end of a stream. It waits for credit, keeps the order of items, and ends exactly
 * once.
 */
export class OutStream implements UnitSender {
  /** Bytes that the receiver still accepts; below 0 if the last item exceeded them. */
  #credit: number;
  readonly #queue = new List<Outgoing>();
  #queuedBytes = 0;
  /** The unit that is in the lanes. */
  #current: Outgoing | undefined = undefined;
  /** 'ended' once `close` was called, even if items still wait; the error once it was stopped. */
  #ended: TransportError | 'ended' | undefined = undefined;
  readonly #id: number;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #lanes: Lanes;
  readonly #codec: Codec<any, any>;
  readonly #progress: () => void;
  /** Items in the batch whose memory is their writers'. */
  readonly #leaving = new Set<Item>();

  /**
   * @param codec encoded the items.
   * @param progress called when a packet of the stream has been written, so a timeout for progress
   *   starts again.
   */
  constructor(
    outbox: Outbox,
    lanes: Lanes,
    id: number,
    codec: Codec<any, any>,
    progress: () => void = NOTHING,
  ) {
    this.#context = outbox.context;
    this.#outbox = outbox;
    this.#lanes = lanes;
    this.#id = id;
    this.#codec = codec;
    this.#credit = outbox.context.terms.stream;
    this.#progress = progress;
  }

  /** True if the stream was stopped because its call has ended. */
  get stopped(): boolean {
    return this.#ended instanceof TransportError;
  }

  /** True if no more items can be written. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** True if items, or the last unit, wait to be sent. */
  get busy(): boolean {
    return this.#current !== undefined || this.#queue.length > 0;
  }

  /** True if the next item waits for credit. */
  get isBlocked(): boolean {
    return this.#credit <= 0 && this.#queue.first?.kind === Kind.ITEM;
  }

  /**
   * Resolves once the item was written to the batch and the writer may use its memory again.
   * Rejects with `failed_precondition` after `close`, and with the error of `stop`; a writer may
   * ignore these two. Rejects with `resource_exhausted` if the item is above the peer's
   * `limits.item` (reason `too_large`), or if `limits.outbound` lets no more items wait.
   */
  write(payload: Uint8Array): Promise<void> {
    if (this.#ended === 'ended') {
      const error = new TransportError('failed_precondition', 'this stream has already ended');
      return handled(Promise.reject(error));
    }
    if (this.#ended !== undefined) return handled(Promise.reject(this.#ended));
    const { terms, limits } = this.#context;
    if (payload.length > terms.item) {
      const message = `an item of ${payload.length} bytes is above limits.item, ${terms.item} bytes with this peer`;
      return Promise.reject(reasonError('too_large', message, { sent: false }));
    }
    const cost = payload.length + UNIT;
    const { owned = false } = this.#codec;
    const lent = isLent(payload, this.#codec);
    if (!this.busy && this.#credit > 0 && this.#outbox.item(this.#id, payload, owned)) {
      this.#credit -= cost;
      this.#progress();
      // The empty item only waits until the lent bytes have left.
      return lent && !this.#outbox.batch.flush()
        ? this.#leave(new Item(Kind.ITEM, this.#id, EMPTY, this))
        : RESOLVED;
    }
    if (
      this.#queue.length > 0 &&
      (this.#queue.length >= limits.outbound.messages ||
        this.#queuedBytes + cost > limits.outbound.bytes)
    ) {
      const message = `${this.#queue.length} items already wait on this stream (limits.outbound): await write()`;
      return Promise.reject(new TransportError('resource_exhausted', message, { sent: false }));
    }
    const item = new Item(Kind.ITEM, this.#id, kept(payload, this.#codec), this);
    item.isLent = lent;
    this.#enqueue(item);
    return item.written;
  }

  /** Settles the write of an item in the batch once that has left or the session has ended. */
  #leave(item: Item): Promise<void> {
    this.#leaving.add(item);
    this.#outbox.batch.whenLeft(() => {
      if (this.#leaving.delete(item)) item.resolve!();
    });
    return item.written;
  }

  /**
   * Ends the stream after the items that were written: with END, or with another last unit, whose
   * sender then learns that it was written. Has no effect on a stream that has ended.
   */
  close(terminal: Outgoing = new Outgoing(Kind.END, this.#id, EMPTY, this)): void {
    if (this.#ended !== undefined) return;
    this.#ended = 'ended';
    this.#enqueue(terminal);
  }

  /**
   * Stops the stream immediately. Items that were not sent are dropped, and their writers get
   * `error`.
   */
  stop(error: TransportError): void {
    if (this.#ended instanceof TransportError) return;
    this.#ended = error;
    // The last unit of `close` is not an Item, because no writer waits for it.
    if (this.#current !== undefined) {
      this.#outbox.remove(this.#current);
      (this.#current as Item).refuse?.(error);
      this.#current = undefined;
    }
    for (let unit = this.#queue.shift(); unit !== undefined; unit = this.#queue.shift()) {
      this.#context.usage.free(unit.cost);
      (unit as Item).refuse?.(error);
    }
    this.#queuedBytes = 0;
    for (const item of this.#leaving) item.refuse(error);
    this.#leaving.clear();
  }

  /** Adds CREDIT. An account above its maximum is a violation. */
  grant(credit: number): void {
    this.#credit += credit;
    if (this.#credit <= ACCOUNT_MAX) this.#feed();
    else this.#context.violation('the credit of a stream rose above 2^31 − 1');
  }

  written(unit: Outgoing, last: boolean): void {
    this.#progress();
    if (!last) return;
    this.#current = undefined;
    if ((unit as Item).isLent) void this.#leave(unit as Item);
    else (unit as Item).resolve?.();
    this.#feed();
  }

  #enqueue(unit: Outgoing): void {
    this.#queuedBytes += unit.cost;
    this.#context.usage.hold(unit.cost);
    this.#queue.push(unit);
    this.#feed();
  }

  /**
   * Moves the first unit of the queue into the lanes if the receiver has room for it. An END or
   * ERROR needs no credit.
   */
  #feed(): void {
    const head = this.#queue.first;
    if (head === undefined || this.#current !== undefined || this.isBlocked) return;
    this.#queue.remove(head);
    this.#queuedBytes -= head.cost;
    this.#context.usage.free(head.cost);
    if (head.kind === Kind.ITEM) this.#credit -= head.cost;
    this.#current = head;
    this.#outbox.push(this.#lanes, head, head.kind === Kind.ITEM ? 'bulk' : 'replies');
  }
}

const NOTHING = () => {};
const RESOLVED: Promise<void> = Promise.resolve();

// The reading end of a stream as an async iterator. It takes items only as its user reads them, so
// a user who stops reading stops the sender.

/** The call behind a stream, as its reader sees it. */
interface ItemReaderHooks<T> {
  decode(bytes: Uint8Array): T;
  /** Called when an item has been taken and decoded. */
  taken?(): void;
  /**
   * Called when the user left before the stream had ended, or when the next item could not be
   * decoded; in that case, `failure` is the reason.
   */
  left?(failure: unknown): void;
  /**
   * Converts the error with which the stream ended, or that `decode` threw, into the error that the
   * user gets. The error of `InStream.break` reaches the user unchanged.
   */
  failure(error: unknown): unknown;
}

/** The items of one call. They can be read only once, by a single loop. */
export class ItemReader<T> extends Steps<T> {
  readonly #stream: InStream;
  #over = false;
  readonly #hooks: ItemReaderHooks<T>;

  constructor(stream: InStream, hooks: ItemReaderHooks<T>) {
    super();
    this.#stream = stream;
    this.#hooks = hooks;
  }

  /** Leaves the stream; items that have arrived, or are still in flight, are dropped. */
  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#over) {
      const ended = this.#stream.ended === true;
      this.#over = true;
      this.#stream.discard();
      if (!ended) this.#hooks.left?.(undefined);
      this.serve();
    }
    return Promise.resolve(DONE);
  }

  protected step(): Step<T> {
    if (this.#over) return DONE;
    const { brokenBy } = this.#stream;
    if (brokenBy !== undefined) return this.#fail(brokenBy);
    const bytes = this.#stream.take();
    if (bytes !== undefined) {
      try {
        const value = this.#hooks.decode(bytes);
        this.#hooks.taken?.();
        return { value, done: false };
      } catch (error) {
        const failure = this.#hooks.failure(error);
        // `left` may call `return`.
        this.#over = true;
        this.#hooks.left?.(failure);
        this.#stream.discard();
        return this.#fail(failure);
      }
    }
    if (!this.#stream.ended) {
      this.#stream.wait(() => this.serve());
      return undefined;
    }
    if (this.#stream.error !== undefined)
      return this.#fail(this.#hooks.failure(this.#stream.error));
    this.#over = true;
    return DONE;
  }

  /** Ends the iterator with an error. Like a generator, it throws once and is done afterwards. */
  #fail(error: unknown): { error: unknown } {
    this.#over = true;
    return { error };
  }
}

// Closes streams that nobody will read, so that their sources can clean up.

/** Returns true if the value is an object with an async iterator. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * Calls `return` of the iterator of a value, if the value is an async iterable. Never throws.
 *
 * @param failed receives an error of the clean-up.
 */
export function closeItems(value: unknown, failed: (error: unknown) => void): void {
  if (!isAsyncIterable(value)) return;
  try {
    Promise.resolve(value[Symbol.asyncIterator]().return?.()).catch(failed);
  } catch (error) {
    failed(error);
  }
}
