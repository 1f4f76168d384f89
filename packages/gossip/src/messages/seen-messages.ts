// Remembers which messages of all origins were seen, so that duplicates can be recognized.

import { Introducers } from './introducers.ts';
import type { MessageId } from './message-id.ts';
import { OriginWindow } from './origin-window.ts';
import { RecentDigests } from './recent-digests.ts';

export interface SeenMessagesOptions {
  /**
   * Milliseconds for which digests and gaps are kept, and for which an origin is certainly
   * remembered. iroh-gossip keeps ids for 90,000 ms.
   */
  readonly retention: number;
  /**
   * Milliseconds without a message after which an origin is forgotten. From then on, its old
   * messages are treated as new.
   */
  readonly originRetention: number;
  /**
   * Maximum number of origins, counted separately for those that sign and those that don't. Beyond
   * it, a new origin replaces one that was silent for `retention`; if there is none, the new origin
   * is refused. One peer can introduce at most half of all origins; see `Introducers`.
   */
  readonly origins: number;
  /**
   * Number of new origins that a peer may introduce within `retention` before it counts as a
   * flooder. Default `origins`.
   */
  readonly flood?: number | undefined;
  /**
   * Maximum number of gaps of one origin; beyond it, the gap with the lowest sequences is closed.
   * While all origins together have more than 262,144 gaps, no origin gets further gaps, except
   * that each may have at least 16.
   */
  readonly gaps: number;
  /**
   * Maximum number of digests. Beyond it, the oldest digest is dropped, and a second content under
   * the same id is reported as a plain duplicate.
   */
  readonly digests: number;
  /**
   * Returns the highest life that is accepted in an unsigned message. A life above this number
   * never ends a life up to this number, while a life up to this number ends any life above it.
   * Signed lives have no such bound. Default: no bound.
   */
  readonly latest?: (() => number) | undefined;
}

/**
 * The result of looking up a message; all but `new` are refused.
 * - `seen`: a duplicate.
 * - `conflict`: a duplicate whose content differs from that of the first message. The first message
 *   stays valid.
 * - `old`: it belongs to an earlier life of the origin, or came too late to determine whether it
 *   was seen.
 * - `full`: there is no room to remember the message's origin.
 * - `flood`: like `full`, and its sender has introduced more new origins than an honest peer does.
 * - `unsigned`: it has no signature, although its origin has signed before.
 */
export type SeenVerdict = 'new' | 'seen' | 'conflict' | 'old' | 'full' | 'flood' | 'unsigned';

/**
 * The memory of seen messages. While the origin of a message is remembered, the message is never
 * new twice, no matter what is evicted. So messages can't circulate again after a flood has reached
 * a limit. At the limits, new origins (`full`) and late messages (`old`) are refused, but not
 * origins that already publish.
 *
 * Anybody can send unsigned messages in the name of an origin, take the ids of its true messages
 * and claim a later life. They never affect an origin that signs: its first signed message resets
 * its record, and from then on unsigned messages in its name are refused until the origin is
 * forgotten.
 */
export class SeenMessages {
  readonly #options: SeenMessagesOptions;
  /** Origins that sign, and origins that don't. */
  readonly #signed: OriginTable;
  readonly #unsigned: OriginTable;
  /**
   * The origin that was looked up last. Each message needs its origin three times, and the next
   * message usually has the same origin.
   */
  #last: Origin | undefined = undefined;
  /** The origins that have gaps. */
  readonly #open = new Set<Origin>();
  /** The number of open gaps of all origins. */
  #gaps = 0;
  readonly #digests: RecentDigests;
  readonly #latest: () => number;
  #lives = 0;
  /**
   * A lower bound for the time at which an entry is to be forgotten next; `expire` computes the
   * exact time.
   */
  #due = Number.POSITIVE_INFINITY;

  constructor(options: SeenMessagesOptions) {
    this.#options = options;
    this.#digests = new RecentDigests(options.digests);
    this.#latest = options.latest ?? (() => Number.POSITIVE_INFINITY);
    this.#signed = new OriginTable(options);
    this.#unsigned = new OriginTable(options);
  }

