// If a message doesn't arrive, asks the peers that gave notice of it. A notice is a promise to send
// the message when asked.

import type { OutputQueue } from '@trunkline/peers/internal';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { PlumtreeCounters, Reports } from './counters.ts';
import type { PlumtreeOutput } from './message.ts';
import { DelayQueue, type MissingMessages } from './missing-messages.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeOptions } from './options.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';
import type { Tree } from './tree.ts';

export interface GraftRequestsInit<P> {
  readonly options: PlumtreeOptions;
  readonly counters: PlumtreeCounters;
  readonly missing: MissingMessages;
  readonly neighbors: ReadonlyMap<string, Neighbor>;
  readonly outgoing: OutgoingMessages<P>;
  readonly tree: Tree<P>;
  readonly reports: Reports<P>;
}

export class GraftRequests<P> {
  readonly #init: GraftRequestsInit<P>;
  readonly #pendingGrafts: PendingGrafts;
  /** Time before which no further messages are asked for. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(init: GraftRequestsInit<P>) {
    this.#init = init;
    this.#pendingGrafts = new PendingGrafts(init.options.promiseTime, init.options.outstanding);
  }

  get due(): number {
    return Math.min(this.#askDue, this.#pendingGrafts.due);
  }

  get #askDue(): number {
    return Math.max(this.#init.missing.due, this.#pausedUntil);
  }

  /** Number of open promises. */
  get pendingGrafts(): number {
    return this.#pendingGrafts.size;
  }

  wake(now: number): void {
    if (now >= this.#askDue) this.#ask(now);
    this.#blame(now);
  }

  /** Makes the link part of the tree at the other end, and asks for these messages. */
  graft(neighbor: Neighbor, ids: MessageId[]): void {
    this.#init.outgoing.control(neighbor, { kind: 'graft', ids });
    this.#init.counters.graftsSent++;
  }

  /**
   * Called when no room was left for a graft of these messages, so the peer has promised none of
   * them.
   */
  unsent(neighbor: Neighbor, ids: readonly MessageId[]): void {
    this.#init.counters.graftsSent--;
    for (const id of ids) this.excuse(neighbor.id, messageKey(id));
  }

  /** Called when the peer has sent the message. */
  kept(neighbor: Neighbor | undefined, key: string): void {
    if (neighbor === undefined || !this.#pendingGrafts.keep(neighbor.id, key)) return;
    neighbor.brokenInRow = 0;
    neighbor.account.kept++;
  }

  /** Called when the peer has reported that it no longer has the message. */
  excuse(peer: string, key: string): void {
    this.#pendingGrafts.keep(peer, key);
  }

  /** Called when the peer is no longer a neighbor. */
  forget(peer: string): void {
    this.#pendingGrafts.forget(peer);
  }

  #ask(now: number): void {
    const { missing, neighbors, outgoing, tree, counters } = this.#init;
    const isTrusted = (peer: string) => neighbors.get(peer)?.brokenInRow === 0;
    const lots = new Map<string, MessageId[]>();
    for (const { peer, message } of missing.ask(now, AT_ONCE, isTrusted, () => counters.lost++)) {
      this.#pendingGrafts.ask(peer, message.key, now);
      const ids = lots.get(peer);
      if (ids === undefined) lots.set(peer, [message.id]);
      else ids.push(message.id);
    }
    for (const [peer, ids] of lots) {
      const neighbor = neighbors.get(peer);
      if (neighbor === undefined) continue;
      tree.graft(neighbor);
      for (let i = 0; i < ids.length; i += outgoing.idsEach)
        this.graft(neighbor, ids.slice(i, i + outgoing.idsEach));
    }
    if (missing.due <= now) this.#pausedUntil = now + PAUSE;
  }

  #blame(now: number): void {
    const { neighbors, counters, reports } = this.#init;
    for (
      let peer = this.#pendingGrafts.broken(now);
      peer !== undefined;
      peer = this.#pendingGrafts.broken(now)
    ) {
      counters.brokenPromises++;
      const neighbor = neighbors.get(peer);
      if (neighbor === undefined) continue;
      neighbor.brokenInRow++;
      neighbor.account.broken++;
      reports.add(neighbor, 'broken-promise', now);
    }
  }
}

