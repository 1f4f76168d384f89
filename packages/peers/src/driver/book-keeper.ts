// Keeps the address book and the trust in its nodes: loads them at the start, and saves them every
// two minutes and at the end. A small book is also saved soon after each new peer. Tested in
// book-keeper.test.ts, and in src/file-book.test.ts.

import { type Clock, TransportError } from '@trunkline/transport-core';
import type { DialPolicy } from '../address/dial-policy.ts';
import { AddressBook } from '../book/address-book.ts';
import { type BookDocument, formatBook, parseBook } from '../book/document.ts';
import type { PeersConfig } from '../options.ts';
import type { AddressBookStore } from '../store/address-book-store.ts';
import { TrustBook, type TrustBookDocument } from '../trust/trust-book.ts';

/** The parts of a node that the keeper uses. */
interface KeptNode {
  readonly config: Pick<PeersConfig, 'addressBook' | 'privateIds' | 'transport'>;
  readonly clock: Clock;
  readonly nodeId: string;
  /** Decides which addresses the book accepts. */
  readonly policy: Pick<DialPolicy, 'mode' | 'refusal'>;
  warn(error: TransportError): void;
}

export class BookKeeper {
  /** `open` replaces both books, so don't keep references to them. */
  book: AddressBook;
  trust: TrustBook;
  /** Time of the next save; Infinity without an open store. Do not use it after `close`. */
  wakeAt = Number.POSITIVE_INFINITY;
  readonly #node: KeptNode;
  #saving: Promise<void> | undefined = undefined;
  /** True if the last save failed and its warning was reported. */
  #failing = false;
  #closing: Promise<void> | undefined = undefined;
  #opened = false;
  /** Nodes whose bans were ended before the store was open. */
  #unbanned = new Set<string>();

  constructor(node: KeptNode) {
    this.#node = node;
    this.book = this.#bookOf(undefined, node.clock.now());
    this.trust = new TrustBook();
  }

  /**
   * Loads the saved data, adds what was learned meanwhile, and reports malformed data as warnings.
   * Rejects with the error of the store's `load`, for example if another process uses the store;
   * then it may be called again. `PeersDriver.start` calls it, and `cutBanned` after it.
   */
  async open(): Promise<void> {
    const store = this.#node.config.addressBook;
    if (store === undefined) return;
    const { value, warnings } = await store.load(parseSavedState);
    // Closed meanwhile: release the store at once.
    if (this.#closing !== undefined) return this.#leave(store);
    this.#opened = true;
    for (const warning of warnings) this.#node.warn(warning);
    const now = this.#node.clock.now();
    this.wakeAt = now + SAVE;
    if (value === undefined) return;
    const { book: early, trust: earlyTrust } = this;
    this.book = this.#bookOf(value.book, now);
    this.trust = new TrustBook(value.trust);
    this.trust.merge(earlyTrust);
    // A new entry may be the report of another node, which must not replace a tried address.
    for (const { nodeId, address, tried, source } of early.entries()) {
      if (tried) this.book.succeeded(nodeId, address, now, source);
      else this.book.add({ nodeId, address }, { nodeId, address: source }, now);
    }
    for (const nodeId of this.#unbanned) this.book.unban(nodeId, now);
    // A ban removes the address of its node, so bans are added last.
    for (const { nodeId, left } of early.save(now).bans) this.book.ban(nodeId, now, left);
  }

  /** Ends a ban, even one that is saved and not loaded yet. */
  unban(nodeId: string): void {
    this.book.unban(nodeId, this.#node.clock.now());
    if (!this.#opened && this.#node.config.addressBook !== undefined) this.#unbanned.add(nodeId);
  }

  /**
   * Notes that a node was connected, perhaps at a new address. A small book is saved soon, so that
   * a process that is killed early finds its few peers again after a restart.
   */
  met(now: number): void {
    if (this.#opened && this.book.size <= FEW) this.wakeAt = Math.min(this.wakeAt, now + SOON);
  }

  /**
   * Saves the book. The first failure is reported by a warning; further failures are not reported
   * until a save has succeeded. The next save is tried at the usual time.
   */
  save(): Promise<void> {
    const store = this.#node.config.addressBook;
    if (store === undefined || !this.#opened) return Promise.resolve();
    const now = this.#node.clock.now();
    this.wakeAt = now + SAVE;
    this.#saving ??= this.#write(
      store,
      formatSavedState(this.book.save(now), this.trust.save()),
    ).finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /**
   * Saves once more and releases the store. Waits at most five seconds for a store that hangs.
   * Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const store = this.#node.config.addressBook;
    if (store === undefined || !this.#opened) return;
    const enough = new AbortController();
    const late = this.#node.clock.sleep(PATIENCE, enough.signal).catch(() => {});
    await Promise.race([this.#finish(store), late]);
    enough.abort();
  }

  async #finish(store: AddressBookStore): Promise<void> {
    await this.#saving;
    await this.save();
    await this.#leave(store);
  }

  async #leave(store: AddressBookStore): Promise<void> {
    try {
      await store.close();
    } catch (error) {
      this.#warn(error, 'closed');
    }
  }

  async #write(store: AddressBookStore, text: string): Promise<void> {
    try {
      await store.save(text);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#warn(error, 'saved');
      this.#failing = true;
    }
  }

  #warn(error: unknown, what: 'saved' | 'closed'): void {
    this.#node.warn(
      error instanceof TransportError
        ? error
        : new TransportError('unavailable', `The address book can't be ${what}: ${String(error)}`),
    );
  }

  #bookOf(saved: BookDocument | undefined, now: number): AddressBook {
    const { config, policy, nodeId } = this.#node;
    return new AddressBook({
      random: config.transport.random,
      now,
      mode: policy.mode,
      mayDial: (place, source) => policy.refusal(place, source) === undefined,
      privateIds: config.privateIds,
      nodeId,
      saved,
    });
  }
}

/**
 * Time limit for closing a store, in milliseconds. It equals the time that a connection gets to
 * close cleanly (`LEAVE_TIME` of transport-core).
 */
const PATIENCE = 5_000;
/** Milliseconds between saves: two minutes, as in Tendermint. */
const SAVE = 120_000;
/**
 * Maximum number of addresses in a small book: a few more than the default of `maxOutbound`, 10.
 */
const FEW = 16;
/**
 * Milliseconds before a small book is saved, so that peers that connect together are saved
 * together.
 */
const SOON = 1_000;

// The format of the saved data: exactly two lines for the address book (see `formatBook`), then one
// line of trust data about the nodes of the book. The book's checksum does not cover the trust.

export interface SavedState {
  readonly book: BookDocument;
  /** The trust data as read, unchecked. If it is malformed, only the trust is lost. */
  readonly trust: unknown;
}

export function formatSavedState(book: BookDocument, trust: TrustBookDocument): string {
  return `${formatBook(book)}${JSON.stringify(trust)}\n`;
}

/**
 * Parses saved data. Throws `data_loss` if the book is malformed, see `parseBook`. Data that ends
 * with the book has no trust (`undefined`).
 */
export function parseSavedState(text: string): SavedState {
  const headEnd = text.indexOf('\n');
  const bookEnd = headEnd < 0 ? -1 : text.indexOf('\n', headEnd + 1);
  const book = parseBook(bookEnd < 0 ? text : text.slice(0, bookEnd + 1));
  return { book, trust: bookEnd < 0 ? undefined : readTrust(text.slice(bookEnd + 1)) };
}

function readTrust(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
