// Sends one message from this node to others. The receivers are split into parts. One node of each
// part, its relay, gets the message and passes it on to the rest of the part in the same way. If
// the relay of a part fails, the remaining receivers of the part are split again. A distribution
// owns its uploads, and the bytes of the message that have arrived so far. It is either a shipment
// (a message of this node) or a transit (a message of another node, see relay-driver.ts).

import { sample } from '@trunkline/peers/internal';
import { type Random, TransportError } from '@trunkline/transport-core';
import type { Body } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { TopicKey } from '../protocol.ts';
import { MOST_REST, type RelayHead, type RelayReport } from '../wire/frame.ts';

/** The node that relays: the settings and actions that its transfers share. */
export interface RelayNode {
  /** The options of relaying that transfers need. */
  readonly config: { readonly fanout: number; readonly stall: number };
  readonly random: Random;
  now(): number;
  /** Returns true if a message on the topic can be uploaded to this node now. */
  reaches(nodeId: string, topic: string): boolean;
  /** Sends a message to a node. Resolves to its report; undefined if that is malformed. */
  upload(to: string, head: RelayHead, upload: Upload): Promise<RelayReport | undefined>;
  /** Sends a message directly to a receiver that did not get it from relays. */
  repair(to: string, topic: TopicKey, push: Push<Body>): void;
  /** Called when a peer has sent something that no honest peer sends. */
  misbehaved(peer: string): void;
  /** Called when a transfer has ended, so that what is missed is repaired and what is over goes. */
  changed(): void;
}

/** One upload: the node that gets the message, and the nodes that it passes the message on to. */
interface Part {
  readonly relay: string;
  readonly rest: readonly string[];
}

/**
 * One message that is being sent to several nodes. It is stored once, and any number of uploads
 * read the part that has arrived, each at its own pace.
 */
export class Distribution {
  /** Memory for the whole message; uploads get views of it. */
  readonly bytes: Uint8Array;
  /** Number of bytes that have arrived. */
  length: number;
  /** The reason why no more bytes will come; undefined if there is none. */
  error: unknown = undefined;
  protected readonly node: RelayNode;
  protected readonly head: Omit<RelayHead, 'rest'>;
  readonly #uploads = new Map<Upload, Part>();
  /** The nodes that `takeMissed` returns next. */
  readonly #missed: string[] = [];
  /** Time at which an upload that has ended last made progress. */
  #movedAt: number;

  /**
   * @param length number of bytes that are present already: all of them for a message of this node
   */
  constructor(node: RelayNode, bytes: Uint8Array, length: number, head: Omit<RelayHead, 'rest'>) {
    this.node = node;
    this.bytes = bytes;
    this.length = length;
    this.head = head;
    this.#movedAt = node.now();
  }

  /** Size of the message in bytes. */
  get size(): number {
    return this.bytes.length;
  }

  /** True if no upload is under way. */
  get isSettled(): boolean {
    return this.#uploads.size === 0;
  }

  /** Time at which an upload last made progress. */
  get movedAt(): number {
    return Math.max(this.#movedAt, ...Array.from(this.#uploads.keys(), ({ movedAt }) => movedAt));
  }

  /**
   * Returns the nodes that, as far as is known, will not get the message from this distribution.
   * Each node is returned only once.
   */
  takeMissed(): readonly string[] {
    return this.#missed.splice(0);
  }

  /** Begins uploads to all these nodes that can be reached; the others have missed the message. */
  send(nodes: readonly string[]): void {
    const { config, random } = this.node;
    const near = new Set(nodes.filter((nodeId) => this.node.reaches(nodeId, this.head.topic)));
    for (const nodeId of nodes) if (!near.has(nodeId)) this.#missed.push(nodeId);
    const parts = splitRecipients([...near], config.fanout, random);
    for (const part of parts) this.#upload(part);
  }

  #upload(part: Part): void {
    const { relay, rest } = part;
    const upload = new Upload(this, () => this.node.now());
    this.#uploads.set(upload, part);
    this.node.upload(relay, { ...this.head, rest }, upload).then(
      (report) => this.#ended(upload, () => this.#answered(part, report)),
      () => this.#ended(upload, () => this.#replace(part)),
    );
  }

  /** Handles the outcome of an upload, unless the upload was aborted. */
  #ended(upload: Upload, handle: () => void): void {
    if (!this.#end(upload)) return;
    handle();
    this.node.changed();
  }

