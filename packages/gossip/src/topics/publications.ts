// The messages of one topic that wait for peers or receipts, and those that are still offered to
// newcomers.

import type { TransportError } from '@trunkline/transport-core';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { isFor } from '../overlay/body.ts';
import type { OwnMessage } from '../overlay/overlay.ts';
import type { PublishFailure } from '../types.ts';
import type { DeliveryOutcome } from '../wire/relay-frames.ts';
import { gone, refusedBy } from './errors.ts';
import type { Publication } from './publication.ts';
import type { TopicContext } from './topic-context.ts';

/** The name under which a publication waits for the first neighbor, no matter which peer it is. */
export const ANYBODY = 'anybody';

/** The open publications of one topic. */
export class Publications {
  readonly #topic: TopicContext;
  readonly #open = new Set<Publication>();
  /** Publications that wait for receipts, by the keys of their messages. */
  readonly #asking = new Map<string, Publication>();

  constructor(topic: TopicContext) {
    this.#topic = topic;
  }

  get size(): number {
    return this.#open.size;
  }

  add(publication: Publication, { id, body }: OwnMessage): void {
    this.#open.add(publication);
    if (body.receipt !== true) return;
    const key = messageKey(id);
    publication.keys.push(key);
    this.#asking.set(key, publication);
  }

  /**
   * Gives another id to each message that no peer has received yet.
   * @param make publishes the message again, under another id.
   */
  renew(make: (message: OwnMessage) => OwnMessage): void {
    for (const publication of [...this.#open]) {
      const { message } = publication;
      if (message === undefined || !publication.isUnsent) continue;
      this.#asking.delete(messageKey(message.id));
      publication.message = make(message);
      this.add(publication, publication.message);
    }
  }

  /** Checks whether a publication is over, after something has happened to it. */
  look(publication: Publication): void {
    publication.look();
    if (!publication.isOver || this.#topic.node.clock.now() < publication.due) return;
    this.#open.delete(publication);
    for (const key of publication.keys) this.#asking.delete(key);
  }

  /** Handles a peer's report on the outcome of a message that it was asked to confirm. */
  receipt(id: MessageId, from: string, verdict: DeliveryOutcome): void {
    const publication = this.#asking.get(messageKey(id));
    if (publication === undefined) return;
    // A neighbor that got only a notice of the message may have asked for the message.
    if (this.#mayHaveAsked(publication, from)) publication.queued(from);
    publication.answered(
      from,
      verdict === 'took'
        ? undefined
        : { nodeId: from, refusal: verdict, error: refusedBy(from, verdict) },
    );
    if (verdict !== 'took') this.#offerAnother(publication);
    this.look(publication);
  }

  /** Called when a message could not be sent to a peer after all. */
  unsent(id: MessageId, failure: PublishFailure): void {
    const publication = this.#asking.size === 0 ? undefined : this.#asking.get(messageKey(id));
    if (publication === undefined) return;
    publication.failed(failure);
    this.look(publication);
  }

  neighborUp(nodeId: string): void {
    for (const publication of this.#open) {
      if (publication.message === undefined) continue;
      if (!publication.isQueuedFor(nodeId)) this.#offer(publication, nodeId);
      publication.known(ANYBODY);
      this.look(publication);
    }
  }

  peerDown(nodeId: string, error: TransportError | undefined): void {
    for (const publication of this.#open) {
      if (!publication.isQueuedFor(nodeId)) continue;
      publication.lost(nodeId, gone(nodeId, this.#topic.key.name, error));
      this.#offerAnother(publication);
      this.look(publication);
    }
  }

  /** Called when a peer has announced its topics, or is gone. */
  known(nodeId: string): void {
    for (const publication of this.#open) {
      publication.known(nodeId);
      this.look(publication);
    }
  }

  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    if (this.#open.size > 0)
      for (const publication of this.#open) due = Math.min(due, publication.due);
    return due;
  }

  wake(now: number): void {
    for (const publication of this.#open) {
      if (now < publication.due) continue;
      publication.expire();
      this.look(publication);
    }
  }

  /** Fails all waiting publications. */
  fail(error: TransportError): void {
    for (const publication of this.#open) publication.fail(error);
    this.#open.clear();
    this.#asking.clear();
  }

  #mayHaveAsked(publication: Publication, from: string): boolean {
    const { message } = publication;
    if (message === undefined || !isFor(message.body, from) || publication.hasFailed(from))
      return false;
    return this.#topic.overlay!.neighbors().includes(from);
  }

  /** Asks another neighbor to confirm the message, because a peer that was asked will not do it. */
  #offerAnother(publication: Publication): void {
    if (publication.message === undefined || publication.isOver) return;
    for (const nodeId of this.#topic.overlay!.neighbors()) {
      if (
        !publication.isQueuedFor(nodeId) &&
        !publication.hasFailed(nodeId) &&
        this.#offer(publication, nodeId)
      )
        return;
    }
  }

  #offer(publication: Publication, nodeId: string): boolean {
    const isTaken = this.#topic.offer(nodeId, publication.message!, this.#topic.node.clock.now());
    if (isTaken) publication.queued(nodeId);
    return isTaken;
  }
}
