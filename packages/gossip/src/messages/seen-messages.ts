// Remembers which messages of all origins were seen, so that duplicates can be recognized, and
// limits how much of this memory one peer can fill. Each TopicSession owns one.

import type { MessageId } from './message-id.ts';
import { OriginWindow } from './origin-window.ts';

export interface SeenMessagesOptions {
  /**
   * Milliseconds for which gaps are kept, and for which an origin is certainly remembered.
   * iroh-gossip keeps ids for 90,000 ms.
   */
  readonly retention: number;
  /**
   * Milliseconds without a message after which an origin is forgotten. From then on, its old
   * messages are treated as new.
   */
  readonly originRetention: number;
  /**
   * Maximum number of origins. Beyond it, a new origin replaces one that was silent for
   * `retention`; if there is none, the new origin is refused. One peer can introduce at most half
   * of all origins; see `Introducers`.
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
   * Returns the highest life that is credible. A life above this number never ends a life up to
   * this number, while a life up to this number ends any life above it. Default: no bound.
   */
  readonly latest?: (() => number) | undefined;
}

/**
 * The result of looking up a message; all but `new` are refused.
 * - `seen`: a duplicate. Its content may differ from that of the first message.
 * - `old`: it belongs to an earlier life of the origin, or came too late to determine whether it
 *   was seen.
 * - `full`: there is no room to remember the message's origin.
 * - `flood`: like `full`, and its sender has introduced more new origins than an honest peer does.
 */
export type SeenVerdict = 'new' | 'seen' | 'old' | 'full' | 'flood';

/** A node whose messages are remembered. */
interface Origin {
  readonly name: string;
  /**
   * The peer that introduced the origin; undefined if its first message came from the origin
   * itself.
   */
  readonly by: string | undefined;
  epoch: number;
  /** The last life that a life with a lower number ended (`begin`); −1 if there is none. */
  retired: number;
  window: OriginWindow;
  heardAt: number;
}

/**
 * The memory of seen messages. While the origin of a message is remembered, the message is never
 * new twice, no matter what is evicted. So messages can't circulate again after a flood has reached
 * a limit. At the limits, new origins (`full`) and late messages (`old`) are refused, but not
 * origins that already publish.
 */
export class SeenMessages {
  /**
   * A lower bound for the time at which `expire` may have something to forget; Infinity if never.
   * Because it is read after each message, only `expire` computes it exactly.
   */
  due = Number.POSITIVE_INFINITY;
  readonly #options: SeenMessagesOptions;
  /**
   * Sorted by `heardAt`, the oldest first: the time of each origin's last message, to the second.
   */
  readonly #origins = new Map<string, Origin>();
  readonly #introducers: Introducers;
  /**
   * The origin that was looked up last. Each message needs its origin three times, and the next
   * message usually has the same origin.
   */
  #last: Origin | undefined = undefined;
  /** The origins that have gaps; `#gaps` is the sum of theirs. */
  readonly #open = new Set<Origin>();
  /** The number of open gaps of all origins. */
  #gaps = 0;

  constructor(options: SeenMessagesOptions) {
    this.#options = options;
    this.#introducers = new Introducers(options);
  }

