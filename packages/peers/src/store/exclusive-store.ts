// The lifecycle that all address book stores share: one user at a time, one save at a time, and
// only the newest waiting text is saved. A `Backing` stores the text.

import { TransportError } from '@trunkline/transport-core';
import type { Loaded } from './read-text.ts';

/**
 * The operations that each kind of store implements. They are called one at a time: `open`, then
 * `write` any number of times, then `release`.
 */
export interface Backing {
  /** Acquires the storage and reads the text. After a failure, the storage is not acquired. */
  open<T>(read: (text: string) => T): Promise<Loaded<T>>;
  /** Replaces the text. A failure leaves the previous text intact. */
  write(text: string): Promise<void>;
  /** Releases the storage, so that others may open it. */
  release(): Promise<void>;
}

/** The phases of a store. A closed store may be loaded again. */
type State =
  | { readonly t: 'closed' }
  | { readonly t: 'loading'; readonly done: Promise<unknown> }
  | { readonly t: 'open'; readonly queue: SaveQueue }
  | { readonly t: 'closing'; readonly done: Promise<void> };

/**
 * Implements `AddressBookStore`, but does not import it because that would be a circular import.
 */
export class ExclusiveStore {
  readonly #backing: Backing;
  readonly #name: string;
  #state: State = { t: 'closed' };

  constructor(backing: Backing, name: string) {
    this.#backing = backing;
    this.#name = name;
  }

  load<T>(read: (text: string) => T): Promise<Loaded<T>> {
    if (this.#state.t !== 'closed')
      return Promise.reject(
        this.#misused('it is in use; close it first, or use another address book'),
      );
    const done = this.#load(read);
    this.#state = { t: 'loading', done };
    return done;
  }

  save(text: string): Promise<void> {
    if (this.#state.t !== 'open')
      return Promise.reject(this.#misused('it is not open; call load() first'));
    return this.#state.queue.save(text);
  }

  async close(): Promise<void> {
    if (this.#state.t === 'loading') await this.#state.done.catch(() => {});
    if (this.#state.t === 'open')
      this.#state = { t: 'closing', done: this.#close(this.#state.queue) };
    if (this.#state.t === 'closing') await this.#state.done;
  }

  async #load<T>(read: (text: string) => T): Promise<Loaded<T>> {
    try {
      const loaded = await this.#backing.open(read);
      this.#state = { t: 'open', queue: new SaveQueue((text) => this.#backing.write(text)) };
      return loaded;
    } catch (error) {
      this.#state = { t: 'closed' };
      throw error;
    }
  }

  async #close(queue: SaveQueue): Promise<void> {
    try {
      await queue.idle();
      await this.#backing.release();
    } finally {
      this.#state = { t: 'closed' };
    }
  }

  #misused(problem: string): TransportError {
    return new TransportError('failed_precondition', `address book: ${this.#name}: ${problem}`);
  }
}

/**
 * Runs one save at a time. If several wait, only the newest text is saved, and the older saves
 * settle with it.
 */
class SaveQueue {
  readonly #write: (text: string) => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined = undefined;
  #newest = '';

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  save(text: string): Promise<void> {
    this.#newest = text;
    return (this.#waiting ??= this.#next());
  }

  /** Resolves when no save is in progress, regardless of the saves' success. */
  async idle(): Promise<void> {
    await (this.#waiting ?? this.#running).catch(() => {});
  }

  async #next(): Promise<void> {
    await this.#running.catch(() => {});
    this.#waiting = undefined;
    this.#running = this.#write(this.#newest);
    return this.#running;
  }
}
