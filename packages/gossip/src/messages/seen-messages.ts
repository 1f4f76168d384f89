// Which messages were seen, of all origins: what tells a duplicate.

import { type MessageId, messageKey } from './message-id.ts';
import { OldestFirst } from './oldest-first.ts';
import { OriginWindow } from './origin-window.ts';

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
  epoch: number;
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
  /** Of the origins, those with gaps. */
  readonly #open = new Set<Origin>();
  readonly #digests = new OldestFirst<{ readonly digest: number; readonly at: number }>();

  constructor(options: SeenMessagesOptions) {
    this.#options = options;
  }

  /** How much it remembers. */
  get size(): { readonly origins: number; readonly digests: number } {
    return { origins: this.#origins.size, digests: this.#digests.size };
  }

  /** When `expire` has something to forget; Infinity: never. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { heardAt } of this.#origins.values()) {
      due = heardAt + this.#options.originRetention;
      break;
    }
    const oldest = this.#digests.oldest;
    if (oldest !== undefined) due = Math.min(due, oldest[1].at + this.#options.retention);
    for (const { window } of this.#open) due = Math.min(due, window.closesAt(this.#options));
    return due;
  }

  /** What `note` would say, the content aside. */
  look(id: MessageId, now: number): SeenVerdict {
    const origin = this.#origins.get(id.origin);
    if (origin === undefined) return this.#hasRoom(now) ? 'new' : 'full';
    if (id.epoch !== origin.epoch) return id.epoch > origin.epoch ? 'new' : 'old';
    return origin.window.look(id.sequence, now, this.#options);
  }

  /** Says what it is, and remembers it. @param digest of the content, to tell a second content under the same id. @param key of the id, where it is at hand. */
  note(id: MessageId, now: number, digest?: number, key: string = messageKey(id)): SeenVerdict {
    const verdict = this.look(id, now);
    if (verdict === 'seen') return this.#isOther(key, digest) ? 'conflict' : 'seen';
    if (verdict !== 'new') return verdict;
    const origin = this.#originOf(id, now);
    origin.window.note(id.sequence, now, this.#options);
    if (origin.window.isOpen) this.#open.add(origin);
    else this.#open.delete(origin);
    if (digest !== undefined) this.#keep(key, digest, now);
    return 'new';
  }

  /** Forgets what is over. */
  expire(now: number): void {
    const { retention, originRetention } = this.#options;
    for (const [name, origin] of this.#origins) {
      if (now - origin.heardAt < originRetention) break;
      this.#forget(name, origin);
    }
    for (let { oldest } = this.#digests; oldest !== undefined && now - oldest[1].at >= retention; { oldest } = this.#digests) {
      this.#digests.delete(oldest[0]);
    }
    for (const origin of this.#open) {
      origin.window.closeOld(now, this.#options);
      if (!origin.window.isOpen) this.#open.delete(origin);
    }
  }

  #originOf(id: MessageId, now: number): Origin {
    let origin = this.#origins.get(id.origin);
    if (origin === undefined) {
      this.#makeRoom();
      origin = { epoch: id.epoch, window: new OriginWindow(), heardAt: now };
      this.#origins.set(id.origin, origin);
    } else if (now - origin.heardAt >= ORDER_GRAIN) {
      this.#origins.delete(id.origin);
      this.#origins.set(id.origin, origin);
      origin.heardAt = now;
    }
    if (id.epoch > origin.epoch) {
      origin.epoch = id.epoch;
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
    for (const [name, origin] of this.#origins) {
      this.#forget(name, origin);
      return;
    }
  }

  #forget(name: string, origin: Origin): void {
    this.#origins.delete(name);
    this.#open.delete(origin);
  }

  #keep(key: string, digest: number, now: number): void {
    this.#digests.set(key, { digest, at: now });
    if (this.#digests.size > this.#options.digests) this.#digests.delete(this.#digests.oldest![0]);
  }

  #isOther(key: string, digest: number | undefined): boolean {
    if (digest === undefined) return false;
    const first = this.#digests.get(key);
    return first !== undefined && first.digest !== digest;
  }
}

/** Milliseconds: so exactly are origins kept in order, that a busy one needn't be moved at each message. */
const ORDER_GRAIN = 1_000;
