// Who takes messages and never gives a sign: a leaf of the tree, or somebody who isn't listening at all? A question tells.

import type { MessageId } from '../messages/message-id.ts';
import type { Neighbour } from './neighbour.ts';
import type { PlumtreeOptions } from './options.ts';

export interface TrialsInit {
  /** The node id of this node. */
  readonly self: string;
  readonly options: PlumtreeOptions;
  /** Asks a peer of the tree for these messages. False: there is no room. */
  readonly graft: (neighbour: Neighbour, ids: MessageId[]) => boolean;
  /** The peer has messages from elsewhere. */
  readonly onGave: (neighbour: Neighbour) => void;
  readonly onMute: (neighbour: Neighbour, now: number) => void;
}

/**
 * Every honest peer that gets notices answers them in time: it has the message and gives notice of it, or asks for it. But a peer of the tree has
 * messages pushed, and a leaf has nothing to say to that. So one that took many without a sign is asked for a message that there never was, and
 * an honest one says that it is absent. Who says nothing to either is mute. To prune the link instead would tell more, whether the peer has
 * messages from elsewhere; but it costs each leaf duplicates: with one publisher twice as many as there are without. Who passed is left alone, each
 * time twice as long.
 */
export class Trials {
  readonly #init: TrialsInit;
  readonly #question: MessageId;

  constructor(init: TrialsInit) {
    this.#init = init;
    this.#question = { origin: init.self, epoch: 0, sequence: 0 };
  }

  /** It was pushed a message, or given notice of some. */
  weigh(neighbour: Neighbour, now: number): void {
    const { trialAfter, trialTime, muteAfter, muteTime } = this.#init.options;
    const { unanswered, unansweredSince, eager, triedAt } = neighbour;
    if (triedAt !== undefined) {
      if (now - triedAt >= muteTime) this.#mute(neighbour, now);
    } else if (!eager) {
      if (unanswered >= muteAfter && now - unansweredSince >= muteTime) this.#mute(neighbour, now);
    } else if (unanswered >= trialAfter && now - unansweredSince >= trialTime && now >= neighbour.untriedUntil) {
      if (this.#init.graft(neighbour, [this.#question])) neighbour.triedAt = now;
    }
  }

  /** It brought a message, or gave notice of one. */
  gave(neighbour: Neighbour | undefined, now: number): void {
    if (neighbour === undefined) return;
    this.answered(neighbour, now);
    this.#init.onGave(neighbour);
  }

  /** It asked for a message, or for none to be pushed, or says that it has one no more. */
  answered(neighbour: Neighbour, now: number): void {
    neighbour.answered();
    if (neighbour.triedAt === undefined) return;
    neighbour.triedAt = undefined;
    neighbour.untriedUntil = now + PAUSE * 2 ** Math.min(neighbour.trials++, DOUBLED);
  }

  #mute(neighbour: Neighbour, now: number): void {
    neighbour.answered();
    neighbour.triedAt = undefined;
    this.#init.onMute(neighbour, now);
  }
}

/** Milliseconds after the first trial that was passed to the next; each later pause is twice as long, up to 16 times. */
const PAUSE = 60_000;
const DOUBLED = 4;
