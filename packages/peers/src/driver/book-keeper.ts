// The address book and the trust in those who are in it: loaded at the start, saved every two minutes and at the end; a
// small one whenever somebody was met.

import { type Clock, type Random, TransportError } from '@trunkline/transport-core';
import { AddressBook } from '../book/address-book.ts';
import type { AddressBookStore } from '../store/address-book-store.ts';
import { TrustBook } from '../trust/trust-book.ts';
import { formatNotes, parseNotes } from './notes.ts';

export interface BookKeeperOptions {
  readonly store: AddressBookStore | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly mode: 'any' | 'public';
  readonly privateIds: readonly string[];
  /** This node's: never in the book. */
  readonly nodeId: string;
  warn(error: TransportError): void;
}

export class BookKeeper {
  book: AddressBook;
  trust: TrustBook;
  /** When to save; only where there is a store. */
  due = Number.POSITIVE_INFINITY;
  readonly #options: BookKeeperOptions;
  #saving: Promise<void> | undefined = undefined;
  #failing = false;
  #closing: Promise<void> | undefined = undefined;
  #opened = false;

  constructor(options: BookKeeperOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.book = this.#bookOf(undefined, now);
    this.trust = new TrustBook({ now });
  }

  /** Loads what was saved; what is broken is told as a warning. Rejects where the store is another process's. */
  async open(): Promise<void> {
    const { store, clock, warn } = this.#options;
    if (store === undefined) return;
    const { value, warnings } = await store.load(parseNotes);
    // Closed meanwhile: it is left to others at once.
    if (this.#closing !== undefined) return this.#leave(store);
    this.#opened = true;
    for (const warning of warnings) warn(warning);
    const now = clock.now();
    this.due = now + SAVE;
    if (value === undefined) return;
    const early = this.book;
    this.book = this.#bookOf(value.book, now);
    this.trust = new TrustBook({ now, saved: value.trust });
    for (const { nodeId, address, tried } of early.entries()) {
      if (tried) this.book.succeeded(nodeId, address, now);
      else this.book.learn({ nodeId, address }, now);
    }
    for (const { nodeId, left } of early.save(now).bans) this.book.ban(nodeId, now, left);
  }

  /** A node was met, perhaps at another address than before. A small book is saved soon: who is killed finds those few again in its next life. */
  met(now: number): void {
    if (this.#opened && this.book.size <= FEW) this.due = Math.min(this.due, now + SOON);
  }

  /** Saves; a failure is told once, and tried again at the next time. */
  save(): Promise<void> {
    const { store, clock } = this.#options;
    if (store === undefined || !this.#opened) return Promise.resolve();
    const now = clock.now();
    this.due = now + SAVE;
    this.#saving ??= this.#write(store, formatNotes({ book: this.book.save(now), trust: this.trust.save(now) })).finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** Saves once more, and leaves the store to others; a store that hangs is not waited for longer than five seconds. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.due = Number.POSITIVE_INFINITY;
    const { store, clock } = this.#options;
    if (store === undefined || !this.#opened) return;
    const enough = new AbortController();
    const late = clock.sleep(PATIENCE, enough.signal).catch(() => {});
    await Promise.race([this.#finish(store), late]);
    enough.abort();
  }

  async #finish(store: AddressBookStore): Promise<void> {
    await this.#saving;
    await this.save();
    this.due = Number.POSITIVE_INFINITY;
    await this.#leave(store);
  }

  async #leave(store: AddressBookStore): Promise<void> {
    try {
      await store.close();
    } catch (error) {
      this.#options.warn(error instanceof TransportError ? error : new TransportError('unavailable', `The address book can't be closed: ${String(error)}`));
    }
  }

  async #write(store: AddressBookStore, text: string): Promise<void> {
    try {
      await store.save(text);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        this.#options.warn(error instanceof TransportError ? error : new TransportError('unavailable', `The address book can't be saved: ${String(error)}`));
      this.#failing = true;
    }
  }

  #bookOf(saved: ReturnType<typeof parseNotes>['book'] | undefined, now: number): AddressBook {
    const { random, mode, privateIds, nodeId } = this.#options;
    return new AddressBook({ random, now, mode, privateIds, nodeId, ...(saved === undefined ? {} : { saved }) });
  }
}

/** Milliseconds that a store has to close: no longer than links have to part. */
const PATIENCE = 5_000;
/** Tendermint saves its book every two minutes. */
const SAVE = 120_000;
/** Addresses of a small book: some more than a node keeps dialled. */
const FEW = 16;
/** Milliseconds: those that come together are saved together. */
const SOON = 1_000;
