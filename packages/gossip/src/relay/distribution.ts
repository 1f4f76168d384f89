// Sends one message from this node to others. The receivers are split into parts. One node of each
// part, its relay, gets the message and passes it on to the rest of the part in the same way. If
// the relay of a part fails, the remaining receivers of the part are split again. A distribution
// owns its uploads, learns of their progress, and queues outputs of the relay machine.

import { type OutputQueue, sample } from '@trunkline/peers/internal';
import { type Random, TransportError } from '@trunkline/transport-core';
import { MOST_REST, type RelayHead, type RelayReport } from '../wire/frame.ts';
import type { RelayConfig, RelayedMessage, RelayOutput } from './factory.ts';

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
interface Part {
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

// A message of this node that relays distribute. It is kept until all receivers have it, and sent
// directly to receivers that don't confirm it in time. A shipment owns the list of those receivers,
// and queues outputs of the relay machine.

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

// A long message on its way through this node. It is stored once, and any number of readers read
// the part that has arrived, each at its own pace.

/** The bytes of a message that have arrived so far. */
export class RelayBuffer {
  readonly bytes: Uint8Array;
  #length: number;
  #error: unknown = undefined;

  /**
   * @param bytes memory for the whole message; readers get views of it.
   * @param length number of bytes that are present already: all of them for a message of this node.
   */
  constructor(bytes: Uint8Array, length = 0) {
    this.bytes = bytes;
    this.#length = length;
  }

  /** Number of bytes that have arrived. */
  get length(): number {
    return this.#length;
  }

  get isWhole(): boolean {
    return this.#length === this.bytes.length;
  }

  /** The reason why no more bytes will come; undefined if there is none. */
  get error(): unknown {
    return this.#error;
  }

  /**
   * Adds the next bytes. Returns false if they would make the message too long, or if the message
   * has failed.
   */
  append(chunk: Uint8Array): boolean {
    if (this.#error !== undefined || this.#length + chunk.length > this.bytes.length) return false;
    this.bytes.set(chunk, this.#length);
    this.#length += chunk.length;
    return true;
  }

  /**
   * Marks the message as failed, because no more bytes will come: after the bytes that have
   * arrived, `read` returns undefined. Only the first error counts; it must not be undefined. A
   * message that is complete cannot fail.
   */
  fail(error: unknown): void {
    if (!this.isWhole) this.#error ??= error;
  }
}

/** The position of one receiver in a message, and how fast the receiver reads. */
class RelayBufferReader {
  readonly #buffer: RelayBuffer;
  readonly #begunAt: number;
  #at = 0;
  #starvedFor = 0;
  #movedAt: number;
  #isStarved = false;

  constructor(buffer: RelayBuffer, now: number) {
    this.#buffer = buffer;
    this.#begunAt = this.#movedAt = now;
  }

  /** Number of bytes that were read. */
  get length(): number {
    return this.#at;
  }

  /**
   * Time at which reading began, plus the time that the reader spent waiting for bytes to arrive,
   * so that `length / (now - begunAt)` is the receiver's own rate. While `isStarved`, the current
   * wait is not included.
   */
  get begunAt(): number {
    return this.#begunAt + this.#starvedFor;
  }

  /** Time at which the receiver last asked for more, or got more after a wait. */
  get movedAt(): number {
    return this.#movedAt;
  }

  /** True while the receiver asks for more than has arrived. */
  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** True if the whole message was read. */
  get isThrough(): boolean {
    return this.#at === this.#buffer.bytes.length;
  }

  /**
   * Reads the next chunk. Call it when the receiver asks for more; for a starved receiver, also
   * call it after each `append` and `fail` of the buffer. Returns undefined if the whole message
   * was read, if it has failed, or if its next bytes have not arrived yet.
   */
  read(now: number): Uint8Array | undefined {
    const { bytes, length, error } = this.#buffer;
    if (this.#isStarved) this.#starvedFor += now - this.#movedAt;
    this.#movedAt = now;
    this.#isStarved = this.#at === length && !this.isThrough && error === undefined;
    if (this.#at === length) return undefined;
    const from = this.#at;
    this.#at = Math.min(from + CHUNK, length);
    return bytes.subarray(from, this.#at);
  }
}

/** Maximum size of a chunk in bytes. */
const CHUNK = 32 * 1024;

// Time limits for relays.

/** Milliseconds without progress after which a transfer counts as stuck. */
interface Timing {
  readonly stall: number;
}

/**
 * Returns the time, in milliseconds after the last visible progress, to wait for invisible work on
 * a message of this size.
 */
export function patience({ stall }: Timing, size: number): number {
  return stall + (size * 1_000) / SLOWEST;
}

/**
 * Returns the total time, in milliseconds, that a relay may take to accept that many bytes, even if
 * it makes a little progress from time to time.
 */
export function grace({ stall }: Timing, taken: number): number {
  return stall + (taken * 1_000) / TRICKLE;
}

/**
 * Returns the milliseconds within which a whole message of this size must arrive. The time is
 * longer than `grace`, because the sender may itself have to wait for the message.
 */
export function longestTransfer({ stall }: Timing, size: number): number {
  return 10 * stall + (size * 1_000) / TRICKLE;
}

/** Assumed rate, in bytes per second, at which the slowest relay does its invisible work. */
const SLOWEST = 1024 * 1024;
/** Minimum rate, in bytes per second, below which a transfer is given up. */
const TRICKLE = 64 * 1024;
