// The links of a Plumtree machine: its neighbors, which of their links belong to the tree, what is
// sent over them, the limits of what the neighbors may ask for, and the reports about them. Only
// Plumtree and MissingMessages use it. Tested in plumtree.test.ts, leaf-probes.test.ts and
// faults.test.ts.

import { dropOldest, OutputQueue } from '@trunkline/peers/internal';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import type {
  Control,
  GaveOutput,
  Misbehavior,
  Notice,
  PlumtreeOutput,
  Push,
  PushOutput,
} from './message.ts';
import { MessageCache } from './message-cache.ts';
import type { PlumtreeOptions } from './options.ts';

/**
 * The links of a machine, and the state that all its parts share: the options, the counters, the
 * outputs, the neighbors (those whose links are not in the tree, too) and the recent messages.
 * Plumtree adds to `neighbors` and `cache`; both it and MissingMessages count in `counters`.
 *
 * A message is pushed if there is room, and announced by a notice otherwise; notices are gathered
 * for a moment. Outputs count as sent as soon as they are queued. If there was no room for an
 * output, `pushUnsent` or `noticesUnsent` corrects that.
 */
export class Tree<P> {
  readonly options: PlumtreeOptions;
  /** True if this node only publishes: it pushes to a single neighbor, and gets nothing. */
  readonly isSource: boolean;
  readonly counters = new PlumtreeCounters();
  readonly outputs = new OutputQueue<PlumtreeOutput<P>>();
  readonly neighbors = new Map<string, Neighbor>();
  /** The id of a message that never existed, which probes ask for. */
  readonly probed: MessageId;
  readonly cache: MessageCache<P>;
  /**
   * Time at which the next notices are to be sent; Infinity if there are none, except for neighbors
   * that are stuck.
   */
  due = Number.POSITIVE_INFINITY;
  /** Neighbors with notices to send, stuck ones included. */
  readonly #waiting = new Set<Neighbor>();
  /** Neighbors that have room again, and may be owed messages. */
  readonly #writable = new Set<Neighbor>();
  /**
   * The owed message that was output last. It remains owed until the next call of `nextOwed`, which
   * takes it as sent; `pushUnsent` comes before that if there was no room.
   */
  #lastOwed: { readonly neighbor: Neighbor; readonly output: PushOutput<P> } | undefined;

  constructor(self: string, options: PlumtreeOptions, isSource: boolean) {
    // The neighbors of a node that only publishes don't react to its notices.
    this.options = isSource ? { ...options, muteAfter: Number.POSITIVE_INFINITY } : options;
    this.isSource = isSource;
    this.probed = { origin: self, epoch: 0, sequence: 0 };
    this.cache = new MessageCache(options);
  }

  /** Makes the link part of the tree at this end only; a graft for the other end is sent apart. */
  graft(neighbor: Neighbor): void {
    if (neighbor.eager) return;
    if (this.isSource) for (const rival of this.neighbors.values()) this.leave(rival);
    neighbor.eager = true;
    this.outputs.add({ type: 'grafted', peer: neighbor.id });
  }

  /** Takes the link out of the tree at this end only. */
  leave(neighbor: Neighbor): void {
    if (!neighbor.eager) return;
    neighbor.eager = false;
    this.outputs.add({ type: 'pruned', peer: neighbor.id });
  }

  /** Takes the link out of the tree, and informs the other end. */
  prune(neighbor: Neighbor, now: number): void {
    this.send(neighbor, { kind: 'prune' });
    this.counters.prunesSent++;
    neighbor.prunedAt = now;
    this.leave(neighbor);
  }

  /**
   * Returns true if this end pruned the link a moment ago, so that pushes may still be in flight.
   */
  isSettling(neighbor: Neighbor, now: number): boolean {
    return now - neighbor.prunedAt < this.options.settleTime;
  }

  /**
   * Makes the link part of the tree at the other end, and asks for these messages.
   * @param replaces the peer whose place in the tree this one takes
   */
  sendGraft(neighbor: Neighbor, ids: readonly MessageId[], replaces?: string): void {
    this.send(neighbor, { kind: 'graft', ids }, replaces);
    this.counters.graftsSent++;
  }

  /** Called when the peer has sent a message, or given notice of a message that is here. */
  gave(neighbor: Neighbor, now: number): void {
    neighbor.probe.answered(now);
    this.outputs.add(neighbor.gave);
  }

  /** Sends a control message. */
  send(neighbor: Neighbor, control: Control, replaces?: string): void {
    this.outputs.add({ type: 'send-control', to: neighbor.id, control, replaces });
  }

  /** Reports misbehavior: each kind at most once a second for each neighbor. */
  report(neighbor: Neighbor, what: Misbehavior, now: number): void {
    if (neighbor.quota.isNews(what, now))
      this.outputs.add({ type: 'misbehaved', peer: neighbor.id, what });
  }