  /** The number of origins and gaps remembered. */
  get size(): { readonly origins: number; readonly gaps: number } {
    return { origins: this.#origins.size, gaps: this.#gaps };
  }

  /**
   * Returns what `note` would, except for `flood`.
   * @param from the peer that the message came from; undefined charges no peer for a new origin
   */
  look(id: MessageId, now: number, from?: string): SeenVerdict {
    const origin = this.#find(id.origin);
    if (origin === undefined) return this.#hasRoom(id.origin, from, now) ? 'new' : 'full';
    if (id.epoch === origin.epoch) return origin.window.look(id.sequence, now, this.#options);
    return this.#isLater(id.epoch, origin) && id.epoch !== origin.retired ? 'new' : 'old';
  }

  /**
   * Looks up a message and remembers it.
   * @param from the peer that it came from
   */
  note(id: MessageId, now: number, from?: string): SeenVerdict {
    const origin = this.#find(id.origin);
    // Nearly every message is the next one of its origin.
    const isNext =
      origin !== undefined &&
      id.epoch === origin.epoch &&
      now - origin.heardAt < ORDER_GRAIN &&
      origin.window.takeNext(id.sequence);
    return isNext ? 'new' : this.#note(id, now, from);
  }

  #note(id: MessageId, now: number, from: string | undefined): SeenVerdict {
    const verdict = this.look(id, now, from);
    if (verdict === 'full' && from !== undefined && from !== id.origin) {
      this.due = Math.min(this.due, now + this.#options.retention);
      return this.#introducers.refused(from, id.origin, now) ? 'flood' : 'full';
    }
    if (verdict !== 'new') return verdict;
    const origin = this.#originOf(id, from, now);
    const { window } = origin;
    const { retention, originRetention } = this.#options;
    const before = window.gaps;
    window.take(
      id.sequence,
      now,
      this.#gaps < MOST_GAPS ? this.#options : { retention, gaps: Math.max(FEW_GAPS, before) },
    );
    this.#gaps += window.gaps - before;
    if (window.gaps > 0) this.#open.add(origin);
    else this.#open.delete(origin);
    const soonest = window.gaps > 0 ? Math.min(retention, originRetention) : originRetention;
    this.due = Math.min(this.due, now + soonest);
    return 'new';
  }

  /**
   * Returns true if that life is later than the origin's present one: it has a higher number. If
   * only one of the two is credible (see `latest`), that is the later one.
   */
  #isLater(epoch: number, origin: Origin): boolean {
    const latest = this.#options.latest?.() ?? Number.POSITIVE_INFINITY;
    return epoch > latest === origin.epoch > latest ? epoch > origin.epoch : epoch <= latest;
  }

  /** Returns the newest life of an origin; undefined if the origin is not remembered. */
  lifeOf(name: string): number | undefined {
    return this.#find(name)?.epoch;
  }

  /**
   * Begins a life that an origin is known to have started, even if the number of the life is not
   * higher than that of the last life. From then on, the last life is old; if both have the same
   * number, its messages are new again.
   */
  begin({ origin: name, epoch }: MessageId): void {
    const origin = this.#find(name);
    if (origin === undefined || this.#isLater(epoch, origin) || epoch === origin.retired) return;
    origin.retired = epoch === origin.epoch ? -1 : origin.epoch;
    this.#renew(origin, epoch);
  }

  /** Forgets everything whose time is over. */
  expire(now: number): void {
    for (const origin of this.#origins.values()) {
      if (now - origin.heardAt < this.#options.originRetention) break;
      this.#forget(origin);
    }
    this.#introducers.expire(now);
    // Silent origins of peers that have reached their share are forgotten early.
    const { full } = this.#introducers;
    for (const origin of full.size > 0 ? this.#origins.values() : []) {
      if (now - origin.heardAt < this.#options.retention + ORDER_GRAIN) break;
      if (origin.by !== undefined && full.has(origin.by)) this.#forget(origin);
    }
    for (const origin of this.#open) {
      const before = origin.window.gaps;
      origin.window.closeOld(now, this.#options);
      this.#gaps += origin.window.gaps - before;
      if (origin.window.gaps === 0) this.#open.delete(origin);
    }
    this.due = this.#lookDue(now);
  }

  #lookDue(now: number): number {
    const { retention, originRetention } = this.#options;
    let { due } = this.#introducers;
    const oldest = this.#oldest;
    if (oldest !== undefined) due = Math.min(due, oldest.heardAt + originRetention);
    if (oldest !== undefined && this.#introducers.full.size > 0)
      due = Math.min(due, Math.max(now, oldest.heardAt + retention) + ORDER_GRAIN);
    for (const { window } of this.#open) due = Math.min(due, window.closesAt(this.#options));
    return due;
  }

  #find(name: string): Origin | undefined {
    if (this.#last?.name === name) return this.#last;
    const origin = this.#origins.get(name);
    if (origin !== undefined) this.#last = origin;
    return origin;
  }

  get #oldest(): Origin | undefined {
    return this.#origins.values().next().value;
  }

  /** Returns true if there is room for an origin that the peer `from` introduces. */
  #hasRoom(name: string, from: string | undefined, now: number): boolean {
    if (from !== undefined && from !== name && !this.#introducers.mayBring(from)) return false;
    if (this.#origins.size < this.#options.origins) return true;
    const oldest = this.#oldest;
    return oldest !== undefined && now - oldest.heardAt >= this.#options.retention + ORDER_GRAIN;
  }

  /** Returns the record of the origin of a `new` message, and creates or updates it. */
  #originOf({ origin: name, epoch }: MessageId, from: string | undefined, now: number): Origin {
    let origin = this.#find(name);
    if (origin === undefined) {
      if (this.#origins.size >= this.#options.origins) this.#forget(this.#oldest!);
      const by = from === name ? undefined : from;
      if (by !== undefined) this.#introducers.took(by, now);
      origin = { name, by, epoch, retired: -1, window: new OriginWindow(), heardAt: now };
      this.#origins.set(name, origin);
    } else if (now - origin.heardAt >= ORDER_GRAIN) {
      this.#origins.delete(name);
      this.#origins.set(name, origin);
      origin.heardAt = now;
    }
    if (epoch !== origin.epoch) this.#renew(origin, epoch);
    return origin;
  }

  /** Resets the record of an origin for a new life; the caller decides about `retired`. */
  #renew(origin: Origin, epoch: number): void {
    this.#gaps -= origin.window.gaps;
    this.#open.delete(origin);
    origin.epoch = epoch;
    origin.window = new OriginWindow();
  }

  #forget(origin: Origin): void {
    this.#origins.delete(origin.name);
    if (origin.by !== undefined) this.#introducers.forgot(origin.by);
    this.#gaps -= origin.window.gaps;
    this.#open.delete(origin);
    if (this.#last === origin) this.#last = undefined;
  }
}

/**
 * Maximum number of open gaps of all origins; a gap takes about 50 bytes. Beyond it, the number of
 * an origin's gaps grows only up to FEW_GAPS: each further gap closes its lowest one.
 */
const MOST_GAPS = 262_144;
const FEW_GAPS = 16;
/**
 * Precision of the order of origins, in milliseconds. Because it is coarse, a busy origin isn't
 * moved for each message.
 */
const ORDER_GRAIN = 1_000;

// Limits how much of a table of origins one peer can fill. Because a peer may name any origin, it
// could otherwise fill the table and leave no room for other peers.

/** The origins that one peer has introduced. */
interface Account {
  /** The number of its origins in the table now. */
  held: number;
  /**
   * Time at which the peer's period began, and number of origins that the table has taken from the
   * peer since then.
   */
  since: number;
  taken: number;
  /** The origins refused since then. */
  readonly refused: Set<string>;
}

/**
 * The shares of peers in a table of `origins`. One peer may introduce half of them, and all peers
 * together three quarters; the rest is for publishers that are connected themselves. An honest peer
 * never introduces `flood` new origins in one period of `retention` milliseconds, because in such a
 * period it accepts at most three quarters of its own table from others, and few publishers are
 * connected to it.
 *
 * Its memory is bounded by the origins of the table, plus `FLOODERS` times `flood` names of refused
 * origins.
 */
export class Introducers {
  readonly #options: Pick<SeenMessagesOptions, 'origins' | 'flood' | 'retention'>;
  readonly #accounts = new Map<string, Account>();
  #held = 0;
  /** The accounts with refused origins, at most FLOODERS. */
  readonly #flooders = new Map<string, Account>();

  constructor(options: Pick<SeenMessagesOptions, 'origins' | 'flood' | 'retention'>) {
    this.#options = options;
  }

  /** Returns true if this peer may introduce one more origin. */
  mayBring(peer: string): boolean {
    const held = this.#accounts.get(peer)?.held ?? 0;
    const share = (part: number) => Math.max(1, Math.floor(part * this.#options.origins));
    return this.#held < share(0.75) && held < share(0.5);
  }

  /** The peers that have reached the limit of origins. */
  get full(): ReadonlySet<string> {
    return new Set([...this.#accounts.keys()].filter((peer) => !this.mayBring(peer)));
  }

  /** Records that an origin from this peer is now in the table. */
  took(peer: string, now: number): void {
    const account = this.#of(peer, now);
    account.held++;
    account.taken++;
    this.#held++;
  }

  /** Records that an origin from this peer is no longer in the table. */
  forgot(peer: string): void {
    const account = this.#accounts.get(peer);
    if (account === undefined) return;
    account.held--;
    this.#held--;
    if (account.held === 0 && !this.#flooders.has(peer)) this.#accounts.delete(peer);
  }

  /**
   * Records that an origin from this peer was refused. Returns true if the peer has recently
   * introduced more origins than an honest peer does, and then restarts the count of this peer.
   */
  refused(peer: string, origin: string, now: number): boolean {
    const { origins, flood = origins } = this.#options;
    if (this.#flooders.size >= FLOODERS && !this.#flooders.has(peer)) return false;
    const account = this.#of(peer, now);
    this.#flooders.set(peer, account);
    account.refused.add(origin);
    if (account.taken + account.refused.size < flood) return false;
    this.#renew(peer, account, now);
    return true;
  }

  /** The number of peers remembered: those with origins in the table, and the flooders. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Forgets counts that are older than a period. */
  expire(now: number): void {
    for (const [peer, account] of this.#flooders)
      if (now - account.since >= this.#options.retention) this.#renew(peer, account, now);
  }

  /** Time at which `expire` has something to forget; Infinity if never. */
  get due(): number {
    const oldest = Math.min(...Array.from(this.#flooders.values(), ({ since }) => since));
    return oldest + this.#options.retention;
  }

  #of(peer: string, now: number): Account {
    const fresh = { held: 0, since: now, taken: 0, refused: new Set<string>() };
    const account = this.#accounts.get(peer) ?? fresh;
    if (now - account.since >= this.#options.retention) this.#renew(peer, account, now);
    this.#accounts.set(peer, account);
    return account;
  }

  /** Begins a new period of a peer, and forgets the peer if none of its origins is in the table. */
  #renew(peer: string, account: Account, now: number): void {
    this.#flooders.delete(peer);
    account.refused.clear();
    account.taken = 0;
    account.since = now;
    if (account.held === 0) this.#accounts.delete(peer);
  }
}

/** Maximum number of peers whose refused origins are counted at the same time. */
const FLOODERS = 16;
