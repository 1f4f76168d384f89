// A message of this node's own that waits for more peers, or for peers to confirm it.

import { TransportError } from '@trunkline/transport-core';
import type { OwnMessage } from '../overlay/overlay.ts';
import type { PublishFailure, PublishResult } from '../types.ts';

export interface PublicationSetup {
  /** Peers that are to confirm it; 0: none is asked to. */
  readonly min: number;
  /** When it is given up; with `min`, as an error. */
  readonly due: number;
  /** Milliseconds that `due` is away, for the error. */
  readonly timeout: number;
  /** What newcomers are offered, and until when; left out: nobody but those that it is queued for gets it. */
  readonly open?: { readonly message: OwnMessage; readonly until: number } | undefined;
  /** A peer that it was queued for refused it, or is gone. */
  readonly missed?: ((nodeId: string) => void) | undefined;
}

export class Publication {
  readonly promise: Promise<PublishResult>;
  /** The messages by whose receipts it is found. */
  readonly keys: string[] = [];
  readonly #setup: PublicationSetup;
  #message: OwnMessage | undefined;
  /** Peers that have it queued, or have confirmed it. */
  readonly #queued = new Set<string>();
  readonly #received = new Set<string>();
  readonly #failed = new Map<string, PublishFailure>();
  /** What is waited for: peers of whom it is not known yet whether they are on the topic, by their ids, and dials. */
  readonly #pending = new Set<string>();
  #resolve!: (result: PublishResult) => void;
  #reject!: (error: unknown) => void;
  #isOver = false;

  constructor(setup: PublicationSetup) {
    this.#setup = setup;
    this.#message = setup.open?.message;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The promise is settled. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What newcomers are offered. */
  get message(): OwnMessage | undefined {
    return this.#message;
  }

  /** Newcomers are offered this from now on. */
  set message(message: OwnMessage) {
    this.#message = message;
  }

  get due(): number {
    return this.#isOver ? (this.#setup.open?.until ?? 0) : this.#setup.due;
  }

  /** Has nobody got it yet? */
  get isUnsent(): boolean {
    return this.#queued.size === 0;
  }

  isQueuedFor(peer: string): boolean {
    return this.#queued.has(peer);
  }

  /** A connection to that peer takes it. */
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

  /** It is not over before `known` is told the same. */
  wait(what: string): void {
    this.#pending.add(what);
  }

  /** What was waited for has come, or never will: it is known which topics a peer is on, or it is gone. */
  known(what: string): void {
    this.#pending.delete(what);
  }

  /** A peer that it was queued for confirms it, or has failed it. */
  answered(peer: string, failure: PublishFailure | undefined): void {
    if (!this.#queued.has(peer) || this.#received.has(peer)) return;
    if (failure === undefined) {
      this.#received.add(peer);
    } else {
      this.failed(failure);
      this.#setup.missed?.(peer);
    }
  }

  /** A peer is gone, or has left the topic: if it was asked to confirm the message, it never will. */
  lost(peer: string, error: TransportError): void {
    if (this.#setup.min > 0) this.answered(peer, { nodeId: peer, error });
  }

  /** Looks whether it is over. */
  look(): void {
    if (this.#isOver || this.#pending.size > 0) return;
    const { min, open } = this.#setup;
    if (this.#received.size >= min) this.#settle();
    else if (open === undefined && this.#queued.size < min) this.fail(this.#short('unavailable', 'can confirm it'));
  }

  expire(): void {
    if (this.#isOver) return;
    const { min, timeout } = this.#setup;
    if (this.#received.size >= min) this.#settle();
    else this.fail(this.#short('deadline_exceeded', `confirmed it in ${timeout} ms`));
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reject(error);
  }

  #short(code: 'unavailable' | 'deadline_exceeded', what: string): TransportError {
    const [first] = this.#failed.values();
    const count = code === 'unavailable' ? this.#queued.size : this.#received.size;
    const failed = first === undefined ? '' : `; ${this.#failed.size} failed, the first because ${first.error.message}`;
    const text = `publish: ${count} of ${this.#setup.min} peers ${what}, it is queued for ${this.#queued.size}${failed}`;
    return new TransportError(code, text, { sent: this.#queued.size > 0, cause: first?.error });
  }

  #settle(): void {
    this.#isOver = true;
    const result = resultOf(this.#queued.size, [...this.#failed.values()]);
    this.#resolve(this.#setup.min === 0 ? result : { ...result, received: this.#received.size });
  }
}

export function resultOf(queued: number, failed: readonly PublishFailure[]): PublishResult {
  return failed.length === 0 ? { queued } : { queued, failed };
}