  /** Removes a peer that is no longer a neighbor. */
  remove(neighbor: Neighbor): void {
    this.neighbors.delete(neighbor.id);
    this.#waiting.delete(neighbor);
    this.#writable.delete(neighbor);
  }

  // Messages, and notices of them.

  /**
   * Pushes the message. If there is no room, gives notice of it and remembers that the neighbor is
   * owed the message, so that it comes later unless the neighbor has got it elsewhere.
   */
  push(neighbor: Neighbor, key: string, push: Push<P>, now: number): void {
    if (neighbor.blocked) {
      neighbor.owe(key, false, this.options.backlog);
      return this.notice(neighbor, push, now);
    }
    this.outputs.add({ type: 'push', to: neighbor.id, push, isAsked: false });
    this.#sent(neighbor, now);
  }

  /**
   * Sends the neighbor a message that it asked for, or that it is to confirm (`Plumtree.serve`),
   * now or when it is writable. This does not count for the probe.
   */
  serve(neighbor: Neighbor, key: string, push: Push<P>): void {
    if (neighbor.blocked) neighbor.owe(key, true, this.options.backlog);
    else this.outputs.add({ type: 'push', to: neighbor.id, push, isAsked: true });
  }

  /** Called when no room was left for a message. */
  pushUnsent(neighbor: Neighbor, output: PushOutput<P>, now: number): void {
    neighbor.blocked = true;
    if (this.#lastOwed?.output === output) return void (this.#lastOwed = undefined);
    const { push, isAsked } = output;
    const key = messageKey(push.id);
    if (isAsked) return this.serve(neighbor, key, push);
    neighbor.probe.unsent();
    this.push(neighbor, key, push, now);
  }

  /** Adds a notice of a message to those that go out next. */
  notice(neighbor: Neighbor, { id, hops }: Notice, now: number): void {
    neighbor.notices.push({ id, hops });
    if (neighbor.notices.length > this.options.backlog) {
      neighbor.notices.shift();
      this.counters.noticesDropped++;
    }
    this.#waiting.add(neighbor);
    if (!neighbor.stuck) this.due = Math.min(this.due, now + this.options.noticeDelay);
  }

  /**
   * Called when no room was left for these notices, which then wait until the neighbor is writable.
   * They were all in `notices` a moment ago, so they exceed `backlog` at most by the messages whose
   * pushes failed since.
   */
  noticesUnsent(neighbor: Neighbor, notices: readonly Notice[]): void {
    const { stuck, notices: others } = neighbor;
    neighbor.stuck = true;
    // The oldest come first: the first notices that were not sent are older than those that wait,
    // and further ones of the same flush are newer than the first.
    neighbor.notices = stuck ? [...others, ...notices] : [...notices, ...others];
    this.#waiting.add(neighbor);
    this.counters.noticesSent -= notices.length;
    neighbor.probe.unsent(notices.length);
  }

  /** Sends the notices that are due. */
  flush(now: number): void {
    if (now < this.due) return;
    this.due = Number.POSITIVE_INFINITY;
    for (const neighbor of [...this.#waiting])
      if (!neighbor.stuck) this.#sendNotices(neighbor, now);
  }

  /** Sends the notices at once if the options say that they are not gathered. */
  flushAtOnce(now: number): void {
    if (this.options.noticeDelay === 0) this.flush(now);
  }

  /**
   * Called when the neighbor has room again. Sends the notices for which there was no room; after
   * that, `nextOwed` returns the messages that are owed to the neighbor.
   */
  writable(neighbor: Neighbor, now: number): void {
    const wasStuck = neighbor.stuck;
    neighbor.blocked = neighbor.stuck = false;
    if (wasStuck) this.#sendNotices(neighbor, now);
    if (neighbor.owed?.size) this.#writable.add(neighbor);
  }

  /**
   * Returns the output for the next message that is owed to a writable neighbor; undefined if there
   * is none. Outputs are made one by one, because there may be room for only a few of them. Owed
   * messages that are no longer cached, or were owed to a peer that has left the tree, are skipped.
   * They don't count for the probe, for which their notices counted.
   */
  nextOwed(): PushOutput<P> | undefined {
    if (this.#lastOwed !== undefined) {
      const { neighbor, output } = this.#lastOwed;
      neighbor.owed?.delete(messageKey(output.push.id));
      this.#lastOwed = undefined;
    }
    if (this.#writable.size === 0) return undefined;
    for (const neighbor of this.#writable) {
      for (const [key, isAsked] of neighbor.blocked ? [] : neighbor.owed!) {
        const push = isAsked || neighbor.eager ? this.cache.get(key)?.push : undefined;
        if (push !== undefined) {
          const output: PushOutput<P> = { type: 'push', to: neighbor.id, push, isAsked };
          this.#lastOwed = { neighbor, output };
          return output;
        }
        neighbor.owed!.delete(key);
      }
      this.#writable.delete(neighbor);
    }
    return undefined;
  }

  #sendNotices(neighbor: Neighbor, now: number): void {
    const { notices } = neighbor;
    const { idsEach } = this.options;
    if (notices.length === 0) return;
    for (let i = 0; i < notices.length; i += idsEach)
      this.send(neighbor, { kind: 'ihave', notices: notices.slice(i, i + idsEach) });
    neighbor.notices = [];
    this.#waiting.delete(neighbor);
    this.counters.noticesSent += notices.length;
    this.#sent(neighbor, now, notices.length);
  }

  /**
   * Called when a message was pushed to the peer, or the peer was given notice of messages. A graft
   * as a probe also makes the link part of the tree at the other end, as it is at this end.
   */
  #sent(neighbor: Neighbor, now: number, count = 1): void {
    const step = neighbor.probe.sent(count, neighbor.eager, now, this.options);
    if (step === 'ask') this.sendGraft(neighbor, [this.probed]);
    else if (step === 'mute') this.report(neighbor, 'mute', now);
  }
}

/** The counters of a Plumtree machine, which are part of the topic's snapshot. */
export class PlumtreeCounters {
  /** Messages that were accepted from peers, and copies of messages that were known. */
  delivered = 0;
  duplicates = 0;
  /** Ids in notices sent. */
  noticesSent = 0;
  /** Ids in notices that were dropped because too many waited for a peer. */
  noticesDropped = 0;
  /** Ids in notices and grafts that were ignored because there were too many. */
  ignored = 0;
  /** Control messages sent, without those that had no room. */
  graftsSent = 0;
  prunesSent = 0;
  /** Number of times that a link was exchanged for one with a shorter path to the publisher. */
  optimized = 0;
  /**
   * Ids of announced messages that were given up, because no peer that announced them sent them.
   */
  lost = 0;
  /** Requested ids that did not come in time, one for each peer that was asked. */
  brokenPromises = 0;
  /** Messages that were evicted from the cache because of its limits of entries and bytes. */
  evicted = 0;
  /** Pushes and control messages refused because they came from a peer that is not a neighbor. */
  strangers = 0;
}

// The state that a Plumtree machine keeps for one peer: whether the link belongs to the tree, what
// waits to be sent to the peer, and what the peer has sent and received.

/**
 * One peer of a Plumtree machine. Tree changes its fields. Plumtree does so, too, when it adds the
 * peer, when an output had no room, and when a message is no longer owed. Only MissingMessages
 * changes `outstanding` and `brokenInRow`.
 */
export class Neighbor {
  readonly id: string;
  /**
   * True if the peer only publishes: it gets nothing unless it asks, and a duplicate from it does
   * not prune its link.
   */
  readonly isSource: boolean;
  readonly quota: Quota;
  readonly probe = new LeafProbe();
  /**
   * The output that reports that the peer passes messages on. It is the same object for each
   * message.
   */
  readonly gave: GaveOutput;
  /**
   * True if the link belongs to the tree, as far as this end knows: messages are pushed over it.
   * Otherwise the peer gets notices. A new link belongs to the tree until a duplicate comes over
   * it.
   */
  eager = true;
  /** Time at which this end pruned the link; −Infinity if never. */
  prunedAt = Number.NEGATIVE_INFINITY;
  /** True if there is no room for messages until the input `writable`. */
  blocked = false;
  /** True if there was no room for a notice or an attach; no notice is sent until `writable`. */
  stuck = false;
  /** Notices that wait to be sent. */
  notices: Notice[] = [];
  /**
   * Messages for which there was no room, the oldest first: key → true if the peer had asked for
   * it.
   */
  owed: Map<string, boolean> | undefined;
  /** Number of missing messages that the peer has announced. */
  outstanding = 0;
  /** Number of promises broken since the peer last kept one. */
  brokenInRow = 0;

  constructor(id: string, isSource: boolean, quota = new Quota()) {
    this.id = id;
    this.isSource = isSource;
    this.gave = { type: 'gave', peer: id };
    this.quota = quota;
  }

  /**
   * Records that a message is owed to the peer, because there was no room for it. Beyond `most`,
   * the oldest is dropped.
   */
  owe(key: string, isAsked: boolean, most: number): void {
    this.owed ??= new Map();
    this.owed.set(key, isAsked || (this.owed.get(key) ?? false));
    dropOldest(this.owed, most);
  }
}

// Limits what one peer may ask for and announce. They also hold for a peer that leaves and comes
// back, since it could otherwise begin anew as often as it likes.

/** The limits of one peer, and how much of them it has used. */
export class Quota {
  /** Messages that were sent to the peer on demand, the oldest first: key → number of times. */
  #served: Map<string, number> | undefined;
  /** Time at which the second began for which notices, grafts and reports are counted. */
  #secondStart = Number.NEGATIVE_INFINITY;
  #taken = { notices: 0, grafts: 0 };
  #reported: Misbehavior[] = [];

  /**
   * Returns how many of `count` notices, or ids of a graft, to process, so that no more than `most`
   * are processed per second.
   */
  take(kind: 'notices' | 'grafts', count: number, most: number, now: number): number {
    this.#roll(now);
    const taken = Math.min(count, most - this.#taken[kind]);
    this.#taken[kind] += taken;
    return taken;
  }

  /**
   * Returns true if a misbehavior should be reported because it is the first of its kind within one
   * second.
   */
  isNews(what: Misbehavior, now: number): boolean {
    this.#roll(now);
    if (this.#reported.includes(what)) return false;
    this.#reported.push(what);
    return true;
  }

  /**
   * Records that a message is sent to the peer on demand. Returns the number of times that this has
   * happened, including this time.
   */
  serve(key: string, most: number): number {
    this.#served ??= new Map();
    const times = (this.#served.get(key) ?? 0) + 1;
    this.#served.set(key, times);
    dropOldest(this.#served, most);
    return times;
  }

  #roll(now: number): void {
    if (now - this.#secondStart < SECOND) return;
    this.#secondStart = now;
    this.#taken = { notices: 0, grafts: 0 };
    this.#reported = [];
  }
}

const SECOND = 1_000;

// Distinguishes leaves of the tree, which have nothing to send, from peers that ignore all
// messages, by asking them a question.

/**
 * Finds out whether one peer is mute: whether it takes messages but never reacts.
 *
 * An honest peer reacts to notices sooner or later: it either has the message and gives notice of
 * it, or asks for it. An eager peer gets the messages themselves, to which a leaf of the tree has
 * nothing to reply. Therefore an eager peer that has taken many messages without a reaction is
 * asked for a message that never existed. An honest peer answers that the message is absent. A peer
 * that doesn't answer is mute.
 *
 * Pruning the link instead would also reveal whether the peer has messages from other nodes. But it
 * would cause duplicates at each leaf: with one publisher, twice as many as without such prunes. A
 * peer that has passed a probe is not probed again for a minute, and for twice as long after each
 * further probe, up to 16 minutes.
 */
class LeafProbe {
  /**
   * Time at which the peer was asked; undefined if it was not asked, or has answered. Plumtree
   * resets it if the probe had no room.
   */
  askedAt: number | undefined;
  /**
   * Number of messages that were pushed or announced to the peer since it last showed that it has
   * or wants any, and the time at which the first of them was sent.
   */
  #unanswered = 0;
  #since = 0;
  /** Number of times that the peer has answered, and time before which it isn't asked again. */
  #passed = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  /**
   * Counts a push, or a notice of `count` ids, to the peer. Returns `ask` if the peer must now be
   * asked for a message that never existed, and `mute` if it has not reacted in time.
   */
  sent(count: number, isEager: boolean, now: number, options: PlumtreeOptions) {
    const { trialAfter, trialTime, muteAfter, muteTime } = options;
    if (this.#unanswered === 0) this.#since = now;
    this.#unanswered += count;
    const silence = now - this.#since;
    if (this.askedAt === undefined && isEager) {
      if (this.#unanswered < trialAfter || silence < trialTime || now < this.#pausedUntil)
        return undefined;
      this.askedAt = now;
      return 'ask';
    }
    const isMute =
      this.askedAt === undefined
        ? this.#unanswered >= muteAfter && silence >= muteTime
        : now - this.askedAt >= muteTime;
    if (!isMute) return undefined;
    this.#unanswered = 0;
    this.askedAt = undefined;
    return 'mute';
  }

  /** Takes back `count` messages or ids that were not sent after all. */
  unsent(count = 1): void {
    this.#unanswered = Math.max(0, this.#unanswered - count);
  }

  /**
   * Called when the peer has sent a message, given notice of one that is here, asked for one that
   * is sent to it, pruned the link, or reported that a message is absent. Other notices and grafts
   * don't count.
   */
  answered(now: number): void {
    this.#unanswered = 0;
    if (this.askedAt === undefined) return;
    this.askedAt = undefined;
    this.#pausedUntil = now + PROBE_PAUSE * 2 ** Math.min(this.#passed++, DOUBLED);
  }
}

/**
 * Milliseconds from the first passed probe to the next one. Each later pause is twice as long, up
 * to 16 times.
 */
const PROBE_PAUSE = 60_000;
const DOUBLED = 4;
