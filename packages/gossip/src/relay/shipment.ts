// A message of this node that relays spread. It is kept until all receivers have it, and sent
// directly to those that don't confirm it in time.

import { Distribution, type DistributionHost } from './distribution.ts';
import { RelayBuffer } from './relay-buffer.ts';
import { patience } from './timing.ts';

export interface ShipmentHost extends Omit<DistributionHost, 'missed'> {
  /** The message was to come to a node by relays, and must be sent to it directly. */
  repair(nodeId: string): void;
}

/** One relayed message of this node, and the receivers that have not confirmed it. */
export class Shipment {
  readonly size: number;
  readonly #host: ShipmentHost;
  readonly #distribution: Distribution;
  /** Receivers that have not confirmed the message. */
  readonly #open: Set<string>;
  #heardAt: number;

  constructor(frame: Uint8Array, to: readonly string[], host: ShipmentHost) {
    this.size = frame.length;
    this.#host = host;
    this.#open = new Set(to);
    this.#heardAt = host.now();
    this.#distribution = new Distribution(new RelayBuffer(frame, frame.length), {
      ...host,
      missed: (nodeIds) => this.#repair(nodeIds),
    });
    this.#distribution.send(to);
  }

  /** True if no receiver is open any more, and no transfer is under way. */
  get isOver(): boolean {
    return this.#open.size === 0 && this.#distribution.isSettled;
  }

  /** True if it is not known yet whether a node has the message. */
  isOpenFor(nodeId: string): boolean {
    return this.#open.has(nodeId);
  }

  /** A node has confirmed the message. */
  received(nodeId: string): void {
    if (this.#open.delete(nodeId)) this.#heardAt = this.#host.now();
  }

  /** A node is gone. */
  gone(nodeId: string): void {
    this.#open.delete(nodeId);
  }

  get due(): number {
    if (this.#open.size === 0) return this.#distribution.due;
    return Math.min(this.#distribution.due, this.#lastly);
  }

  wake(now: number): void {
    this.#distribution.wake(now);
    if (this.#open.size === 0 || now < this.#lastly) return;
    this.#distribution.stop();
    this.#repair([...this.#open]);
  }

  stop(): void {
    this.#open.clear();
    this.#distribution.stop();
  }

  /**
   * When the remaining receivers are sent the message directly. A relay may falsely report that it
   * has passed the message on, so only receipts count.
   */
  get #lastly(): number {
    return Math.max(this.#heardAt, this.#distribution.movedAt) + patience(this.#host, this.size);
  }

  #repair(nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) if (this.#open.delete(nodeId)) this.#host.repair(nodeId);
  }
}
