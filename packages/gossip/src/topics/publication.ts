// A message of this node's own that waits to be handed to more peers.

import { TransportError } from '@trunkline/transport-core';
import type { OwnMessage } from '../overlay/overlay.ts';
import type { PublishFailure, PublishResult } from '../types.ts';

export class Publication {
  readonly message: OwnMessage;
  readonly due: number;
  readonly promise: Promise<PublishResult>;
  readonly #min: number;
  readonly #handed: Set<string>;
  /** Peers of whom it is not known yet whether they are on the topic. */
  readonly #pending: Set<string>;
  readonly #failed: PublishFailure[];
  readonly #timeout: number;
  #resolve!: (result: PublishResult) => void;
  #reject!: (error: TransportError) => void;
  #isOver = false;

  constructor(
    message: OwnMessage,
    given: { handed: readonly string[]; pending: Iterable<string>; failed: PublishFailure[]; min: number; timeout: number; now: number },
  ) {
    this.message = message;
    this.due = given.now + (given.min > 0 ? given.timeout : Math.min(given.timeout, PATIENCE));
    this.#min = given.min;
    this.#timeout = given.timeout;
    this.#handed = new Set(given.handed);
    this.#pending = new Set(given.pending);
    this.#failed = given.failed;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#look();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  isHandedTo(peer: string): boolean {
    return this.#handed.has(peer);
  }

  handed(peer: string): void {
    this.#handed.add(peer);
    this.#look();
  }

  /** It is known now which topics that peer is on, or it is gone. */
  known(peer: string): void {
    if (this.#pending.delete(peer)) this.#look();
  }

  expire(): void {
    if (this.#isOver) return;
    if (this.#handed.size >= this.#min) return this.#settle();
    this.fail(
      new TransportError('deadline_exceeded', `publish: it was handed to ${this.#handed.size} of ${this.#min} peers in ${this.#timeout} ms`, { sent: true }),
    );
  }

  fail(error: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reject(error);
  }

  #look(): void {
    if (!this.#isOver && this.#handed.size >= this.#min && this.#pending.size === 0) this.#settle();
  }

  #settle(): void {
    this.#isOver = true;
    this.#resolve(resultOf(this.#handed.size, this.#failed));
  }
}

/** Milliseconds that is waited where no minimum was asked for: longer than for any peer, or for a first neighbour that answers. */
const PATIENCE = 2_000;

export function resultOf(queued: number, failed: readonly PublishFailure[]): PublishResult {
  return failed.length === 0 ? { queued } : { queued, failed };
}
