// One message on its way from this node to others, in parts. A part whose relay fails is split anew among those that are left of it.

import { type Random, TransportError } from '@trunkline/transport-core';
import type { Cargo, CargoReader } from './cargo.ts';
import { type Part, splitRecipients } from './plan.ts';
import { grace, patience, type Timing } from './timing.ts';
import type { RelayReport } from './wire.ts';

export interface DistributionHost extends Timing {
  readonly fanout: number;
  readonly random: Random;
  now(): number;
  /** Can it be sent this now? */
  reaches(nodeId: string): boolean;
  /** Resolves to what became of it; rejects where it was refused, or nobody knows. */
  upload(part: Part, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<RelayReport>;
  /** These do not get it from here, as far as is known. */
  missed(nodeIds: readonly string[]): void;
  /** Something is due earlier, or nothing is under way any more. */
  changed(): void;
}

interface Child {
  readonly part: Part;
  readonly reader: CargoReader;
  readonly controller: AbortController;
}

export class Distribution {
  readonly #cargo: Cargo;
  readonly #host: DistributionHost;
  readonly #children = new Set<Child>();
  #movedAt: number;
  #waiting: (() => void)[] = [];

  constructor(cargo: Cargo, host: DistributionHost) {
    this.#cargo = cargo;
    this.#host = host;
    this.#movedAt = host.now();
  }

  /** Nothing is under way. */
  get isSettled(): boolean {
    return this.#children.size === 0;
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.isSettled ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** When something went on last. */
  get movedAt(): number {
    let movedAt = this.#movedAt;
    for (const { reader } of this.#children) movedAt = Math.max(movedAt, reader.movedAt);
    return movedAt;
  }

  send(nodes: readonly string[]): void {
    const { fanout, random } = this.#host;
    const near = nodes.filter((nodeId) => this.#host.reaches(nodeId));
    if (near.length < nodes.length) this.#host.missed(nodes.filter((nodeId) => !near.includes(nodeId)));
    for (const part of splitRecipients(near, fanout, random)) this.#begin(part);
  }

  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { reader } of this.#children) due = Math.min(due, this.#dueOf(reader));
    return due;
  }

  /** Gives up those that are stuck. */
  wake(now: number): void {
    for (const child of [...this.#children]) {
      const { part, reader } = child;
      if (now < this.#dueOf(reader)) continue;
      this.#end(child);
      child.controller.abort(STUCK);
      // Who has it as a whole and does not say what came of it may be at work still.
      if (reader.isThrough) this.#host.missed([part.relay, ...part.rest]);
      else this.#replace(part);
      this.#settle();
    }
  }

  /** Nothing more is sent. */
  stop(): void {
    for (const child of [...this.#children]) {
      this.#end(child);
      child.controller.abort(STUCK);
    }
    this.#settle();
  }

  #dueOf(reader: CargoReader): number {
    if (reader.isThrough) return reader.movedAt + patience(this.#host, this.#cargo.bytes.length);
    // It is not its fault: who sends this node the message is watched.
    if (reader.isStarved) return Number.POSITIVE_INFINITY;
    return Math.min(reader.movedAt + this.#host.stall, reader.begunAt + grace(this.#host, reader.length));
  }

  #begin(part: Part): void {
    const child: Child = { part, reader: this.#cargo.read(() => this.#host.now()), controller: new AbortController() };
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
    if (this.#cargo.error === undefined) this.send(rest);
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
