// Which messages were seen, of all origins: what tells a duplicate.

import type { MessageId } from './message-id.ts';
import { OriginWindow } from './origin-window.ts';
import { RecentDigests } from './recent-digests.ts';

export interface SeenMessagesOptions {
  /** Milliseconds that digests and gaps are kept, and for which an origin surely is: iroh-gossip keeps its ids 90,000. */
  readonly retention: number;
  /** Milliseconds without a message after which an origin is forgotten: from then on an old message of it would be new again. */
  readonly originRetention: number;
  /** Origins at most. Then one that was silent for `retention` makes room; where there is none, new origins are refused. */
  readonly origins: number;
  /** Gaps an origin at most; then the oldest sequences are given up. */
  readonly gaps: number;
  /** Digests at most; then the oldest goes, and a second content under its id is told as a plain duplicate. */
  readonly digests: number;
}

/**
 * `seen`: a duplicate. `conflict`: one whose content is not that of the first, which stays the one that counts. `old`: of an earlier life of
 * the origin, or too late to tell whether it was seen. `full`: of an origin that there is no room to remember. All but `new` are refused.
 */
export type SeenVerdict = 'new' | 'seen' | 'conflict' | 'old' | 'full';

interface Origin {
  readonly name: string;
  epoch: number;
  /** The life before, where the number of this one is not greater; −1: none. */
  retired: number;
  /** The number of this life, among all that were heard. */
  life: number;
  window: OriginWindow;
  heardAt: number;
}

/**
 * Nothing is ever new twice while its origin is remembered, whatever is evicted: so no bound that is reached can start a flood again. What is
 * refused at the bounds is new origins (`full`) and stragglers (`old`), not those who publish already. Where ids are not signed anybody can
 * publish in the name of another, and so take its ids or claim an epoch ahead of its own.
 */
export class SeenMessages {
  readonly #options: SeenMessagesOptions;
  /** The one heard least lately first, to a second. */
  readonly #origins = new Map<string, Origin>();
  /** The one that was asked for last: each message asks three times, and the next is mostly of the same. */
  #last: Origin | undefined = undefined;
  /** Of the origins, those with gaps. */
  readonly #open = new Set<Origin>();
  readonly #digests: RecentDigests;
  #lives = 0;
  /** No later than anything is to be forgotten: `expire` says when that is exactly. */
  #due = Number.POSITIVE_INFINITY;

  constructor(options: SeenMessagesOptions) {
    this.#options = options;
    this.#digests = new RecentDigests(options.digests);
  }

