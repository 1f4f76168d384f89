// The outgoing items of one direction of one call, limited by the receiver's credit
// (docs/wire-protocol.md §6, account 5).

import { TransportError } from '../errors.ts';
import { List } from '../list.ts';
import { EMPTY, Kind } from '../wire/frame.ts';
import type { Outbox } from './outbox.ts';
import { type Lanes, Outgoing, type UnitSender } from './outgoing.ts';
import { type SessionContext, UNIT } from './session-context.ts';

/** An item, with the promise functions of the writer that waits for it. */
class Item extends Outgoing {
  resolve: (() => void) | undefined = undefined;
  reject: ((error: TransportError) => void) | undefined = undefined;
}

/**
 * The sending end of a stream. It waits for credit, keeps the order of items, and ends exactly
 * once.
 */
export class OutStream implements UnitSender {
  /** Bytes that the receiver still accepts. */
  #credit: number;
  readonly #queue = new List<Outgoing>();
  #queuedBytes = 0;
  /** The unit that is in the lanes. */
  #current: Outgoing | undefined = undefined;
  #ended: TransportError | 'ended' | undefined = undefined;
  #finish: (() => void) | undefined = undefined;
  readonly #id: number;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #lanes: Lanes;
  readonly #progress: () => void;

  /**
   * @param progress called when a packet of the stream has been written, so a timeout for progress
   *   starts again.
   */
  constructor(
    context: SessionContext,
    outbox: Outbox,
    lanes: Lanes,
    id: number,
    progress: () => void = NOTHING,
  ) {
    this.#context = context;
    this.#outbox = outbox;
    this.#lanes = lanes;
    this.#id = id;
    this.#credit = context.terms.stream;
    this.#progress = progress;
  }

  /** True if the stream was stopped because its call is over. */
  get stopped(): boolean {
    return this.#ended instanceof TransportError;
  }

  /** True if items wait to be sent. */
  get busy(): boolean {
    return this.#current !== undefined || this.#queue.length > 0;
  }

  /**
   * Resolves once the item was written to the batch; rejects if the stream is over or its queue is
   * full.
   */
  write(payload: Uint8Array): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#over());
    const { terms, limits } = this.#context;
    if (payload.length > terms.item) {
      const message = `an item of ${payload.length} bytes is above limits.item, ${terms.item} bytes with this peer`;
      return Promise.reject(
        new TransportError('resource_exhausted', message, { reason: 'too_large', sent: false }),
      );
    }
    const cost = payload.length + UNIT;
    if (!this.busy && this.#credit > 0 && this.#outbox.item(this.#id, payload)) {
      this.#credit -= cost;
      this.#progress();
      return RESOLVED;
    }
    if (
      this.#queue.length > 0 &&
      (this.#queue.length >= limits.outbound.messages ||
        this.#queuedBytes + cost > limits.outbound.bytes)
    ) {
      const message = `${this.#queue.length} items already wait on this stream (limits.outbound): await write()`;
      return Promise.reject(new TransportError('resource_exhausted', message, { sent: false }));
    }
    const item = new Item(Kind.ITEM, this.#id, payload, this);
    const written = new Promise<void>((resolve, reject) => {
      item.resolve = resolve;
      item.reject = reject;
    });
    this.#enqueue(item);
    return written;
  }

  /**
   * Ends the stream with a last unit, END or an ERROR, behind the items that were written. `finish`
   * is called when that unit is in the batch.
   */
  close(terminal: Outgoing | undefined, finish?: () => void): void {
    if (this.#ended !== undefined) return;
    this.#ended = 'ended';
    this.#finish = finish;
    this.#enqueue(terminal ?? new Outgoing(Kind.END, this.#id, EMPTY, this));
  }

  /**
   * Stops the stream at once. Items that were not sent are dropped, and their writers get `error`.
   */
  stop(error: TransportError): void {
    if (this.#ended instanceof TransportError) return;
    this.#ended = error;
    if (this.#current !== undefined) {
      this.#outbox.remove(this.#lanes, this.#current);
      (this.#current as Item).reject?.(error);
      this.#current = undefined;
    }
    for (let unit = this.#queue.shift(); unit !== undefined; unit = this.#queue.shift()) {
      this.#context.free(unit.cost);
      (unit as Item).reject?.(error);
    }
    this.#queuedBytes = 0;
  }

  /** Adds CREDIT. Returns false if the account would pass its maximum. */
  grant(credit: number, max: number): boolean {
    this.#credit += credit;
    if (this.#credit > max) return false;
    this.#feed();
    return true;
  }

  isLate(): boolean {
    return false;
  }

  timeLeft(): number {
    return 0;
  }

  paid(): void {}

  dropped(): void {}

  written(unit: Outgoing, last: boolean): void {
    this.#progress();
    if (!last) return;
    this.#current = undefined;
    (unit as Item).resolve?.();
    if (unit.kind !== Kind.ITEM) this.#finish?.();
    else this.#feed();
  }

  #enqueue(unit: Outgoing): void {
    this.#queuedBytes += unit.cost;
    this.#context.hold(unit.cost);
    this.#queue.push(unit);
    this.#feed();
  }

  /**
   * Moves the first unit of the queue into the lanes if the receiver has room for it. An END or
   * ERROR needs no credit.
   */
  #feed(): void {
    const head = this.#queue.first;
    if (
      head === undefined ||
      this.#current !== undefined ||
      (head.kind === Kind.ITEM && this.#credit <= 0)
    )
      return;
    this.#queue.remove(head);
    this.#queuedBytes -= head.cost;
    this.#context.free(head.cost);
    if (head.kind === Kind.ITEM) this.#credit -= head.cost;
    this.#current = head;
    this.#outbox.push(this.#lanes, head, head.kind === Kind.ITEM ? 'bulk' : 'replies');
  }

  #over(): TransportError {
    return this.#ended instanceof TransportError
      ? this.#ended
      : new TransportError('failed_precondition', 'this stream has already ended');
  }
}

const NOTHING = () => {};
const RESOLVED: Promise<void> = Promise.resolve();
