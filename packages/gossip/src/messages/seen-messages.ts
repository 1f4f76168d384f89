// Which messages were seen, of all origins: what tells a duplicate.

import { Introducers } from './introducers.ts';
import type { MessageId } from './message-id.ts';
import { OriginWindow } from './origin-window.ts';
import { RecentDigests } from './recent-digests.ts';

export interface SeenMessagesOptions {
  /** Milliseconds that digests and gaps are kept, and for which an origin surely is: iroh-gossip keeps its ids 90,000. */
  readonly retention: number;
  /** Milliseconds without a message after which an origin is forgotten: from then on an old message of it would be new again. */
  readonly originRetention: number;
  /**
   * Origins at most, those that sign and those that don't apart. Beyond that one that was silent
   * for `retention` makes room; if there is none, new origins are refused. One peer brings at most
   * half of them, see `Introducers`.
   */
  readonly origins: number;
  /**
   * New origins that a peer may bring in `retention` before it counts as a flooder. Default
   * `origins`.
   */
  readonly flood?: number | undefined;
  /**
   * Gaps an origin at most; then the oldest sequences are given up. Of more than 262,144 in all an
   * origin keeps those that it has, 16 at least.
   */
  readonly gaps: number;
  /** Digests at most; then the oldest goes, and a second content under its id is told as a plain duplicate. */
  readonly digests: number;
  /**
   * The last life that an unsigned message is believed to be of. A later one never ends a life up
   * to this one, and a life up to this one ends any later one. Signed lives have no such bound.
   * Default: there is none.
   */
  readonly latest?: (() => number) | undefined;
}

/**
 * `seen`: a duplicate. `conflict`: one whose content is not that of the first, which stays the one that counts. `old`: of an earlier life of
 * the origin, or too late to tell whether it was seen. `full`: of an origin that there is no room
 * to remember. `flood`: likewise, and its sender has brought more new origins than an honest peer
 * does. `unsigned`: it has no signature, and its origin has signed before. All but `new` are
 * refused.
 */
export type SeenVerdict = 'new' | 'seen' | 'conflict' | 'old' | 'full' | 'flood' | 'unsigned';

interface Origin {
  readonly name: string;
  /** Its messages are signed, and their signatures true. */
  readonly isSigned: boolean;
  /** The peer that brought its first message, unless that was the origin itself. */
  readonly by: string | undefined;
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
 * refused at the bounds is new origins (`full`) and stragglers (`old`), not those who publish
 * already.
 *
 * Unsigned messages of one origin can take ids of each other, and claim an epoch ahead. They never
 * touch an origin that signs: its first signed message begins its memory anew, and from then on
 * unsigned ones in its name are refused, until it is forgotten.
 */
export class SeenMessages {
  readonly #options: SeenMessagesOptions;
  /**
   * Origins that sign, and those that don't, each with the one heard least lately first, to a
   * second.
   */
  readonly #signed: Table;
  readonly #unsigned: Table;
  /** The one that was asked for last: each message asks three times, and the next is mostly of the same. */
  #last: Origin | undefined = undefined;
  /** Of the origins, those with gaps. */
  readonly #open = new Set<Origin>();
  /** Open gaps of all origins. */
  #gaps = 0;
  readonly #digests: RecentDigests;
  readonly #latest: () => number;
  #lives = 0;
  /** No later than anything is to be forgotten: `expire` says when that is exactly. */
  #due = Number.POSITIVE_INFINITY;

  constructor(options: SeenMessagesOptions) {
    this.#options = options;
    this.#digests = new RecentDigests(options.digests);
    this.#latest = options.latest ?? (() => Number.POSITIVE_INFINITY);
    const { origins, flood = origins, retention: period } = options;
    this.#signed = { origins: new Map(), introducers: new Introducers({ origins, flood, period }) };
    this.#unsigned = { origins: new Map(), introducers: new Introducers({ origins, flood, period }) };
  }