/**
 * Maximum number of missing messages that are asked for or given up at once, and the milliseconds
 * until the next ones are. A peer may give notice of thousands at once, so other work must come in
 * between. A timer without a delay would fire again before anything is read.
 */
const AT_ONCE = 256;
const PAUSE = 5;

// The open promises: a peer that gave notice of a message and was asked for the message has a
// limited time to send it.

interface PendingGraft {
  readonly peer: string;
  readonly key: string;
}

/**
 * A peer keeps its promise by sending the message, even if another peer was quicker, or by
 * reporting that the message is absent. The number of open promises is bounded; beyond the limit
 * the oldest is forgotten.
 */
export class PendingGrafts {
  readonly #most: number;
  readonly #open: DelayQueue<PendingGraft>;

  /**
   * @param time time limit for keeping a promise, in milliseconds. @param most maximum number of
   * open promises.
   */
  constructor(time: number, most: number) {
    this.#open = new DelayQueue(time);
    this.#most = most;
  }

  get due(): number {
    return this.#open.due;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Records that a peer was asked for a message that it had announced. */
  ask(peer: string, key: string, now: number): void {
    this.#open.set(`${key} ${peer}`, { peer, key }, now);
    if (this.#open.size > this.#most) this.#open.shift();
  }

  /**
   * Records that a peer sent the message, or reported that it is absent. Returns false if there was
   * no such promise.
   */
  keep(peer: string, key: string): boolean {
    return this.#open.size > 0 && this.#open.delete(`${key} ${peer}`);
  }

  /** Forgets the promises of a peer that is gone. */
  forget(peer: string): void {
    this.#open.drop((promised) => promised.peer === peer);
  }

  /**
   * Removes a promise whose time is over, and returns the peer that broke it; undefined if there is
   * none.
   */
  broken(now: number): string | undefined {
    return this.#open.take(now)?.peer;
  }
}

// Distinguishes leaves of the tree, which have nothing to send, from peers that ignore all
// messages, by asking them a question.

export interface LeafProbesInit<P> {
  /** The node id of this node. */
  readonly self: string;
  readonly options: PlumtreeOptions;
  readonly outputs: OutputQueue<PlumtreeOutput<P>>;
  readonly reports: Reports<P>;
  readonly graftRequests: GraftRequests<P>;
  /** True if this node only publishes, so its neighbors don't react to its notices. */
  readonly isSource: boolean;
}

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
  readonly #init: LeafProbesInit<P>;
  readonly #question: MessageId;

  constructor(init: LeafProbesInit<P>) {
    this.#init = init;
    this.#question = { origin: init.self, epoch: 0, sequence: 0 };
  }

  /** Called when a message was pushed to the peer, or the peer was given notice of messages. */
  weigh(neighbor: Neighbor, now: number): void {
    const { trialAfter, trialTime, muteAfter, muteTime } = this.#init.options;
    const { unanswered, unansweredSince, eager, triedAt } = neighbor;
    if (triedAt !== undefined) {
      if (now - triedAt >= muteTime) this.#mute(neighbor, now);
    } else if (!eager) {
      if (this.#init.isSource) return;
      if (unanswered >= muteAfter && now - unansweredSince >= muteTime) this.#mute(neighbor, now);
    } else if (
      unanswered >= trialAfter &&
      now - unansweredSince >= trialTime &&
      now >= neighbor.untriedUntil
    ) {
      neighbor.triedAt = now;
      this.#init.graftRequests.graft(neighbor, [this.#question]);
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
    this.#init.outputs.add(neighbor.gave);
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
    this.#init.reports.add(neighbor, 'mute', now);
  }
}

/**
 * Milliseconds from the first passed probe to the next one. Each later pause is twice as long, up
 * to 16 times.
 */
const PROBE_PAUSE = 60_000;
const DOUBLED = 4;