  /** Handles the answer of a relay; `report` is undefined if it is malformed. */
  #answered(part: Part, report: RelayReport | undefined): void {
    const { relay, rest } = part;
    if (report === undefined) {
      this.#replace(part);
      this.node.misbehaved(relay);
    } else if (report.outcome !== 'took') this.send(rest);
    else for (const nodeId of report.missed) if (rest.includes(nodeId)) this.#missed.push(nodeId);
  }

  /** The relay of a part has missed the message, and other nodes relay it to the rest. */
  #replace({ relay, rest }: Part): void {
    this.#missed.push(relay);
    if (this.error === undefined) this.send(rest);
    else this.#missed.push(...rest);
  }

  get isWhole(): boolean {
    return this.length === this.size;
  }

  /**
   * Adds the next bytes. Returns false if they would make the message too long, or if the message
   * has failed.
   */
  append(chunk: Uint8Array): boolean {
    if (this.error !== undefined || this.length + chunk.length > this.size) return false;
    this.bytes.set(chunk, this.length);
    this.length += chunk.length;
    for (const upload of this.#uploads.keys()) upload.give();
    return true;
  }

  /**
   * Marks the message as failed, because no more bytes will come. Only the first error counts; it
   * must not be undefined. A message that is complete cannot fail.
   */
  fail(error: unknown): void {
    if (!this.isWhole) this.error ??= error;
    for (const upload of this.#uploads.keys()) upload.give();
  }

  /** Time at which `wake` has something to do; Infinity if never. */
  get due(): number {
    return Math.min(...Array.from(this.#uploads.keys(), (upload) => this.#dueOf(upload)));
  }

  /** Gives up uploads that are stuck. */
  wake(now: number): void {
    for (const [upload, part] of [...this.#uploads]) {
      if (now < this.#dueOf(upload)) continue;
      this.#abort(upload);
      // The relay has the whole message and may still be passing it on, so its part is not given to
      // other relays.
      if (upload.isThrough) this.#missed.push(part.relay, ...part.rest);
      else this.#replace(part);
    }
  }

  /** Aborts all uploads; their parts are not sent to anybody else. */
  stop(): void {
    for (const upload of [...this.#uploads.keys()]) this.#abort(upload);
  }

  #dueOf(upload: Upload): number {
    const { stall } = this.node.config;
    if (upload.isThrough) return upload.movedAt + limitOf(stall, this.size, SLOWEST);
    // The relay is not to blame for the wait: this node itself waits for its sender, for which
    // separate deadlines apply.
    if (upload.isStarved) return Number.POSITIVE_INFINITY;
    const latest = upload.begunAt + limitOf(stall, upload.length, TRICKLE);
    return Math.min(upload.movedAt + stall, latest);
  }

  #abort(upload: Upload): void {
    this.#end(upload);
    upload.abort(STUCK);
  }

  /** Removes an upload but keeps `movedAt`. Returns false if the upload was removed before. */
  #end(upload: Upload): boolean {
    this.#movedAt = this.movedAt;
    return this.#uploads.delete(upload);
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

const STUCK = new TransportError('deadline_exceeded', 'a relay of the message is stuck');

// A message of this node that relays distribute. It is kept until all receivers have it, and sent
// directly to receivers that don't confirm it in time. A shipment owns the list of those receivers.

/** One relayed message of this node, and the receivers that have not confirmed it. */
export class Shipment extends Distribution {
  /** The receivers that have not confirmed the message. Relays removes those that are gone. */
  readonly open: Set<string>;
  readonly #topic: TopicKey;
  readonly #push: Push<Body>;
  /** Time of the last receipt, or of the beginning. */
  #heardAt: number;

  /** @param frame the message as `encodePush` encodes it */
  constructor(
    node: RelayNode,
    topic: TopicKey,
    push: Push<Body>,
    frame: Uint8Array,
    to: readonly string[],
  ) {
    const size = frame.length;
    super(node, frame, size, { topic: topic.hex, id: push.id, hops: 1, size });
    this.open = new Set(to);
    this.#topic = topic;
    this.#push = push;
    this.#heardAt = node.now();
    this.send(to);
  }

  /** True if no receiver is open any more, and no upload is under way. */
  get isOver(): boolean {
    return this.open.size === 0 && this.isSettled;
  }

  /** Records that a node has confirmed the message. */
  confirmed(nodeId: string): void {
    if (this.open.delete(nodeId)) this.#heardAt = this.node.now();
  }

  override get due(): number {
    return this.open.size === 0 ? super.due : Math.min(super.due, this.#lastly);
  }

  override wake(now: number): void {
    super.wake(now);
    this.repair();
    if (this.open.size === 0 || now < this.#lastly) return;
    super.stop();
    this.repair([...this.open]);
  }

  override stop(): void {
    this.open.clear();
    super.stop();
  }

  /**
   * Sends the message directly to those of these nodes that have not confirmed it: by default, to
   * receivers that are known not to get it from relays.
   */
  repair(nodeIds = this.takeMissed()): void {
    for (const to of nodeIds)
      if (this.open.delete(to)) this.node.repair(to, this.#topic, this.#push);
  }

  /**
   * Time at which the message is sent directly to the remaining receivers. A relay may falsely
   * report that it has passed the message on, so only receipts count.
   */
  get #lastly(): number {
    const movedAt = Math.max(this.#heardAt, this.movedAt);
    return movedAt + limitOf(this.node.config.stall, this.size, SLOWEST);
  }
}

/**
 * The bytes of a message, as the transport takes them for one relay, and how fast the relay takes
 * them. It serves one consumer.
 */
export class Upload implements AsyncIterableIterator<Uint8Array> {
  /** Number of bytes that were taken. */
  length = 0;
  /**
   * Time at which the upload began, plus the time that the relay spent waiting for bytes to arrive,
   * so that `length / (now - begunAt)` is the relay's own rate. While `isStarved`, the current wait
   * is not included.
   */
  begunAt: number;
  /** Time at which the relay last asked for more, or at which more arrived while it waited. */
  movedAt: number;
  /** True while the relay asks for more than has arrived. */
  isStarved = false;
  readonly #message: Pick<Distribution, 'bytes' | 'length' | 'error'>;
  readonly #now: () => number;
  readonly #controller = new AbortController();
  #asker:
    | {
        readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
        readonly reject: (error: unknown) => void;
      }
    | undefined = undefined;
  #isOver = false;

  constructor(message: Pick<Distribution, 'bytes' | 'length' | 'error'>, now: () => number) {
    this.#message = message;
    this.#now = now;
    this.begunAt = this.movedAt = now();
  }

  /** Aborted when the upload is given up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True if the whole message was taken. */
  get isThrough(): boolean {
    return this.length === this.#message.bytes.length;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#asker = { resolve, reject };
      this.give();
    });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.finish();
    return Promise.resolve(DONE);
  }

  /** Gives the next bytes to a consumer that asks for them, if they have arrived. */
  give(): void {
    const asker = this.#asker;
    if (asker === undefined) return;
    const { bytes, length, error } = this.#message;
    const now = this.#now();
    if (this.isStarved) this.begunAt += now - this.movedAt;
    this.movedAt = now;
    this.isStarved = this.length === length && !this.isThrough && error === undefined;
    if (this.isStarved) return;
    if (this.isThrough) return this.finish();
    this.#asker = undefined;
    if (this.length === length) {
      this.#isOver = true;
      return asker.reject(error);
    }
    const from = this.length;
    this.length = Math.min(from + CHUNK, length);
    asker.resolve({ done: false, value: bytes.subarray(from, this.length) });
  }

  /** Ends the upload: no more bytes follow. */
  finish(): void {
    this.#isOver = true;
    this.#asker?.resolve(DONE);
    this.#asker = undefined;
  }

  /** Gives the upload up: aborts the call, which then rejects. */
  abort(error: TransportError): void {
    this.#controller.abort(error);
    this.finish();
  }
}

/** Maximum size of a chunk in bytes. */
const CHUNK = 32 * 1024;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

// Time limits for relays.

/** Returns the milliseconds that a transfer may take: `least`, and more for each of its bytes. */
export function limitOf(least: number, bytes: number, rate: number): number {
  return least + (bytes * 1_000) / rate;
}

/**
 * Assumed rate, in bytes per second, at which the slowest relay does work that this node can't see,
 * such as passing on a message that it has.
 */
const SLOWEST = 1024 * 1024;
/**
 * Minimum rate, in bytes per second, below which a transfer is given up, even if it makes a little
 * progress from time to time.
 */
export const TRICKLE = 64 * 1024;