  /** How much it remembers. */
  get size(): { readonly origins: number; readonly digests: number; readonly gaps: number } {
    return { origins: this.#signed.origins.size + this.#unsigned.origins.size, digests: this.#digests.size, gaps: this.#gaps };
  }

  /** When `expire` may have something to forget; Infinity: never. It is asked for after each message, so it is only looked for after `expire`. */
  get due(): number {
    return this.#due;
  }

  /**
   * Returns what `note` would, the content and floods aside. @param from the peer that it came
   * from; undefined: nobody is to be charged for a new origin.
   */
  look(id: MessageId, now: number, isSigned = false, from?: string): SeenVerdict {
    const origin = this.#find(id.origin);
    if (origin === undefined || (isSigned && !origin.isSigned)) return this.#hasRoom(id.origin, isSigned, from, now) ? 'new' : 'full';
    const verdict = this.#lookAt(origin, id, now);
    return isSigned || !origin.isSigned || verdict === 'seen' ? verdict : 'unsigned';
  }

  /**
   * Would a message with that id be new, signed or not as its origin is known to do it? A signed
   * one of an origin that isn't known to sign may be new all the same.
   */
  lookUp(id: MessageId, now: number): SeenVerdict {
    const origin = this.#find(id.origin);
    if (origin !== undefined) return this.#lookAt(origin, id, now);
    return this.#hasRoom(id.origin, true, undefined, now) || this.#hasRoom(id.origin, false, undefined, now) ? 'new' : 'full';
  }

  /**
   * Says what it is, and remembers it. @param digest of the content, to tell a second content under
   * the same id. @param isSigned its signature was found to be true. @param from the peer that it
   * came from.
   */
  note(id: MessageId, now: number, digest?: number, isSigned = false, from?: string): SeenVerdict {
    const origin = this.#find(id.origin);
    // Nearly all are the next of a stream.
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

  #note(id: MessageId, now: number, digest: number | undefined, isSigned: boolean, from: string | undefined): SeenVerdict {
    const verdict = this.look(id, now, isSigned, from);
    if (verdict === 'seen') return this.#isOther(id, digest) ? 'conflict' : 'seen';
    if (verdict === 'full') return this.#isFlood(id.origin, isSigned, from, now) ? 'flood' : 'full';
    if (verdict !== 'new') return verdict;
    const origin = this.#originOf(id, isSigned, from, now);
    const { window } = origin;
    const before = window.gaps;
    window.take(id.sequence, now, this.#gaps < MOST_GAPS ? this.#options : { retention: this.#options.retention, gaps: Math.max(FEW_GAPS, before) });
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

  /** Does that life follow the present one? */
  #isLater(epoch: number, origin: Origin): boolean {
    if (origin.isSigned) return epoch > origin.epoch;
    const latest = this.#latest();
    return epoch > latest === origin.epoch > latest ? epoch > origin.epoch : epoch <= latest;
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

  /**
   * An origin is known to have begun that life, though its number may be lower than that of the
   * last: from now on the last is old. An unsigned message begins no life of an origin that signs.
   */
  begin({ origin: name, epoch }: MessageId, isSigned = false): void {
    const origin = this.#find(name);
    if (origin === undefined || origin.isSigned !== isSigned || this.#isLater(epoch, origin) || epoch === origin.retired) return;
    origin.retired = epoch === origin.epoch ? -1 : origin.epoch;
    origin.epoch = epoch;
    this.#renew(origin);
  }

  /** Forgets what is over. */
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

  /** Forgets silent origins of peers that have brought as many as they may. */
  #relieve(origins: ReadonlyMap<string, Origin>, peers: ReadonlySet<string>, now: number): void {
    if (peers.size === 0) return;
    for (const origin of origins.values()) {
      if (now - origin.heardAt < this.#options.retention + ORDER_GRAIN) return;
      if (origin.by !== undefined && peers.has(origin.by)) this.#forget(origin);
    }
  }

  #lookDue(now: number): number {
    const { retention, originRetention } = this.#options;
    let due = this.#digests.oldest + retention;
    for (const { origins, introducers } of [this.#signed, this.#unsigned]) {
      for (const { heardAt } of origins.values()) {
        due = Math.min(due, heardAt + originRetention);
        if (introducers.full.size > 0) due = Math.min(due, Math.max(now, heardAt + retention) + ORDER_GRAIN);
        break;
      }
      due = Math.min(due, introducers.due);
    }
    for (const { window } of this.#open) due = Math.min(due, window.closesAt(this.#options));
    return due;
  }

  #find(name: string): Origin | undefined {
    if (this.#last?.name === name) return this.#last;
    const { origins } = this.#signed;
    const origin = (origins.size > 0 ? origins.get(name) : undefined) ?? this.#unsigned.origins.get(name);
    if (origin !== undefined) this.#last = origin;
    return origin;
  }

  /** The origin of a message that is `new`. */
  #originOf(id: MessageId, isSigned: boolean, from: string | undefined, now: number): Origin {
    const known = this.#find(id.origin);
    if (known === undefined || known.isSigned !== isSigned) {
      if (known !== undefined) this.#forget(known);
      return this.#add(id, isSigned, from === id.origin ? undefined : from, now);
    }
    if (now - known.heardAt >= ORDER_GRAIN) {
      const { origins } = this.#tableOf(known);
      origins.delete(known.name);
      origins.set(known.name, known);
      known.heardAt = now;
    }
    if (id.epoch !== known.epoch) {
      known.epoch = id.epoch;
      this.#renew(known);
    }
    return known;
  }

  /** Begins a life of an origin. */
  #renew(origin: Origin): void {
    this.#gaps -= origin.window.gaps;
    this.#open.delete(origin);
    origin.life = ++this.#lives;
    origin.window = new OriginWindow();
  }

  #add({ origin: name, epoch }: MessageId, isSigned: boolean, by: string | undefined, now: number): Origin {
    const origin: Origin = { name, isSigned, by, epoch, retired: -1, life: ++this.#lives, window: new OriginWindow(), heardAt: now };
    const { origins, introducers } = this.#tableOf(origin);
    if (origins.size >= this.#options.origins) {
      for (const oldest of origins.values()) {
        this.#forget(oldest);
        break;
      }
    }
    origins.set(name, origin);
    if (by !== undefined) introducers.took(by, now);
    return origin;
  }

  #tableOf({ isSigned }: { readonly isSigned: boolean }): Table {
    return isSigned ? this.#signed : this.#unsigned;
  }

  #hasRoom(name: string, isSigned: boolean, from: string | undefined, now: number): boolean {
    const { origins, introducers } = this.#tableOf({ isSigned });
    if (from !== undefined && from !== name && !introducers.mayBring(from)) return false;
    if (origins.size < this.#options.origins) return true;
    for (const { heardAt } of origins.values()) return now - heardAt >= this.#options.retention + ORDER_GRAIN;
    return false;
  }

  /** Has the peer brought one new origin too many? */
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

/** Origins of one kind, and the peers that brought them. */
interface Table {
  readonly origins: Map<string, Origin>;
  readonly introducers: Introducers;
}

/** Open gaps of all origins, some 50 bytes each; then an origin may have few. */
const MOST_GAPS = 262_144;
const FEW_GAPS = 16;
/** Milliseconds: so exactly are origins kept in order, that a busy one needn't be moved at each message. */
const ORDER_GRAIN = 1_000;