  /** How much it remembers. */
  get size(): { readonly origins: number; readonly digests: number } {
    return { origins: this.#origins.size, digests: this.#digests.size };
  }

  /** When `expire` may have something to forget; Infinity: never. It is asked for after each message, so it is only looked for after `expire`. */
  get due(): number {
    return this.#due;
  }

  /** What `note` would say, the content aside. */
  look(id: MessageId, now: number): SeenVerdict {
    const origin = this.#find(id.origin);
    if (origin === undefined) return this.#hasRoom(now) ? 'new' : 'full';
    if (id.epoch !== origin.epoch) return id.epoch > origin.epoch && id.epoch !== origin.retired ? 'new' : 'old';
    return origin.window.look(id.sequence, now, this.#options);
  }

  /** Says what it is, and remembers it. @param digest of the content, to tell a second content under the same id. */
  note(id: MessageId, now: number, digest?: number): SeenVerdict {
    const origin = this.#find(id.origin);
    // Nearly all are the next of a stream.
    const isNext = origin !== undefined && id.epoch === origin.epoch && now - origin.heardAt < ORDER_GRAIN && origin.window.takeNext(id.sequence);
    if (!isNext) return this.#note(id, now, digest);
    this.#remember(origin, id.sequence, now, digest);
    return 'new';
  }

  #note(id: MessageId, now: number, digest: number | undefined): SeenVerdict {
    const verdict = this.look(id, now);
    if (verdict === 'seen') return this.#isOther(id, digest) ? 'conflict' : 'seen';
    if (verdict !== 'new') return verdict;
    const origin = this.#originOf(id, now);
    const { window } = origin;
    const wasOpen = window.isOpen;
    window.take(id.sequence, now, this.#options);
    if (window.isOpen !== wasOpen) {
      if (wasOpen) this.#open.delete(origin);
      else this.#open.add(origin);
    }
    this.#remember(origin, id.sequence, now, digest);
    return 'new';
  }

  #remember({ life, window }: Origin, sequence: number, now: number, digest: number | undefined): void {
    if (digest !== undefined) this.#digests.keep(life, sequence, digest, now);
    const { retention, originRetention } = this.#options;
    this.#due = Math.min(this.#due, now + (digest !== undefined || window.isOpen ? Math.min(retention, originRetention) : originRetention));
  }

  /** The newest life of an origin; undefined: it is not remembered. */
  lifeOf(name: string): number | undefined {
    return this.#find(name)?.epoch;
  }

  /** An origin is known to have begun that life, though its number may be lower than that of the last: from now on the last is old. */
  begin({ origin: name, epoch }: MessageId): void {
    const origin = this.#find(name);
    if (origin === undefined || epoch > origin.epoch || epoch === origin.retired) return;
    origin.retired = epoch === origin.epoch ? -1 : origin.epoch;
    origin.epoch = epoch;
    origin.life = ++this.#lives;
    this.#open.delete(origin);
    origin.window = new OriginWindow();
  }

  /** Forgets what is over. */
  expire(now: number): void {
    const { retention, originRetention } = this.#options;
    for (const origin of this.#origins.values()) {
      if (now - origin.heardAt < originRetention) break;
      this.#forget(origin);
    }
    while (now - this.#digests.oldest >= retention) this.#digests.dropOldest();
    for (const origin of this.#open) {
      origin.window.closeOld(now, this.#options);
      if (!origin.window.isOpen) this.#open.delete(origin);
    }
    this.#due = this.#lookDue();
  }

  #lookDue(): number {
    const { retention, originRetention } = this.#options;
    let due = this.#digests.oldest + retention;
    for (const { heardAt } of this.#origins.values()) {
      due = Math.min(due, heardAt + originRetention);
      break;
    }
    for (const { window } of this.#open) due = Math.min(due, window.closesAt(this.#options));
    return due;
  }

  #find(name: string): Origin | undefined {
    if (this.#last?.name === name) return this.#last;
    const origin = this.#origins.get(name);
    if (origin !== undefined) this.#last = origin;
    return origin;
  }

  #originOf(id: MessageId, now: number): Origin {
    let origin = this.#find(id.origin);
    if (origin === undefined) {
      this.#makeRoom();
      origin = { name: id.origin, epoch: id.epoch, retired: -1, life: ++this.#lives, window: new OriginWindow(), heardAt: now };
      this.#origins.set(id.origin, origin);
    } else if (now - origin.heardAt >= ORDER_GRAIN) {
      this.#origins.delete(id.origin);
      this.#origins.set(id.origin, origin);
      origin.heardAt = now;
    }
    if (id.epoch > origin.epoch) {
      origin.epoch = id.epoch;
      origin.life = ++this.#lives;
      this.#open.delete(origin);
      origin.window = new OriginWindow();
    }
    return origin;
  }

  #hasRoom(now: number): boolean {
    if (this.#origins.size < this.#options.origins) return true;
    for (const { heardAt } of this.#origins.values()) return now - heardAt >= this.#options.retention + ORDER_GRAIN;
    return false;
  }

  #makeRoom(): void {
    if (this.#origins.size < this.#options.origins) return;
    for (const origin of this.#origins.values()) {
      this.#forget(origin);
      return;
    }
  }

  #forget(origin: Origin): void {
    this.#origins.delete(origin.name);
    this.#open.delete(origin);
    if (this.#last === origin) this.#last = undefined;
  }

  #isOther({ origin, sequence }: MessageId, digest: number | undefined): boolean {
    if (digest === undefined) return false;
    const first = this.#digests.get(this.#find(origin)!.life, sequence);
    return first >= 0 && first !== digest;
  }
}

/** Milliseconds: so exactly are origins kept in order, that a busy one needn't be moved at each message. */
const ORDER_GRAIN = 1_000;
