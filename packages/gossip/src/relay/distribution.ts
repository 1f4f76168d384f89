// Sends one message from this node to others. The receivers are split into parts. One node of each
// part, its relay, gets the message and passes it on to the rest of the part in the same way. If
// the relay of a part fails, the remaining receivers of the part are split again. A distribution
// owns its uploads, learns of their progress, and queues outputs of the relay machine.

import type { OutputQueue } from '@trunkline/peers/internal';
import { type Random, TransportError } from '@trunkline/transport-core';
import { sample } from '../hyparview/chance.ts';
import { MOST_REST, type RelayHead, type RelayReport } from '../wire/relay-frames.ts';
import type { RelayOutput } from './interface.ts';
import type { RelayConfig } from './options.ts';
import { type RelayBuffer, RelayBufferReader } from './relay-buffer.ts';
import { grace, patience } from './timing.ts';

/** The values that the distributions of a node share. */
export interface RelayShared {
  readonly config: Pick<RelayConfig, 'fanout' | 'stall'>;
  readonly random: Random;
  readonly outputs: OutputQueue<RelayOutput>;
  /** Returns true if a message on the topic can be uploaded to this node now. */
  readonly reaches: (nodeId: string, topic: string) => boolean;
  readonly uploads: Uploads;
}

/** The uploads of a node by their numbers, each with the distribution that it belongs to. */
export class Uploads {
  readonly #open = new Map<number, Distribution>();
  #last = 0;

  add(distribution: Distribution): number {
    this.#open.set(++this.#last, distribution);
    return this.#last;
  }

  /** Returns the distribution that an upload belongs to; undefined if the upload is over. */
  of(upload: number): Distribution | undefined {
    return this.#open.get(upload);
  }

  delete(upload: number): void {
    this.#open.delete(upload);
  }
}

/** One upload: the node that gets the message, and the nodes that it passes the message on to. */
export interface Part {
  readonly relay: string;
  readonly rest: readonly string[];
}

interface Upload extends Part {
  readonly reader: RelayBufferReader;
}

/** One message that is being sent to several nodes. */
export class Distribution {
  readonly #shared: RelayShared;
  readonly #buffer: RelayBuffer;
  readonly #head: Omit<RelayHead, 'rest'>;
  readonly #uploads = new Map<number, Upload>();
  /** The nodes that `takeMissed` returns next. */
  #missed: string[] = [];
  /** Time at which an upload that has ended last made progress. */
  #movedAt: number;

  constructor(
    shared: RelayShared,
    buffer: RelayBuffer,
    head: Omit<RelayHead, 'rest'>,
    now: number,
  ) {
    this.#shared = shared;
    this.#buffer = buffer;
    this.#head = head;
    this.#movedAt = now;
  }

  /** True if no upload is under way. */
  get isSettled(): boolean {
    return this.#uploads.size === 0;
  }