  /** The number of origins, digests and gaps remembered. */
  get size(): { readonly origins: number; readonly digests: number; readonly gaps: number } {
    return {
      origins: this.#signed.origins.size + this.#unsigned.origins.size,
      digests: this.#digests.size,
      gaps: this.#gaps,
    };
  }

  /**
   * Time at which `expire` may have something to forget; Infinity if never. Because it is read
   * after each message, only `expire` computes it exactly.
   */
  get due(): number {
    return this.#due;
  }

  /**
   * Returns what `note` would, except for `conflict` and `flood`.
   * @param from the peer that the message came from; undefined charges no peer for a new origin
   */
  look(id: MessageId, now: number, isSigned = false, from?: string): SeenVerdict {
    const origin = this.#find(id.origin);
    if (origin === undefined || (isSigned && !origin.isSigned))
      return this.#tableOf({ isSigned }).hasRoom(id.origin, from, now) ? 'new' : 'full';
    const verdict = this.#lookAt(origin, id, now);
    return isSigned || !origin.isSigned || verdict === 'seen' ? verdict : 'unsigned';
  }

  /**
   * Returns the verdict on a message with that id, assuming that it is signed if its origin is
   * known to sign. If its origin isn't known to sign, a signed message may be new in spite of the
   * verdict.
   */
  lookUp(id: MessageId, now: number): SeenVerdict {
    const origin = this.#find(id.origin);
    if (origin !== undefined) return this.#lookAt(origin, id, now);
    return this.#signed.hasRoom(id.origin, undefined, now) ||
      this.#unsigned.hasRoom(id.origin, undefined, now)
      ? 'new'
      : 'full';
  }

  /**
   * Looks up a message and remembers it.
   * @param digest the digest of its content, to detect a second content under the same id
   * @param isSigned true if its signature was found valid
   * @param from the peer that it came from
   */
  note(id: MessageId, now: number, digest?: number, isSigned = false, from?: string): SeenVerdict {
    const origin = this.#find(id.origin);
    // Nearly every message is the next one of its origin.
    const isNext =
      origin !== undefined &&
      id.epoch === origin.epoch &&
      origin.isSigned === isSigned &&
      now - origin.heardAt < ORDER_GRAIN &&
      origin.window.takeNext(id.sequence);
    if (!isNext) return this.#note(id, now, digest, isSigned, from);
    this.#remember(origin, id.sequence, now, digest);
    return 'new';
  }

