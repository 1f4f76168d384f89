// The items that a handler writes, as an iterable that interceptors can wrap. It holds only items
// whose `write` is pending.

import { TransportError } from '../errors.ts';
import { handled } from '../session/streams.ts';

interface PendingItem {
  readonly item: unknown;
  taken(): void;
  refused(error: unknown): void;
}

interface PendingRead {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** Items on their way from a handler to the connection. */
export class ItemPipe implements AsyncIterableIterator<unknown> {
  readonly #items: PendingItem[] = [];
  readonly #reads: PendingRead[] = [];
  /** Set once the handler has ended the stream, or has failed. */
  #end: { readonly error?: unknown } | undefined = undefined;
  #isLeft = false;

  /** Resolves when the item has been taken; rejects if the reader has left. */
  write(item: unknown): Promise<void> {
    if (this.#isLeft) return handled(Promise.reject(left()));
    const read = this.#reads.shift();
    if (read !== undefined) {
      read.resolve({ value: item, done: false });
      return Promise.resolve();
    }
    return handled(new Promise((taken, refused) => this.#items.push({ item, taken, refused })));
  }

  /** Ends the stream after the items that were written, with an error if one is given. */
  end(failure: { readonly error: unknown } | undefined): void {
    this.#end ??= failure ?? {};
    if (this.#items.length > 0) return;
    for (const read of this.#reads.splice(0)) this.#finish(read);
  }

  #finish({ resolve, reject }: PendingRead): void {
    const end = this.#end!;
    this.#end = {};
    if ('error' in end) reject(end.error);
    else resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const first = this.#items.shift();
    if (first !== undefined) {
      first.taken();
      return Promise.resolve({ value: first.item, done: false });
    }
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#reads.push({ resolve, reject });
      else this.#finish({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#isLeft = true;
    for (const { refused } of this.#items.splice(0)) refused(left());
    this.end(undefined);
    return Promise.resolve({ value: undefined, done: true });
  }
}

function left(): TransportError {
  return new TransportError('cancelled', 'the reader of the stream has left');
}
