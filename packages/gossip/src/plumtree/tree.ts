// The links of a Plumtree machine: its neighbors, which of their links belong to the tree, the
// control messages to them, the limits of what they may ask for, and the reports about them.

import { dropOldest, OutputQueue } from '@trunkline/peers/internal';
import type { MessageId } from '../messages/message-id.ts';
import type { Control, GaveOutput, Misbehavior, Notice, PlumtreeOutput } from './message.ts';
import type { PlumtreeOptions } from './options.ts';

/**
 * The state that all parts of a machine share: the options, the counters, the outputs and the
 * neighbors.
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

  constructor(self: string, options: PlumtreeOptions, isSource: boolean) {
    // The neighbors of a node that only publishes don't react to its notices.
    this.options = isSource ? { ...options, muteAfter: Number.POSITIVE_INFINITY } : options;
    this.isSource = isSource;
    this.probed = { origin: self, epoch: 0, sequence: 0 };
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
    this.send(neighbor, PRUNE);
    this.counters.prunesSent++;
    neighbor.prunedAt = now;
    this.leave(neighbor);
  }

  /**
   * Called when no room was left for the prune, so the other end continues to push until the next
   * duplicate.
   */
  pruneUnsent(neighbor: Neighbor): void {
    this.counters.prunesSent--;
    neighbor.prunedAt = Number.NEGATIVE_INFINITY;
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
    const control = { kind: 'graft', ids } as const;
    this.outputs.add({ type: 'send-control', to: neighbor.id, control, replaces });
    this.counters.graftsSent++;
  }

  /** Called when a message was pushed to the peer, or the peer was given notice of messages. */
  sent(neighbor: Neighbor, now: number, count = 1): void {
    const step = neighbor.probe.sent(count, neighbor.eager, now, this.options);
    if (step === 'ask') this.sendGraft(neighbor, [this.probed]);
    else if (step === 'mute') this.report(neighbor, 'mute', now);
  }

  /** Called when the peer has sent a message, or given notice of a message that is here. */
  gave(neighbor: Neighbor, now: number): void {
    neighbor.probe.answered(now);
    this.outputs.add(neighbor.gave);
  }

  /** Sends a control message. */
  send(neighbor: Neighbor, control: Control): void {
    this.outputs.add({ type: 'send-control', to: neighbor.id, control });
  }

  /** Reports misbehavior: each kind at most once a second for each neighbor. */
  report(neighbor: Neighbor, what: Misbehavior, now: number): void {
    if (neighbor.quota.isNews(what, now))
      this.outputs.add({ type: 'misbehaved', peer: neighbor.id, what });
  }
}

const PRUNE: Control = { kind: 'prune' };

/** The counters of a Plumtree machine. Each counts messages, unless its comment mentions ids. */
export class PlumtreeCounters {
  delivered = 0;
  duplicates = 0;
  /** Ids in notices sent. */
  noticesSent = 0;
  /** Ids in notices that were dropped because too many waited for a peer. */
  noticesDropped = 0;
  /** Ids in notices and grafts that were ignored because there were too many. */
  ignored = 0;
  graftsSent = 0;
  prunesSent = 0;
  /** Number of times that a link was exchanged for one with a shorter path to the publisher. */
  optimized = 0;
  /**
   * Ids of announced messages that were given up, because no peer that announced them sent them.
   */
  lost = 0;
  brokenPromises = 0;
  /** Messages that were evicted from the cache before their time. */
  evicted = 0;
  /** Messages refused because they came from a peer that is not a neighbor. */
  strangers = 0;
}

// The state that a Plumtree machine keeps for one peer: whether the link belongs to the tree, what
// waits to be sent to the peer, and what the peer has sent and received.

/** One peer of a Plumtree machine. */
export class Neighbor {
  readonly id: string;
  /** True if the peer only publishes: it gets nothing unless it asks, and its link isn't pruned. */
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
  /** True if there is no room for control messages either. */
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
   * Number of messages that were pushed or announced to the peer since it last showed that it has
   * or wants any, and the time at which the first of them was sent.
   */
  #unanswered = 0;
  #since = 0;
  /** Time at which the peer was asked; undefined if it was not asked, or has answered. */
  #askedAt: number | undefined;
  /** Number of times that the peer has answered, and time before which it isn't asked again. */
  #passed = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  /**
   * Counts a push, or a notice of `count` ids, to the peer. Returns `ask` if the peer must now be
   * asked for a message that never existed, and `mute` if it has not reacted in time.
   */
  sent(
    count: number,
    isEager: boolean,
    now: number,
    { trialAfter, trialTime, muteAfter, muteTime }: PlumtreeOptions,
  ): 'ask' | 'mute' | undefined {
    if (this.#unanswered === 0) this.#since = now;
    this.#unanswered += count;
    const silence = now - this.#since;
    if (this.#askedAt === undefined && isEager) {
      if (this.#unanswered < trialAfter || silence < trialTime || now < this.#pausedUntil)
        return undefined;
      this.#askedAt = now;
      return 'ask';
    }
    const isMute =
      this.#askedAt === undefined
        ? this.#unanswered >= muteAfter && silence >= muteTime
        : now - this.#askedAt >= muteTime;
    if (!isMute) return undefined;
    this.#unanswered = 0;
    this.#askedAt = undefined;
    return 'mute';
  }

  /** Takes back `count` messages or ids that were not sent after all. */
  unsent(count = 1): void {
    this.#unanswered = Math.max(0, this.#unanswered - count);
  }

  /** Called when no room was left for the question. */
  notAsked(): void {
    this.#askedAt = undefined;
  }

  /**
   * Called when the peer has sent a message, given notice of one or asked for one, pruned the link,
   * or reported that a message is absent.
   */
  answered(now: number): void {
    this.#unanswered = 0;
    if (this.#askedAt === undefined) return;
    this.#askedAt = undefined;
    this.#pausedUntil = now + PROBE_PAUSE * 2 ** Math.min(this.#passed++, DOUBLED);
  }
}

/**
 * Milliseconds from the first passed probe to the next one. Each later pause is twice as long, up
 * to 16 times.
 */
const PROBE_PAUSE = 60_000;
const DOUBLED = 4;
