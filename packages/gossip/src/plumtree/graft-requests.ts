// If a message doesn't arrive, asks the peers that gave notice of it. A notice is a promise to send
// the message when asked.

import { type MessageId, messageKey } from '../messages/message-id.ts';
import { DelayQueue, type MissingMessages } from './missing-messages.ts';
import type { Neighbor } from './neighbor.ts';
import type { Tree } from './tree.ts';

/**
 * Asks for missing messages. A peer that is asked for a message has a limited time to keep its
 * promise. It does so by sending the message, even if another peer was quicker, or by reporting
 * that the message is absent. The number of open promises is bounded; beyond the limit the oldest
 * is forgotten.
 */
export class GraftRequests<P> {
  readonly #tree: Tree<P>;
  readonly #missing: MissingMessages;
  /** The open promises: message key and peer → the peer. */
  readonly #pending: DelayQueue<string>;
  /** Time before which no further messages are asked for. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(tree: Tree<P>, missing: MissingMessages) {
    this.#tree = tree;
    this.#missing = missing;
    this.#pending = new DelayQueue(tree.options.promiseTime);
  }

  get due(): number {
    return Math.min(this.#askDue, this.#pending.due);
  }

  get #askDue(): number {
    return Math.max(this.#missing.due, this.#pausedUntil);
  }

  /** Number of open promises. */
  get pending(): number {
    return this.#pending.size;
  }

  wake(now: number): void {
    if (now >= this.#askDue) this.#ask(now);
    for (let peer = this.#pending.take(now); peer !== undefined; peer = this.#pending.take(now))
      this.#blame(this.#tree.neighbors.get(peer)!, now);
  }

  /**
   * Called when no room was left for a graft of these messages, so the peer has promised none of
   * them. The link stays part of the tree at this end: if the peer needs no pushes, it prunes it.
   */
  unsent(neighbor: Neighbor, ids: readonly MessageId[]): void {
    for (const id of ids) this.excuse(neighbor.id, messageKey(id));
  }

  /** Called when the peer has sent the message. */
  kept(neighbor: Neighbor | undefined, key: string): void {
    if (neighbor === undefined || !this.excuse(neighbor.id, key)) return;
    neighbor.brokenInRow = 0;
    neighbor.account.kept++;
  }

  /** Ends a promise, for whatever reason. Returns false if there was no such promise. */
  excuse(peer: string, key: string): boolean {
    return this.#pending.size > 0 && this.#pending.delete(`${key} ${peer}`);
  }

  /** Called when the peer is no longer a neighbor. */
  forget(peer: string): void {
    this.#pending.drop((promiser) => promiser === peer);
  }

  #ask(now: number): void {
    const { neighbors, options, idsEach } = this.#tree;
    const isTrusted = (peer: string) => neighbors.get(peer)!.brokenInRow === 0;
    const asks = this.#missing.ask(now, AT_ONCE, isTrusted);
    const lots = new Map<string, MessageId[]>();
    for (const { peer, message } of asks) {
      this.#pending.set(`${message.key} ${peer}`, peer, now);
      if (this.#pending.size > options.outstanding) this.#pending.shift();
      const ids = lots.get(peer);
      if (ids === undefined) lots.set(peer, [message.id]);
      else ids.push(message.id);
    }
    for (const [peer, ids] of lots) {
      const neighbor = neighbors.get(peer)!;
      this.#tree.graft(neighbor);
      for (let i = 0; i < ids.length; i += idsEach)
        this.#tree.sendGraft(neighbor, ids.slice(i, i + idsEach));
    }
    if (this.#missing.due <= now) this.#pausedUntil = now + PAUSE;
  }

  /** Called when the peer has not kept a promise in time. */
  #blame(neighbor: Neighbor, now: number): void {
    this.#tree.counters.brokenPromises++;
    neighbor.brokenInRow++;
    neighbor.account.broken++;
    this.#tree.report(neighbor, 'broken-promise', now);
  }
}

/**
 * Maximum number of missing messages that are asked for or given up at once, and the milliseconds
 * until the next ones are. A peer may give notice of thousands at once, so other work must come in
 * between. A timer without a delay would fire again before anything is read.
 */
const AT_ONCE = 256;
const PAUSE = 5;

// Distinguishes leaves of the tree, which have nothing to send, from peers that ignore all
// messages, by asking them a question.

/**
 * Finds mute peers, which take messages but never react.
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
export class LeafProbes<P> {
  readonly #tree: Tree<P>;
  readonly #question: MessageId;

  /** @param self the node id of this node */
  constructor(tree: Tree<P>, self: string) {
    this.#tree = tree;
    this.#question = { origin: self, epoch: 0, sequence: 0 };
  }

  /** Called when a message was pushed to the peer, or the peer was given notice of messages. */
  weigh(neighbor: Neighbor, now: number): void {
    const { trialAfter, trialTime, muteAfter, muteTime } = this.#tree.options;
    const { unanswered, unansweredSince, eager, triedAt } = neighbor;
    if (triedAt !== undefined) {
      if (now - triedAt >= muteTime) this.#mute(neighbor, now);
    } else if (!eager) {
      // The neighbors of a node that only publishes don't react to its notices.
      if (this.#tree.isSource) return;
      if (unanswered >= muteAfter && now - unansweredSince >= muteTime) this.#mute(neighbor, now);
    } else if (
      unanswered >= trialAfter &&
      now - unansweredSince >= trialTime &&
      now >= neighbor.untriedUntil
    ) {
      neighbor.triedAt = now;
      this.#tree.sendGraft(neighbor, [this.#question]);
    }
  }

  /** Called when no room was left for a graft of these messages. */
  unsent(neighbor: Neighbor, ids: readonly MessageId[]): void {
    if (ids[0] === this.#question) neighbor.triedAt = undefined;
  }

  /** Called when the peer has sent a message, or given notice of a message. */
  gave(neighbor: Neighbor | undefined, now: number): void {
    if (neighbor === undefined) return;
    this.answered(neighbor, now);
    this.#tree.outputs.add(neighbor.gave);
  }

  /**
   * Called when the peer has asked for a message, pruned the link, or reported that a message is
   * absent.
   */
  answered(neighbor: Neighbor, now: number): void {
    neighbor.answered();
    if (neighbor.triedAt === undefined) return;
    neighbor.triedAt = undefined;
    neighbor.untriedUntil = now + PROBE_PAUSE * 2 ** Math.min(neighbor.leafProbes++, DOUBLED);
  }

  #mute(neighbor: Neighbor, now: number): void {
    neighbor.answered();
    neighbor.triedAt = undefined;
    this.#tree.report(neighbor, 'mute', now);
  }
}

/**
 * Milliseconds from the first passed probe to the next one. Each later pause is twice as long, up
 * to 16 times.
 */
const PROBE_PAUSE = 60_000;
const DOUBLED = 4;
