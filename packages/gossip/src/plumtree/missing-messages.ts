// Tracks messages that were announced but have not arrived, decides which peer to ask for them and
// when (the paper's `missing` and its timers), and asks. A notice is a promise to send the message
// when asked; the promise is open from the request on. Owned and called by Plumtree alone. Besides
// its own state it changes `outstanding` and `brokenInRow` of neighbors, which nothing else does.

import { type MessageId, messageKey } from '../messages/message-id.ts';
import { OldestFirst } from '../messages/oldest-first.ts';
import type { Notice } from './message.ts';
import type { Neighbor, Tree } from './tree.ts';

/** One peer's notice of one message. */
export interface Advertiser {
  readonly neighbor: Neighbor;
  readonly hops: number;
  /** The number of times that the peer was asked for the message. */
  asked: number;
}

/** A message that has not arrived. */
interface MissingMessage {
  readonly id: MessageId;
  readonly key: string;
  /** Time at which the first notice of it came, or at which it was released. */
  readonly since: number;
  /** The peers that gave notice of it, in the order of their notices. */
  readonly advertisers: Advertiser[];
  /** Time at which a peer was last asked for it; `since` if that has not happened yet. */
  askedAt: number;
}

/**
 * Decides which peer is asked for which missing message. The first peer that gave notice is asked
 * after `graftDelay`, and each further one `nextGraftDelay` after the one before; those that have
 * broken a promise come last. When all have been asked, they are asked again after `againDelay`, up
 * to `attempts` times each; after that, the message is given up until a new notice of it comes.
 * While messages arrive late over the tree, all these times are later; see {@link Lateness}. Each
 * peer can announce at most `outstanding` missing messages.
 *
 * A peer that is asked for a message has a limited time to keep its promise. It does so by sending
 * the message, even if another peer was quicker, or by reporting that the message is absent. The
 * number of open promises of all peers is at most `outstanding`, too; beyond the limit the oldest
 * is forgotten, and its peer is not blamed.
 */
export class MissingMessages<P> {
  readonly #tree: Tree<P>;
  /**
   * The missing messages. Each has at least one advertiser and is in exactly one of the four
   * queues.
   */
  readonly #messages = new Map<string, MissingMessage>();
  /** Messages for which no peer was asked since their first notice, or since they were released. */
  readonly #first: DelayQueue<MissingMessage>;
  /**
   * Messages for which some of the peers were asked in this round. For the messages in `#again`,
   * all peers were asked.
   */
  readonly #next: DelayQueue<MissingMessage>;
  readonly #again: DelayQueue<MissingMessage>;
  /** Messages that are due at once, because the peer that was asked doesn't have them. */
  readonly #atOnce = new DelayQueue<MissingMessage>(0);
  /**
   * Messages that have arrived and that the topic is checking, with the peers that gave notice of
   * them. The topic bounds their number.
   */
  readonly #held = new Map<string, readonly Advertiser[]>();
  readonly #lateness = new Lateness();
  /** The open promises: message key and peer → the peer. */
  readonly #promises: DelayQueue<Neighbor>;
  /** Time before which no further messages are asked for. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(tree: Tree<P>) {
    const { graftDelay, nextGraftDelay, againDelay, promiseTime } = tree.options;
    this.#tree = tree;
    this.#first = new DelayQueue(graftDelay);
    this.#next = new DelayQueue(nextGraftDelay);
    this.#again = new DelayQueue(againDelay);
    this.#promises = new DelayQueue(promiseTime);
  }

  get size(): number {
    return this.#messages.size;
  }

  /** Number of open promises. */
  get promised(): number {
    return this.#promises.size;
  }

