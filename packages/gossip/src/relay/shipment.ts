// A message of this node's own that relays spread: it is kept until all have it, and sent directly to those who do not say so in time.

import { Cargo } from './cargo.ts';
import { Distribution, type DistributionHost } from './distribution.ts';
import { patience } from './timing.ts';

export interface ShipmentHost extends Omit<DistributionHost, 'missed'> {
  /** It was to come by relays, and is to go directly. */
  repair(nodeId: string): void;
}

export class Shipment {
  readonly size: number;
  readonly #host: ShipmentHost;
  readonly #distribution: Distribution;
  /** Those that have not said that they have it. */
  readonly #open: Set<string>;
  #heardAt: number;

  constructor(frame: Uint8Array, to: readonly string[], host: ShipmentHost) {
    this.size = frame.length;
    this.#host = host;
    this.#open = new Set(to);
    this.#heardAt = host.now();
    this.#distribution = new Distribution(new Cargo(frame, frame.length), { ...host, missed: (nodeIds) => this.#repair(nodeIds) });
    this.#distribution.send(to);
  }

  /** Nobody waits for it any more. */
  get isOver(): boolean {
    return this.#open.size === 0 && this.#distribution.isSettled;
  }

  /** It is not known yet whether a node has it. */
  isOpenFor(nodeId: string): boolean {
    return this.#open.has(nodeId);
  }

  /** A node has it. */
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

  /** Whom nothing is heard from until then is sent it directly: for a relay can say that it has passed it on, and lie. */
  get #lastly(): number {
    return Math.max(this.#heardAt, this.#distribution.movedAt) + patience(this.#host, this.size);
  }

  #repair(nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) if (this.#open.delete(nodeId)) this.#host.repair(nodeId);
  }
}
