// Sends one message from this node to others, in parts. If the relay of a part fails, its remaining
// receivers are split into parts again.

import { type Random, TransportError } from '@trunkline/transport-core';
import type { RelayReport } from '../wire/relay-frames.ts';
import { type Part, splitRecipients } from './plan.ts';
import type { RelayBuffer, RelayBufferReader } from './relay-buffer.ts';
import { grace, patience, type Timing } from './timing.ts';

/** The settings of a distribution, and the functions that it calls. */
export interface DistributionHost extends Timing {
  readonly fanout: number;
  readonly random: Random;
  now(): number;
  /** Returns true if a message can be sent to this node now. */
  reaches(nodeId: string): boolean;
  /**
   * Uploads the message to the relay of a part. Resolves to its report; rejects if the message was
   * refused, or the outcome is unknown.
   */
  upload(part: Part, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<RelayReport>;
  /** These nodes do not get the message from here, as far as is known. */
  missed(nodeIds: readonly string[]): void;
  /** Something is due earlier, or no transfer is under way any more. */
  changed(): void;
}

interface Child {
  readonly part: Part;
  readonly reader: RelayBufferReader;
  readonly controller: AbortController;
}

/** One message that is being sent to several nodes. */
export class Distribution {
  readonly #buffer: RelayBuffer;
  readonly #host: DistributionHost;
  readonly #children = new Set<Child>();
  #movedAt: number;
  #waiting: (() => void)[] = [];

  constructor(buffer: RelayBuffer, host: DistributionHost) {
    this.#buffer = buffer;
    this.#host = host;
    this.#movedAt = host.now();
  }

  /** True if no transfer is under way. */
  get isSettled(): boolean {
    return this.#children.size === 0;
  }

  /** Resolves when no transfer is under way. */
  settled(): Promise<void> {
    return this.isSettled
      ? Promise.resolve()
      : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** When a transfer last made progress. */
  get movedAt(): number {
    let movedAt = this.#movedAt;
    for (const { reader } of this.#children) movedAt = Math.max(movedAt, reader.movedAt);
    return movedAt;
  }

  send(nodes: readonly string[]): void {
    const { fanout, random } = this.#host;
    const near = nodes.filter((nodeId) => this.#host.reaches(nodeId));
    if (near.length < nodes.length)
      this.#host.missed(nodes.filter((nodeId) => !near.includes(nodeId)));
    for (const part of splitRecipients(near, fanout, random)) this.#begin(part);
  }

  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { reader } of this.#children) due = Math.min(due, this.#dueOf(reader));
    return due;
  }

  /** Gives up transfers that are stuck. */
  wake(now: number): void {
    for (const child of [...this.#children]) {
      const { part, reader } = child;
      if (now < this.#dueOf(reader)) continue;
      this.#end(child);
      child.controller.abort(STUCK);
      // The relay has the whole message and may still be passing it on, so its part is not given to
      // other relays.
      if (reader.isThrough) this.#host.missed([part.relay, ...part.rest]);
      else this.#replace(part);
      this.#settle();
    }
  }

  /** Aborts all transfers. */
  stop(): void {
    for (const child of [...this.#children]) {
      this.#end(child);
      child.controller.abort(STUCK);
    }
    this.#settle();
  }

  #dueOf(reader: RelayBufferReader): number {
    if (reader.isThrough) return reader.movedAt + patience(this.#host, this.#buffer.bytes.length);
    // The relay is not to blame for waiting. The sender that this node waits for has deadlines of
    // its own.
    if (reader.isStarved) return Number.POSITIVE_INFINITY;
    return Math.min(
      reader.movedAt + this.#host.stall,
      reader.begunAt + grace(this.#host, reader.length),
    );
  }

  #begin(part: Part): void {
    const child: Child = {
      part,
      reader: this.#buffer.read(() => this.#host.now()),
      controller: new AbortController(),
    };
    this.#children.add(child);
    this.#host.upload(part, child.reader, child.controller.signal).then(
      (report) => this.#answered(child, report),
      () => this.#failed(child),
    );
    this.#host.changed();
  }

  #answered(child: Child, { outcome, missed }: RelayReport): void {
    if (!this.#end(child)) return;
    const { rest } = child.part;
    if (outcome === 'took') this.#host.missed(missed.filter((nodeId) => rest.includes(nodeId)));
    else this.send(rest);
    this.#settle();
  }

  #failed(child: Child): void {
    if (!this.#end(child)) return;
    this.#replace(child.part);
    this.#settle();
  }

  #replace({ relay, rest }: Part): void {
    this.#host.missed([relay]);
    if (this.#buffer.error === undefined) this.send(rest);
    else this.#host.missed(rest);
  }

  #end(child: Child): boolean {
    this.#movedAt = this.movedAt;
    return this.#children.delete(child);
  }

  #settle(): void {
    this.#host.changed();
    if (!this.isSettled) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const STUCK = new TransportError('deadline_exceeded', 'a relay of the message is stuck');
