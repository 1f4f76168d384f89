// A message of this node that relays distribute. It is kept until all receivers have it, and sent
// directly to receivers that don't confirm it in time. A shipment owns the list of those receivers,
// and queues outputs of the relay machine.

import { Distribution, type RelayShared } from './distribution.ts';
import type { RelayedMessage } from './interface.ts';
import { RelayBuffer } from './relay-buffer.ts';
import { patience } from './timing.ts';

/** One relayed message of this node, and the receivers that have not confirmed it. */
export class Shipment {
  readonly size: number;
  readonly #message: RelayedMessage;
  readonly #shared: RelayShared;
  readonly #distribution: Distribution;
  /** The receivers that have not confirmed the message. */
  readonly #open: Set<string>;
  #heardAt: number;
  #repaired = 0;

  constructor(shared: RelayShared, message: RelayedMessage, to: readonly string[], now: number) {
    const { topic, push, frame } = message;
    this.size = frame.length;
    this.#message = message;
    this.#shared = shared;
    this.#open = new Set(to);
    this.#heardAt = now;
    const head = { topic: topic.hex, id: push.id, hops: 1, size: this.size };
    this.#distribution = new Distribution(shared, new RelayBuffer(frame, this.size), head, now);
    this.#distribution.send(to, now);
    this.repair();
  }

  /** True if no receiver is open any more, and no upload is under way. */
  get isOver(): boolean {
    return this.#open.size === 0 && this.#distribution.isSettled;
  }

  /** Number of receivers to which the message was sent directly. */
  get repaired(): number {
    return this.#repaired;
  }

  /** Returns true if it is still unknown whether a node has the message. */
  isOpenFor(nodeId: string): boolean {
    return this.#open.has(nodeId);
  }

  /** Records that a node has confirmed the message. */
  confirmed(nodeId: string, now: number): void {
    if (this.#open.delete(nodeId)) this.#heardAt = now;
  }

  /** Called when a node is gone. */
  gone(nodeId: string): void {
    this.#open.delete(nodeId);
  }

  get due(): number {
    if (this.#open.size === 0) return this.#distribution.due;
    return Math.min(this.#distribution.due, this.#lastly);
  }

  wake(now: number): void {
    this.#distribution.wake(now);
    this.repair();
    if (this.#open.size === 0 || now < this.#lastly) return;
    this.#distribution.stop();
    this.#repair([...this.#open]);
  }

  stop(): void {
    this.#open.clear();
    this.#distribution.stop();
  }

  /** Sends the message directly to the receivers that are known not to get it from relays. */
  repair(): void {
    this.#repair(this.#distribution.takeMissed());
  }

  /**
   * Time at which the message is sent directly to the remaining receivers. A relay may falsely
   * report that it has passed the message on, so only receipts count.
   */
  get #lastly(): number {
    const movedAt = Math.max(this.#heardAt, this.#distribution.movedAt);
    return movedAt + patience(this.#shared.config, this.size);
  }

  #repair(nodeIds: readonly string[]): void {
    for (const to of nodeIds) {
      if (!this.#open.delete(to)) continue;
      this.#repaired++;
      this.#shared.outputs.add({ type: 'repair', to, message: this.#message });
    }
  }
}
