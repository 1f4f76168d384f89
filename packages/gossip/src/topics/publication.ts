// A published message that waits for more peers, or for peers to confirm it. Publisher owns it and
// calls `look` after each change, since a change alone settles nothing.

import { TransportError } from '@trunkline/transport-core';
import { inMs } from '@trunkline/transport-core/backend';
import type { OwnMessage } from '../overlay/overlay.ts';
import type { PublishFailure, PublishResult } from '../types.ts';

/** The conditions under which a publication is over. */
interface PublicationSetup {
  /** Number of peers that must confirm the message; with 0, no peer is asked to. */
  readonly min: number;
  /**
   * Time at which the publication stops waiting. If fewer than `min` peers have confirmed it by
   * then, it fails.
   */
  readonly due: number;
  /** The user's timeout in milliseconds, for the error text; `due` may be sooner without `min`. */
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
  /** Peers for which the message is queued; `sent` and `fails` change them. */
  readonly queued = new Set<string>();
  readonly failed = new Map<string, PublishFailure>();
  /**
   * Ids of peers that have not yet announced their topics, dials, and `ANYBODY` or `CHOSEN` of
   * publisher.ts: the publication waits for all of these.
   */
  readonly pending = new Set<string>();
  readonly #setup: PublicationSetup;
  /** The peers in `queued` that have confirmed the message. */
  readonly #received = new Set<string>();
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

  /** Records that the message is queued for that peer. */
  sent(peer: string): void {
    this.queued.add(peer);
    this.failed.delete(peer);
  }

  /** Records that the message could not be sent to a peer, or that the peer did not take it. */
  fails(failure: PublishFailure): void {
    this.queued.delete(failure.nodeId);
    this.failed.set(failure.nodeId, failure);
  }

  /** Records that a peer has confirmed the message, if the message was queued for it. */
  confirmed(peer: string): void {
    if (this.queued.has(peer)) this.#received.add(peer);
  }

  /**
   * Called when a peer has refused the message or is gone. If the peer was asked to confirm the
   * message and has not done so, it never will.
   */
  lost(failure: PublishFailure): void {
    const { nodeId } = failure;
    const { min, missed } = this.#setup;
    if (min === 0 || !this.queued.has(nodeId) || this.#received.has(nodeId)) return;
    this.fails(failure);
    missed?.(nodeId);
  }

  /**
   * Checks whether the publication is over. If so, settles the promise. It fails early only if no
   * newcomer can make up for the missing peers.
   */
  look(): void {
    if (this.isOver || this.pending.size > 0) return;
    const { min, open } = this.#setup;
    if (this.#received.size >= min) this.#settle();
    else if (open === undefined && this.queued.size < min)
      this.fail(this.#short('unavailable', 'can confirm it'));
  }

  /** Ends the wait, because the publication is due. */
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
    const [first] = this.failed.values();
    const count = code === 'unavailable' ? this.queued.size : this.#received.size;
    const failed =
      first === undefined
        ? ''
        : `; ${this.failed.size} failed, the first because ${first.error.message}`;
    const text = `publish: ${count} of ${this.#setup.min} peers ${what}; it is queued for ${this.queued.size}${failed}`;
    return new TransportError(code, text, { sent: this.queued.size > 0, cause: first?.error });
  }

  #settle(): void {
    this.isOver = true;
    const result = resultOf(this.queued.size, [...this.failed.values()]);
    this.#resolve(this.#setup.min === 0 ? result : { ...result, received: this.#received.size });
  }
}

export function resultOf(queued: number, failed: readonly PublishFailure[]): PublishResult {
  return failed.length === 0 ? { queued } : { queued, failed };
}
