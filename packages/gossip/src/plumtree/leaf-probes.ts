// Distinguishes leaves of the tree, which have nothing to send, from peers that ignore all
// messages, by asking them a question.

import type { OutputQueue } from '@trunkline/peers/internal';
import type { MessageId } from '../messages/message-id.ts';
import type { GraftRequests } from './graft-requests.ts';
import type { PlumtreeOutput } from './interface.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeOptions } from './options.ts';
import type { Reports } from './reports.ts';

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
    neighbor.untriedUntil = now + PAUSE * 2 ** Math.min(neighbor.leafProbes++, DOUBLED);
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
const PAUSE = 60_000;
const DOUBLED = 4;