  /** Time at which an upload last made progress. */
  get movedAt(): number {
    let movedAt = this.#movedAt;
    for (const { reader } of this.#uploads.values()) movedAt = Math.max(movedAt, reader.movedAt);
    return movedAt;
  }

  /**
   * Returns the nodes that, as far as is known, will not get the message from this distribution.
   * Each node is returned only once.
   */
  takeMissed(): readonly string[] {
    if (this.#missed.length === 0) return NOBODY;
    const missed = this.#missed;
    this.#missed = [];
    return missed;
  }

  /** Begins uploads to all these nodes that can be reached; the others have missed the message. */
  send(nodes: readonly string[], now: number): void {
    const { config, random, outputs, reaches, uploads } = this.#shared;
    const near = new Set(nodes.filter((nodeId) => reaches(nodeId, this.#head.topic)));
    for (const nodeId of nodes) if (!near.has(nodeId)) this.#missed.push(nodeId);
    for (const { relay, rest } of splitRecipients([...near], config.fanout, random)) {
      const upload = uploads.add(this);
      const reader = new RelayBufferReader(this.#buffer, now);
      this.#uploads.set(upload, { relay, rest, reader });
      outputs.add({ type: 'upload', upload, to: relay, head: { ...this.#head, rest } });
    }
  }

  /** Called when the buffer has more bytes of the message, or has failed. */
  arrived(now: number): void {
    for (const [id, { reader }] of this.#uploads)
      if (reader.isStarved) this.#write(id, reader, now);
  }

  /** Called when the relay of an upload has room for more bytes. */
  pulled(id: number, now: number): void {
    this.#write(id, this.#uploads.get(id)!.reader, now);
  }

  /** Called when the relay of an upload has answered; `report` is undefined if it is malformed. */
  answered(id: number, report: RelayReport | undefined, now: number): void {
    const { relay, rest } = this.#uploads.get(id)!;
    if (report === undefined) {
      this.#shared.outputs.add({ type: 'misbehaved', peer: relay });
      return this.failed(id, now);
    }
    this.#end(id);
    if (report.outcome !== 'took') return this.send(rest, now);
    for (const nodeId of report.missed) if (rest.includes(nodeId)) this.#missed.push(nodeId);
  }

  /**
   * Called when an upload has failed. Its relay has missed the message, and other nodes relay it to
   * the rest.
   */
  failed(id: number, now: number): void {
    this.#replace(this.#end(id), now);
  }

  /** Time at which `wake` has something to do; Infinity if never. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { reader } of this.#uploads.values()) due = Math.min(due, this.#dueOf(reader));
    return due;
  }

  /** Gives up uploads that are stuck. */
  wake(now: number): void {
    for (const [id, upload] of [...this.#uploads]) {
      if (now < this.#dueOf(upload.reader)) continue;
      this.#abort(id);
      // The relay has the whole message and may still be passing it on, so its part is not given to
      // other relays.
      if (upload.reader.isThrough) this.#missed.push(upload.relay, ...upload.rest);
      else this.#replace(upload, now);
    }
  }

  /** Aborts all uploads. */
  stop(): void {
    for (const id of [...this.#uploads.keys()]) this.#abort(id);
  }

  #dueOf(reader: RelayBufferReader): number {
    const { config } = this.#shared;
    if (reader.isThrough) return reader.movedAt + patience(config, this.#buffer.bytes.length);
    // The relay is not to blame for the wait: this node itself waits for its sender, for which
    // separate deadlines apply.
    if (reader.isStarved) return Number.POSITIVE_INFINITY;
    return Math.min(reader.movedAt + config.stall, reader.begunAt + grace(config, reader.length));
  }

  #write(upload: number, reader: RelayBufferReader, now: number): void {
    const { outputs } = this.#shared;
    const chunk = reader.read(now);
    if (chunk !== undefined) outputs.add({ type: 'write', upload, chunk });
    else if (!reader.isStarved) outputs.add({ type: 'finish', upload, error: this.#buffer.error });
  }

  #replace({ relay, rest }: Part, now: number): void {
    this.#missed.push(relay);
    if (this.#buffer.error === undefined) this.send(rest, now);
    else this.#missed.push(...rest);
  }

  #abort(upload: number): void {
    this.#end(upload);
    this.#shared.outputs.add({ type: 'abort', upload, error: STUCK });
  }

  #end(id: number): Upload {
    const upload = this.#uploads.get(id)!;
    this.#movedAt = this.movedAt;
    this.#uploads.delete(id);
    this.#shared.uploads.delete(id);
    return upload;
  }
}

/**
 * Splits the nodes at random into `fanout` parts of about equal size, each with a random relay, or
 * into more parts if these would be too long. Every part is shorter than the list that it comes
 * from, so the tree is finite no matter how its nodes behave.
 */
export function splitRecipients(nodes: readonly string[], fanout: number, random: Random): Part[] {
  const mixed = sample(nodes, nodes.length, random);
  const count = Math.min(nodes.length, Math.max(fanout, Math.ceil(nodes.length / (MOST_REST + 1))));
  return mixed
    .slice(0, count)
    .map((relay, i) => ({ relay, rest: mixed.filter((_, at) => at >= count && at % count === i) }));
}

const NOBODY: readonly string[] = [];
const STUCK = new TransportError('deadline_exceeded', 'a relay of the message is stuck');
