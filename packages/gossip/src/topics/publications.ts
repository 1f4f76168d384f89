// The messages of one topic that wait for peers or receipts, and those that are still offered to
// newcomers.

import { TransportError } from '@trunkline/transport-core';
import { inMs } from '@trunkline/transport-core/backend';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { isFor, type OwnMessage } from '../overlay/overlay.ts';
import type { PublishFailure, PublishResult } from '../types.ts';
import type { DeliveryOutcome } from '../wire/frame.ts';
import { gone, refusedBy } from './errors.ts';
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

// A published message that waits for more peers, or for peers to confirm it.

/** The conditions under which a publication is over. */
interface PublicationSetup {
  /** Number of peers that must confirm the message; with 0, no peer is asked to. */
  readonly min: number;
  /**
   * Time at which the publication stops waiting. If fewer than `min` peers have confirmed it by
   * then, it fails.
   */
  readonly due: number;
  /** Milliseconds from publication until `due`, for the error text. */
  readonly timeout: number;
  /**
   * The message that is offered to newcomers, and the time until which it is offered once the
   * publication is over; before that, it always is. If absent, only the peers for which the message
   * is queued get it.
   */
  readonly open?: { readonly message: OwnMessage; readonly until: number } | undefined;
  /** Called when a peer for which the message was queued refuses it or is gone. */
  readonly missed?: ((nodeId: string) => void) | undefined;
}

/** The state of one publication, and the promise of its result. */
export class Publication {
  /** True if the promise is settled. */
  isOver = false;
  readonly promise: Promise<PublishResult>;
  /** Keys of the messages that receipts for this publication name. */
  readonly keys: string[] = [];
  /** The message that is offered to newcomers. */
  message: OwnMessage | undefined;
  readonly #setup: PublicationSetup;
  /** Peers for which the message is queued, and those that have confirmed it. */
  readonly #queued = new Set<string>();
  readonly #received = new Set<string>();
  readonly #failed = new Map<string, PublishFailure>();
  /**
   * Names of things to wait for: ids of peers that have not yet announced their topics, and dials.
   */
  readonly #pending = new Set<string>();
  #resolve!: (result: PublishResult) => void;
  #reject!: (error: unknown) => void;

  constructor(setup: PublicationSetup) {
    this.#setup = setup;
    this.message = setup.open?.message;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Time at which the publication stops waiting or, once it is over, at which it is forgotten: at
   * once (0) if the message is not offered to newcomers.
   */
  get due(): number {
    return this.isOver ? (this.#setup.open?.until ?? 0) : this.#setup.due;
  }

  /** True if the message is not queued for any peer yet. */
  get isUnsent(): boolean {
    return this.#queued.size === 0;
  }

  isQueuedFor(peer: string): boolean {
    return this.#queued.has(peer);
  }

  /** Records that the message is queued for that peer. */
  queued(peer: string): void {
    this.#queued.add(peer);
    this.#failed.delete(peer);
  }

  hasFailed(peer: string): boolean {
    return this.#failed.has(peer);
  }

  failed(failure: PublishFailure): void {
    this.#queued.delete(failure.nodeId);
    this.#failed.set(failure.nodeId, failure);
  }

  /** Keeps the publication open until `known` is called with the same name. */
  wait(what: string): void {
    this.#pending.add(what);
  }

  /** Ends a wait, because the awaited event has happened or never will. */
  known(what: string): void {
    this.#pending.delete(what);
  }

  /**
   * Records that a peer for which the message was queued has confirmed it, or (with `failure`) has
   * failed.
   */
  answered(peer: string, failure: PublishFailure | undefined): void {
    if (!this.#queued.has(peer) || this.#received.has(peer)) return;
    if (failure === undefined) {
      this.#received.add(peer);
    } else {
      this.failed(failure);
      this.#setup.missed?.(peer);
    }
  }

  /**
   * Called when a peer is gone, or has left the topic. If the peer was asked to confirm the
   * message, it never will.
   */
  lost(peer: string, error: TransportError): void {
    if (this.#setup.min > 0) this.answered(peer, { nodeId: peer, error });
  }

  /** Checks whether the publication is over. If so, settles the promise. */
  look(): void {
    if (this.isOver || this.#pending.size > 0) return;
    const { min, open } = this.#setup;
    if (this.#received.size >= min) this.#settle();
    else if (open === undefined && this.#queued.size < min)
      this.fail(this.#short('unavailable', 'can confirm it'));
  }

  expire(): void {
    if (this.isOver) return;
    const { min, timeout } = this.#setup;
    if (this.#received.size >= min) this.#settle();
    else this.fail(this.#short('deadline_exceeded', `confirmed it within ${inMs(timeout)}`));
  }

  fail(error: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#reject(error);
  }

  #short(code: 'unavailable' | 'deadline_exceeded', what: string): TransportError {
    const [first] = this.#failed.values();
    const count = code === 'unavailable' ? this.#queued.size : this.#received.size;
    const failed =
      first === undefined
        ? ''
        : `; ${this.#failed.size} failed, the first because ${first.error.message}`;
    const text = `publish: ${count} of ${this.#setup.min} peers ${what}; it is queued for ${this.#queued.size}${failed}`;
    return new TransportError(code, text, { sent: this.#queued.size > 0, cause: first?.error });
  }

  #settle(): void {
    this.isOver = true;
    const result = resultOf(this.#queued.size, [...this.#failed.values()]);
    this.#resolve(this.#setup.min === 0 ? result : { ...result, received: this.#received.size });
  }
}

export function resultOf(queued: number, failed: readonly PublishFailure[]): PublishResult {
  return failed.length === 0 ? { queued } : { queued, failed };
}