  #note(
    id: MessageId,
    now: number,
    digest: number | undefined,
    isSigned: boolean,
    from: string | undefined,
  ): SeenVerdict {
    const verdict = this.look(id, now, isSigned, from);
    if (verdict === 'seen') return this.#isOther(id, digest) ? 'conflict' : 'seen';
    if (verdict === 'full') return this.#isFlood(id.origin, isSigned, from, now) ? 'flood' : 'full';
    if (verdict !== 'new') return verdict;
    const origin = this.#originOf(id, isSigned, from, now);
    const { window } = origin;
    const before = window.gaps;
    window.take(
      id.sequence,
      now,
      this.#gaps < MOST_GAPS
        ? this.#options
        : { retention: this.#options.retention, gaps: Math.max(FEW_GAPS, before) },
    );
    this.#gaps += window.gaps - before;
    if (window.isOpen !== before > 0) {
      if (window.isOpen) this.#open.add(origin);
      else this.#open.delete(origin);
    }
    this.#remember(origin, id.sequence, now, digest);
    return 'new';
  }

  #lookAt(origin: Origin, id: MessageId, now: number): SeenVerdict {
    if (id.epoch === origin.epoch) return origin.window.look(id.sequence, now, this.#options);
    return this.#isLater(id.epoch, origin) && id.epoch !== origin.retired ? 'new' : 'old';
  }

  /** Returns true if that life is later than the origin's present one. */
  #isLater(epoch: number, origin: Origin): boolean {
    if (origin.isSigned) return epoch > origin.epoch;
    const latest = this.#latest();
    return epoch > latest === origin.epoch > latest ? epoch > origin.epoch : epoch <= latest;
  }

  #remember(
    { life, window }: Origin,
    sequence: number,
    now: number,
    digest: number | undefined,
  ): void {
    if (digest !== undefined) this.#digests.keep(life, sequence, digest, now);
    const { retention, originRetention } = this.#options;
    this.#due = Math.min(
      this.#due,
      now +
        (digest !== undefined || window.isOpen
          ? Math.min(retention, originRetention)
          : originRetention),
    );
  }

  /** Returns the newest life of an origin; undefined if the origin is not remembered. */
  lifeOf(name: string): number | undefined {
    return this.#find(name)?.epoch;
  }

  /**
   * Begins a life that an origin is known to have started, even if the number of the life is lower
   * than that of the last life. From then on, the last life is old. An unsigned message does not
   * begin a life of an origin that signs.
   */
  begin({ origin: name, epoch }: MessageId, isSigned = false): void {
    const origin = this.#find(name);
    if (
      origin === undefined ||
      origin.isSigned !== isSigned ||
      this.#isLater(epoch, origin) ||
      epoch === origin.retired
    )
      return;
    origin.retired = epoch === origin.epoch ? -1 : origin.epoch;
    origin.epoch = epoch;
    this.#renew(origin);
  }

  /** Forgets everything whose time is over. */
  expire(now: number): void {
    const { retention, originRetention } = this.#options;
    for (const { origins, introducers } of [this.#signed, this.#unsigned]) {
      for (const origin of origins.values()) {
        if (now - origin.heardAt < originRetention) break;
        this.#forget(origin);
      }
      introducers.expire(now);
      this.#relieve(origins, introducers.full, now);
    }
    while (now - this.#digests.oldest >= retention) this.#digests.dropOldest();
    for (const origin of this.#open) {
      const before = origin.window.gaps;
      origin.window.closeOld(now, this.#options);
      this.#gaps += origin.window.gaps - before;
      if (!origin.window.isOpen) this.#open.delete(origin);
    }
    this.#due = this.#lookDue(now);
  }

  /** Forgets silent origins of peers that have reached the limit of origins. */
  #relieve(origins: ReadonlyMap<string, Origin>, peers: ReadonlySet<string>, now: number): void {
    if (peers.size === 0) return;
    for (const origin of origins.values()) {
      if (now - origin.heardAt < this.#options.retention + ORDER_GRAIN) return;
      if (origin.by !== undefined && peers.has(origin.by)) this.#forget(origin);
    }
  }

  #lookDue(now: number): number {
    let due = Math.min(
      this.#digests.oldest + this.#options.retention,
      this.#signed.due(now),
      this.#unsigned.due(now),
    );
    for (const { window } of this.#open) due = Math.min(due, window.closesAt(this.#options));
    return due;
  }

  #find(name: string): Origin | undefined {
    if (this.#last?.name === name) return this.#last;
    const { origins } = this.#signed;
    const origin =
      (origins.size > 0 ? origins.get(name) : undefined) ?? this.#unsigned.origins.get(name);
    if (origin !== undefined) this.#last = origin;
    return origin;
  }

  /** Returns the record of the origin of a `new` message, and creates or updates it. */
  #originOf(id: MessageId, isSigned: boolean, from: string | undefined, now: number): Origin {
    const known = this.#find(id.origin);
    if (known === undefined || known.isSigned !== isSigned) {
      if (known !== undefined) this.#forget(known);
      return this.#add(id, isSigned, from === id.origin ? undefined : from, now);
    }
    this.#tableOf(known).heard(known, now);
    if (id.epoch !== known.epoch) {
      known.epoch = id.epoch;
      this.#renew(known);
    }
    return known;
  }

  /** Resets the record of an origin for a new life. */
  #renew(origin: Origin): void {
    this.#gaps -= origin.window.gaps;
    this.#open.delete(origin);
    origin.life = ++this.#lives;
    origin.window = new OriginWindow();
  }

  #add(
    { origin: name, epoch }: MessageId,
    isSigned: boolean,
    by: string | undefined,
    now: number,
  ): Origin {
    const origin: Origin = {
      name,
      isSigned,
      by,
      epoch,
      retired: -1,
      life: ++this.#lives,
      window: new OriginWindow(),
      heardAt: now,
    };
    const table = this.#tableOf(origin);
    if (table.isFull) this.#forget(table.oldest!);
    table.origins.set(name, origin);
    if (by !== undefined) table.introducers.took(by, now);
    return origin;
  }

  #tableOf({ isSigned }: { readonly isSigned: boolean }): OriginTable {
    return isSigned ? this.#signed : this.#unsigned;
  }

  /** Returns true if the peer has introduced too many new origins, counting this one. */
  #isFlood(name: string, isSigned: boolean, from: string | undefined, now: number): boolean {
    if (from === undefined || from === name) return false;
    const isFlood = this.#tableOf({ isSigned }).introducers.refused(from, name, now);
    this.#due = Math.min(this.#due, now + this.#options.retention);
    return isFlood;
  }

  #forget(origin: Origin): void {
    const { origins, introducers } = this.#tableOf(origin);
    origins.delete(origin.name);
    if (origin.by !== undefined) introducers.forgot(origin.by);
    this.#gaps -= origin.window.gaps;
    this.#open.delete(origin);
    if (this.#last === origin) this.#last = undefined;
  }

  #isOther({ origin, sequence }: MessageId, digest: number | undefined): boolean {
    if (digest === undefined) return false;
    const first = this.#digests.get(this.#find(origin)!.life, sequence);
    return first >= 0 && first !== digest;
  }
}

