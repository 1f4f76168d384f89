// Remembers which messages this node has published or received, so that no message is processed
// twice.

import type { MessageId } from '../messages/message-id.ts';
import { SeenMessages, type SeenVerdict } from '../messages/seen-messages.ts';
import { type PlumtreeOptions, plumtreeOptions } from './options.ts';
import { OwnMessages } from './own-messages.ts';

/** This node's own messages and those of others, which are kept apart. */
export class MessageHistory {
  readonly seen: SeenMessages;
  readonly own: OwnMessages;
  readonly #self: string;

  constructor(self: string, options: PlumtreeOptions, latest: (() => number) | undefined) {
    this.#self = self;
    this.seen = new SeenMessages({
      retention: options.idTime,
      originRetention: options.originTime,
      origins: options.origins,
      // Other nodes may have more room, and may pass on messages for which this node has none.
      flood: Math.max(options.origins, DEFAULTS.origins),
      gaps: options.gaps,
      digests: options.digests,
      latest,
    });
    this.own = new OwnMessages(self, { retention: options.idTime, gaps: options.gaps });
  }

  /** Looks up an id. A message of another node counts as signed if its origin is known to sign. */
  look(id: MessageId, now: number): SeenVerdict {
    return id.origin === this.#self ? this.own.look(id, now) : this.seen.lookUp(id, now);
  }

  expire(now: number): void {
    this.seen.expire(now);
    this.own.expire(now);
  }
}

const DEFAULTS = plumtreeOptions();