  /** Time at which `wake` has something to do; Infinity if never. */
  get due(): number {
    return Math.min(Math.max(this.#askDue, this.#pausedUntil), this.#promises.due);
  }

  get #askDue(): number {
    const delayed = Math.min(this.#first.due, this.#next.due, this.#again.due);
    return Math.min(this.#atOnce.due, delayed + this.#lateness.allowance);
  }

  wake(now: number): void {
    if (now >= Math.max(this.#askDue, this.#pausedUntil)) this.#ask(now);
    for (let late = this.#promises.take(now); late !== undefined; late = this.#promises.take(now)) {
      this.#tree.counters.brokenPromises++;
      late.brokenInRow++;
      this.#tree.report(late, 'broken-promise', now);
    }
  }

  /**
   * Records that a peer has announced a message. Returns false if the peer has announced too many
   * missing messages.
   * @param asked how many times the peer was asked for the message before it was held.
   */
  advertise({ id, hops }: Notice, key: string, peer: Neighbor, now: number, asked = 0): boolean {
    const held = this.#held.get(key);
    let message = this.#messages.get(key);
    const advertisers = held ?? message?.advertisers;
    if (advertisers?.some(({ neighbor }) => neighbor === peer)) return true;
    if (held !== undefined) {
      this.#held.set(key, [...held, { neighbor: peer, hops, asked: 0 }]);
      return true;
    }
    if (peer.outstanding >= this.#tree.options.outstanding) return false;
    if (message === undefined) {
      message = { id, key, since: now, advertisers: [], askedAt: now };
      this.#messages.set(key, message);
      this.#first.add(key, message, now);
    } else if (this.#again.delete(key)) {
      this.#next.add(key, message, now);
    }
    message.advertisers.push({ neighbor: peer, hops, asked });
    peer.outstanding++;
    return true;
  }

  /**
   * Called when a peer, perhaps no neighbor, has sent a message that is new, perhaps not for the
   * first time. If the peer wasn't asked for it, records the delay since the first notice of the
   * message; the delay is 0 if the message was not missing.
   */
  arrived(id: MessageId, peer: string, now: number): void {
    // Usually nothing is missing, and the key, which is costly, isn't needed.
    if (this.#messages.size + this.#promises.size === 0) return this.#lateness.observe(0, now);
    const key = messageKey(id);
    const message = this.#messages.get(key);
    const neighbor = this.#tree.neighbors.get(peer);
    const wasAsked = message?.advertisers.some((one) => one.neighbor === neighbor && one.asked > 0);
    if (wasAsked !== true) this.#lateness.observe(message ? now - message.since : 0, now);
    this.promiseKept(neighbor, key);
  }

  /**
   * Called when the peer has sent the message. Plumtree calls it for each input about the message,
   * because `repeated` and `dropped` may come without `arrived`.
   */
  promiseKept(neighbor: Neighbor | undefined, key: string): void {
    if (neighbor === undefined || !this.#excuse(neighbor, key)) return;
    neighbor.brokenInRow = 0;
  }

  /**
   * Called when no room was left for a graft of these messages, so the peer has promised none of
   * them. The link stays part of the tree at this end: if the peer needs no pushes, it prunes it.
   */
  notAsked(neighbor: Neighbor, ids: readonly MessageId[]): void {
    for (const id of ids) this.#excuse(neighbor, messageKey(id));
  }

  /**
   * Removes a message, held or not, that was accepted or is not wanted. Returns the peers that gave
   * notice of it, in the order of their notices.
   */
  take(key: string): readonly Advertiser[] {
    const advertisers = this.#held.get(key) ?? this.#take(key);
    this.#held.delete(key);
    return advertisers;
  }

  /**
   * Records that a message has arrived and the topic is checking it. No peer is asked for it until
   * `take` or `release` is called; one of them must be, or the entry stays.
   */
  hold(key: string): void {
    if (!this.#held.has(key)) this.#held.set(key, this.#take(key));
  }

  /** Records that a held message is missing again. Does nothing if it is not held. */
  release(id: MessageId, now: number): void {
    const key = messageKey(id);
    const advertisers = this.#held.get(key) ?? [];
    this.#held.delete(key);
    for (const { neighbor, hops, asked } of advertisers)
      this.advertise({ id, hops }, key, neighbor, now, asked);
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /**
   * Records that a peer doesn't have the message after all, which ends its promise. If the peer was
   * asked for it, the next peer of this round is due at once. If not, the time of the next request
   * doesn't change, unless all others were asked (see `#dismiss`). Otherwise a peer could use up
   * all requests at once by giving notice and withdrawing it again and again.
   */
  lacks(key: string, neighbor: Neighbor, now: number): void {
    this.#excuse(neighbor, key);
    const message = this.#messages.get(key);
    const asked = message && this.#dismiss(message, neighbor)?.asked;
    if (message === undefined || asked === undefined) return;
    if (message.advertisers.length === 0) return this.#giveUp(message);
    if (asked > 0 && this.#next.delete(key)) this.#atOnce.add(key, message, now);
  }

  /** Called when the peer is no longer a neighbor. */
  forget(neighbor: Neighbor): void {
    for (const [key, { value }] of this.#promises)
      if (value === neighbor) this.#promises.delete(key);
    const isOther = (advertiser: Advertiser) => advertiser.neighbor !== neighbor;
    for (const [key, held] of this.#held)
      if (!held.every(isOther)) this.#held.set(key, held.filter(isOther));
    if (neighbor.outstanding === 0) return;
    for (const message of this.#messages.values())
      if (this.#dismiss(message, neighbor) && message.advertisers.length === 0)
        this.#giveUp(message);
  }

  #take(key: string): readonly Advertiser[] {
    const message = this.#messages.get(key);
    if (message === undefined) return [];
    this.#remove(message);
    return message.advertisers;
  }

  /**
   * Asks for messages that are due, and gives up those for which all peers were asked `attempts`
   * times. The ids for one peer are gathered, so that a graft asks for several of them.
   */
  #ask(now: number): void {
    const { outstanding, idsEach } = this.#tree.options;
    const asks = new Map<Neighbor, MessageId[]>();
    let budget = AT_ONCE;
    for (const queue of [this.#atOnce, this.#first, this.#next, this.#again]) {
      const extra = queue === this.#atOnce ? 0 : this.#lateness.allowance;
      for (; budget > 0; budget--) {
        const message = queue.take(now, extra);
        if (message === undefined) break;
        const neighbor = this.#choose(message, now);
        if (neighbor === undefined) {
          this.#giveUp(message);
          continue;
        }
        this.#promises.add(`${message.key} ${neighbor.id}`, neighbor, now);
        if (this.#promises.size > outstanding) this.#promises.take(Number.POSITIVE_INFINITY);
        const ids = asks.get(neighbor) ?? [];
        asks.set(neighbor, ids);
        ids.push(message.id);
      }
    }
    for (const [neighbor, ids] of asks) {
      this.#tree.graft(neighbor);
      for (let i = 0; i < ids.length; i += idsEach)
        this.#tree.sendGraft(neighbor, ids.slice(i, i + idsEach));
    }
    if (this.#askDue <= now) this.#pausedUntil = now + PAUSE;
  }

  /**
   * Chooses the peer to ask next, counts the attempt, and queues the message for the one after it.
   * Returns undefined if no attempt is left. Peers that did not send what they were asked for come
   * after the others of the same round.
   */
  #choose(message: MissingMessage, now: number): Neighbor | undefined {
    const { attempts } = this.#tree.options;
    const round = Math.min(attempts, ...message.advertisers.map(({ asked }) => asked));
    if (round === attempts) return undefined;
    const left = message.advertisers.filter(({ asked }) => asked === round);
    const trusted = left.find(({ neighbor }) => neighbor.brokenInRow === 0);
    const chosen = trusted ?? left[0]!;
    chosen.asked++;
    message.askedAt = now;
    // `left` includes the chosen peer.
    (left.length > 1 ? this.#next : this.#again).add(message.key, message, now);
    return chosen.neighbor;
  }

  /**
   * Removes a peer from the peers that gave notice of a message; returns undefined if it gave none.
   * If it was the last that was not asked in this round, the others now wait for the next round,
   * `againDelay` after the last request. A message without peers is left to the caller.
   */
  #dismiss(message: MissingMessage, neighbor: Neighbor): Advertiser | undefined {
    const { key, advertisers, askedAt } = message;
    const index = advertisers.findIndex((advertiser) => advertiser.neighbor === neighbor);
    if (index < 0) return undefined;
    neighbor.outstanding--;
    const dismissed = advertisers.splice(index, 1)[0]!;
    const round = advertisers[0]?.asked ?? 0;
    const isRoundOver =
      round > dismissed.asked && advertisers.every(({ asked }) => asked === round);
    const isWaiting = isRoundOver && (this.#next.delete(key) || this.#atOnce.delete(key));
    if (isWaiting) this.#again.add(key, message, askedAt);
    return dismissed;
  }

  #giveUp(message: MissingMessage): void {
    this.#remove(message);
    this.#tree.counters.lost++;
  }

  /** Ends a promise, for whatever reason. Returns false if there was no such promise. */
  #excuse(neighbor: Neighbor, key: string): boolean {
    return this.#promises.size > 0 && this.#promises.delete(`${key} ${neighbor.id}`);
  }

  #remove({ key, advertisers }: MissingMessage): void {
    this.#messages.delete(key);
    this.#atOnce.delete(key);
    this.#first.delete(key);
    this.#next.delete(key);
    this.#again.delete(key);
    for (const { neighbor } of advertisers) neighbor.outstanding--;
  }
}

/**
 * Estimates how late messages arrive. Notices are short and overtake messages when links or
 * processors are busy. So a late message is not lost, and asking for it would make a busy network
 * busier. A higher value is taken over at once, and is halved every `HALVED` milliseconds, because
 * busy processors stall again and again, with messages in time between the stalls. It is bounded,
 * because a peer can give notice of messages that it doesn't have.
 */
class Lateness {
  #late = 0;
  /** Time of the last decay. */
  #since = Number.NEGATIVE_INFINITY;

  /**
   * Records that a message that nobody asked for arrived `late` milliseconds after its first
   * notice; 0 if it arrived before any notice.
   */
  observe(late: number, now: number): void {
    if (now - this.#since >= DECAY) {
      this.#late *= 2 ** ((this.#since - now) / HALVED);
      this.#since = now;
    }
    this.#late = Math.max(this.#late, Math.min(late, MOST_LATE));
  }

  /**
   * Milliseconds to wait beyond the delays before a peer is asked: the estimate, doubled. Requested
   * messages may arrive as late as pushed ones do, so it applies to all requests for a message. It
   * is not part of the queued times, so that a lower estimate hastens all requests.
   */
  get allowance(): number {
    return 2 * this.#late;
  }
}

/** Milliseconds in which the estimate is halved, and the minimum between two steps of this. */
const HALVED = 5_000;
const DECAY = 1_000;
/** Upper bound of the estimate in milliseconds. */
const MOST_LATE = 1_000;

/**
 * Maximum number of missing messages that are asked for or given up at once, and the milliseconds
 * until the next ones are. A peer may give notice of thousands at once, so other work must come in
 * between. A timer without a delay would fire again before anything is read.
 */
const AT_ONCE = 256;
const PAUSE = 5;

// A queue of entries that are all due after the same delay, so that they need no sorting.

/**
 * The entries, the earliest first. A new entry goes to the end. If it is given an earlier time, it
 * waits for the entries before it.
 */
class DelayQueue<T> extends OldestFirst<{ readonly value: T; readonly at: number }> {
  readonly #delay: number;

  constructor(delay: number) {
    super();
    this.#delay = delay;
  }

  /** Time at which the first entry is due; Infinity if there is none. */
  get due(): number {
    return this.oldest?.[1].at ?? Number.POSITIVE_INFINITY;
  }

  /** Adds an entry that is due after the delay. It replaces an entry with the same key. */
  add(key: string, value: T, now: number): void {
    this.set(key, { value, at: now + this.#delay });
  }

  /** Removes and returns the first entry if it has been due for `extra` milliseconds. */
  take(now: number, extra = 0): T | undefined {
    const { oldest } = this;
    if (oldest === undefined || oldest[1].at + extra > now) return undefined;
    this.delete(oldest[0]);
    return oldest[1].value;
  }
}