/**
 * Maximum number of open gaps of all origins; a gap takes about 50 bytes. Beyond it, an origin may
 * open gaps only while it has fewer than FEW_GAPS.
 */
const MOST_GAPS = 262_144;
const FEW_GAPS = 16;

// A table of the origins whose messages are remembered. There is one table for origins that sign,
// and one for origins that don't.

/** A node whose messages are remembered. */
export interface Origin {
  readonly name: string;
  /** True if the messages of the origin are signed with valid signatures. */
  readonly isSigned: boolean;
  /**
   * The peer that introduced the origin; undefined if its first message came from the origin
   * itself.
   */
  readonly by: string | undefined;
  epoch: number;
  /** The previous life, if a life with a lower number ended it; −1 if there is no such life. */
  retired: number;
  /** The serial number of this life among all lives of all origins. */
  life: number;
  window: OriginWindow;
  heardAt: number;
}

/** The limits of a table; see `SeenMessagesOptions`. */
export interface OriginTableOptions {
  readonly retention: number;
  readonly originRetention: number;
  readonly origins: number;
  readonly flood?: number | undefined;
}

/**
 * A table of origins and of the peers that introduced them. It is sorted by the time of each
 * origin's last message, to the second, the oldest first.
 */
export class OriginTable {
  readonly origins = new Map<string, Origin>();
  readonly introducers: Introducers;
  readonly #options: OriginTableOptions;

  constructor(options: OriginTableOptions) {
    const { origins, flood = origins, retention: period } = options;
    this.#options = options;
    this.introducers = new Introducers({ origins, flood, period });
  }

  get isFull(): boolean {
    return this.origins.size >= this.#options.origins;
  }

  get oldest(): Origin | undefined {
    for (const origin of this.origins.values()) return origin;
    return undefined;
  }

  /**
   * Returns true if there is room for an origin that the peer `from` introduces. Undefined charges
   * no peer for it.
   */
  hasRoom(name: string, from: string | undefined, now: number): boolean {
    if (from !== undefined && from !== name && !this.introducers.mayBring(from)) return false;
    if (!this.isFull) return true;
    const { oldest } = this;
    return oldest !== undefined && now - oldest.heardAt >= this.#options.retention + ORDER_GRAIN;
  }

  /** Records that a message of the origin arrived. */
  heard(origin: Origin, now: number): void {
    if (now - origin.heardAt < ORDER_GRAIN) return;
    this.origins.delete(origin.name);
    this.origins.set(origin.name, origin);
    origin.heardAt = now;
  }

  /** Time at which an origin or an introducer is to be forgotten. */
  due(now: number): number {
    const { retention, originRetention } = this.#options;
    const { oldest, introducers } = this;
    if (oldest === undefined) return introducers.due;
    const relieved =
      introducers.full.size > 0
        ? Math.max(now, oldest.heardAt + retention) + ORDER_GRAIN
        : Number.POSITIVE_INFINITY;
    return Math.min(introducers.due, oldest.heardAt + originRetention, relieved);
  }
}

/**
 * Precision of the order of origins, in milliseconds. Because it is coarse, a busy origin isn't
 * moved for each message.
 */
export const ORDER_GRAIN = 1_000;
