// The long messages that are being relayed at this node: this node's own messages (shipments), and
// messages of other nodes that it receives and passes on (transits). This machine owns both, and
// limits their number and memory. Its inputs are messages to send, messages that peers offer, the progress of
// uploads and downloads, and the time. Its outputs start, feed and end transfers.

import { dropOldest, type Machine, OutputQueue } from '@trunkline/peers/internal';
import { type Random, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { MOST_HOPS } from '../plumtree/message.ts';
import type { RelaySnapshot } from '../snapshots.ts';
import { decodePush, type Envelope, type RelayHead, type RelayReport } from '../wire/frame.ts';
import {
  Distribution,
  longestTransfer,
  RelayBuffer,
  type RelayShared,
  Shipment,
  Uploads,
} from './distribution.ts';
import type {
  OfferedInput,
  RelayConfig,
  RelayedMessage,
  RelayInput,
  RelayOutput,
} from './factory.ts';

/** The arguments of a relay machine. */
interface RelaysInit {
  /** The node id of this node. */
  readonly self: string;
  readonly config: RelayConfig;
  readonly random: Random;
  /** Returns true if a message on the topic can be uploaded to this node now. */
  readonly reaches: (nodeId: string, topic: string) => boolean;
}

/** Relaying at one node. */
export class Relays implements Machine<RelayInput, RelayOutput> {
  readonly #self: string;
  readonly #config: RelayConfig;
  readonly #outputs = new OutputQueue<RelayOutput>();
  readonly #uploads = new Uploads();
  readonly #shared: RelayShared;
  /** Messages of this node, and those of others, by their topics and ids. */
  readonly #shipments = new Map<string, Shipment>();
  readonly #transits = new Map<string, Transit>();
  /** The transits whose requests have not been answered, by the numbers of their downloads. */
  readonly #downloads = new Map<number, Transit>();
  /** Messages that relays brought and that the topic may not have checked yet, the oldest first. */
  readonly #here = new Set<string>();
  /** Number of direct messages to receivers of shipments that are over. */
  #repaired = 0;

  constructor({ self, config, random, reaches }: RelaysInit) {
    this.#self = self;
    this.#config = config;
    this.#shared = { config, random, reaches, outputs: this.#outputs, uploads: this.#uploads };
  }

  /** Returns true if a message of that size to that many receivers goes by way of relays. */
  wants(size: number, receivers: number): boolean {
    return size > this.#config.above && receivers > this.#config.fanout;
  }

  /** Returns true if there is room for one more message of this node, with a frame of that size. */
  hasRoom(bytes: number): boolean {
    return this.#hasRoom(this.#shipments, bytes);
  }

  handle(now: number, input: RelayInput): void {
    switch (input.type) {
      case 'send':
        this.#send(input.message, input.to, now);
        break;
      case 'confirmed':
        this.#shipments.get(keyOf(input.receipt))?.confirmed(input.from, now);
        break;
      case 'peer-down':
        for (const shipment of this.#shipments.values()) shipment.gone(input.peer);
        break;
      case 'offered':
        this.#offered(input, now);
        break;
      case 'received':
        this.#downloads.get(input.download)?.received(input.chunk, now);
        break;
      case 'ended':
        this.#downloads.get(input.download)?.ended(input.error, now);
        break;
      case 'delivered':
        this.#delivered(input.download, input.isAccepted);
        break;
      case 'pulled':
        this.#uploads.of(input.upload)?.pulled(input.upload, now);
        break;
      case 'answered':
        this.#uploads.of(input.upload)?.answered(input.upload, input.report, now);
        break;
      case 'upload-failed':
        this.#uploads.of(input.upload)?.failed(input.upload, now);
        break;
      case 'wake':
        for (const shipment of this.#shipments.values())
          if (now >= shipment.due) shipment.wake(now);
        for (const transit of this.#transits.values()) if (now >= transit.due) transit.wake(now);
        break;
      case 'close':
        for (const shipment of this.#shipments.values()) shipment.stop();
        for (const transit of this.#transits.values()) transit.stop(now);
        break;
    }
    this.#settle();
  }

  poll(): RelayOutput | undefined {
    return this.#outputs.poll();
  }

  get wakeAt(): number {
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const { due } of this.#shipments.values()) wakeAt = Math.min(wakeAt, due);
    for (const { due } of this.#transits.values()) wakeAt = Math.min(wakeAt, due);
    return wakeAt;
  }

  /** Returns the number and the bytes of this node's messages that a peer may not have yet. */
  unsent(nodeId: string): { readonly messages: number; readonly bytes: number } {
    return totalOf([...this.#shipments.values()].filter((shipment) => shipment.isOpenFor(nodeId)));
  }

  snapshot(): RelaySnapshot {
    let repaired = this.#repaired;
    for (const shipment of this.#shipments.values()) repaired += shipment.repaired;
    const own = totalOf(this.#shipments.values());
    return { own, others: totalOf(this.#transits.values()), repaired };
  }

  #hasRoom(taken: ReadonlyMap<string, { readonly size: number }>, bytes: number): boolean {
    const total = totalOf(taken.values());
    return total.messages < MOST_MESSAGES && total.bytes + bytes <= this.#config.memory;
  }

  #send(message: RelayedMessage, to: readonly string[], now: number): void {
    const { topic, push } = message;
    const key = keyOf({ topic: topic.hex, id: push.id });
    this.#shipments.set(key, new Shipment(this.#shared, message, to, now));
  }

  #offered({ download, from, head, topic }: OfferedInput, now: number): void {
    if (
      head === undefined ||
      [this.#self, from, head.id.origin].some((nodeId) => head.rest.includes(nodeId))
    ) {
      this.#outputs.add({ type: 'misbehaved', peer: from });
      const text = 'a relayed message has a malformed header';
      return this.#refuse(download, new TransportError('invalid_argument', text));
    }
    if (topic === undefined) {
      const text = 'this node is not on the topic of a relayed message';
      return this.#refuse(download, new TransportError('not_found', text));
    }
    if (head.size > topic.limit + MOST_HEAD) {
      const text = `a relayed message of ${head.size} bytes is above the limit of its topic`;
      return this.#refuse(download, reasonError('too_large', text));
    }
    const key = keyOf(head);
    if (this.#transits.has(key)) return this.#answer(download, 'busy');
    if (head.id.origin === this.#self) return this.#answer(download, 'had');
    if (this.#here.has(key) || topic.isKnown) {
      this.#acknowledge(head);
      return this.#answer(download, 'had');
    }
    if (topic.needsOrigin) {
      const text = 'the publisher of a relayed message has restarted and must send it directly';
      return this.#refuse(download, new TransportError('failed_precondition', text));
    }
    if (!this.#hasRoom(this.#transits, head.size)) {
      const text = 'too many messages are being relayed by this node';
      return this.#refuse(download, new TransportError('resource_exhausted', text));
    }
    const transit = new Transit(this.#shared, { download, from, head }, now);
    this.#transits.set(key, transit);
    this.#downloads.set(download, transit);
  }

  /**
   * Called when the topic has accepted or refused a message. A refused message, such as a forged
   * one, is not acknowledged, so that its origin sends the true message.
   */
  #delivered(download: number, isAccepted: boolean): void {
    const transit = this.#downloads.get(download);
    transit?.delivered();
    if (transit === undefined || !isAccepted) return;
    this.#here.add(keyOf(transit.head));
    dropOldest(this.#here, MOST_HERE);
    this.#acknowledge(transit.head);
  }

  #acknowledge({ topic, id }: Topical): void {
    this.#outputs.add({ type: 'acknowledge', to: id.origin, receipt: { topic, id } });
  }

  #answer(download: number, outcome: RelayReport['outcome']): void {
    this.#outputs.add({ type: 'answer', download, report: { outcome, missed: [] } });
  }

  #refuse(download: number, error: TransportError): void {
    this.#outputs.add({ type: 'refuse', download, error });
  }

  /**
   * Sends messages directly to receivers that relays did not reach, and forgets messages that are
   * over.
   */
  #settle(): void {
    for (const [key, shipment] of this.#shipments) {
      shipment.repair();
      if (!shipment.isOver) continue;
      this.#shipments.delete(key);
      this.#repaired += shipment.repaired;
    }
    for (const [key, transit] of this.#transits) {
      if (!transit.isOver) continue;
      transit.answer();
      this.#transits.delete(key);
      this.#downloads.delete(transit.download);
    }
  }
}

/** Returns the number of messages and their bytes. */
function totalOf(messages: Iterable<{ readonly size: number }>) {
  const total = { messages: 0, bytes: 0 };
  for (const { size } of messages) {
    total.messages++;
    total.bytes += size;
  }
  return total;
}

interface Topical {
  readonly topic: string;
  readonly id: MessageId;
}

function keyOf({ topic, id }: Topical): string {
  return `${topic}/${messageKey(id)}`;
}

/**
 * Maximum number of messages that are relayed at a time; this node's own and those of others are
 * counted separately.
 */
const MOST_MESSAGES = 64;
/** Maximum number of messages that are remembered as brought by relays. */
const MOST_HERE = 1_024;
/**
 * Maximum size, in bytes, of the parts of a frame other than its payload, such as its recipients.
 */
const MOST_HEAD = 64 * 1024;

// A message that a relay, or its origin, sends to this node to be passed on. It is passed on while
// it arrives. A transit owns the download and its deadlines, and queues outputs of the relay
// machine.

/** The download of a transit: its number, its sender, and the head of the message. */
export interface Download {
  readonly download: number;
  readonly from: string;
  readonly head: RelayHead;
}

/** One message of another node that is being received and passed on. */
class Transit {
  /** The number of the download. */
  readonly download: number;
  readonly head: RelayHead;
  /** Size of its frame in bytes. */
  readonly size: number;
  readonly #shared: RelayShared;
  readonly #from: string;
  readonly #buffer: RelayBuffer;
  readonly #distribution: Distribution;
  readonly #end: number;
  #movedAt: number;
  /** `failed`: the request has been refused, but uploads are still under way. */
  #phase: 'receiving' | 'delivering' | 'passing-on' | 'failed' = 'receiving';

  constructor(shared: RelayShared, { download, from, head }: Download, now: number) {
    this.head = head;
    this.size = head.size;
    this.#shared = shared;
    this.download = download;
    this.#from = from;
    this.#buffer = new RelayBuffer(new Uint8Array(head.size));
    this.#movedAt = now;
    this.#end = now + longestTransfer(shared.config, head.size);
    const { topic, id, size } = head;
    const hops = Math.min(head.hops + 1, MOST_HOPS);
    this.#distribution = new Distribution(shared, this.#buffer, { topic, id, hops, size }, now);
    this.#distribution.send(head.rest, now);
    shared.outputs.add({ type: 'receive', download });
  }

  /** Called when the next bytes of the message have arrived. */
  received(chunk: Uint8Array, now: number): void {
    if (this.#phase !== 'receiving') return;
    if (!this.#buffer.append(chunk)) {
      this.#shared.outputs.add({ type: 'misbehaved', peer: this.#from });
      return this.#fail(this.#wrong('is longer than declared'), now);
    }
    if (chunk.length > 0) this.#movedAt = now;
    this.#distribution.arrived(now);
  }

  /**
   * Called when the download has ended or failed. If the whole message has arrived, hands it to its
   * topic.
   */
  ended(error: unknown, now: number): void {
    const isOpen = this.#phase === 'receiving' || this.#phase === 'delivering';
    if (isOpen && error !== undefined) return this.#fail(error, now);
    if (this.#phase !== 'receiving') return;
    if (!this.#buffer.isWhole) return this.#fail(this.#wrong('ended too early'), now);
    const { head } = this;
    const envelope = decodePush(this.#buffer.bytes);
    if (envelope !== undefined && isOf(envelope, head)) {
      this.#phase = 'delivering';
      return this.#shared.outputs.add({
        type: 'deliver',
        download: this.download,
        from: this.#from,
        envelope: { ...envelope, hops: head.hops },
      });
    }
    this.#phase = 'passing-on';
    // Relays pass the message on before they can detect that, so only the origin is to blame.
    if (this.#from === head.id.origin)
      this.#shared.outputs.add({ type: 'misbehaved', peer: this.#from });
  }

  /** Called when the topic has accepted or refused the message. */
  delivered(): void {
    if (this.#phase === 'delivering') this.#phase = 'passing-on';
  }

  /** True if no upload is under way, and the message is delivered or has failed. */
  get isOver(): boolean {
    return (
      this.#distribution.isSettled && (this.#phase === 'passing-on' || this.#phase === 'failed')
    );
  }

  /** Answers the request, unless it was refused. Call it once, when the transit is over. */
  answer(): void {
    if (this.#phase === 'failed') return;
    const report = { outcome: 'took', missed: this.#distribution.takeMissed() } as const;
    this.#shared.outputs.add({ type: 'answer', download: this.download, report });
  }

  get due(): number {
    const { due } = this.#distribution;
    return this.#phase === 'receiving' ? Math.min(due, this.#latest) : due;
  }

  wake(now: number): void {
    this.#distribution.wake(now);
    if (this.#phase === 'receiving' && now >= this.#latest) this.#leave(TOO_SLOW, now);
  }

  stop(now: number): void {
    if (this.#phase === 'receiving') this.#leave(STOPPED, now);
    this.#distribution.stop();
  }

  /** Time at which the download is given up. */
  get #latest(): number {
    return Math.min(this.#movedAt + this.#shared.config.stall, this.#end);
  }

  #leave(error: TransportError, now: number): void {
    this.#shared.outputs.add({ type: 'stop', download: this.download });
    this.#fail(error, now);
  }

  #fail(error: unknown, now: number): void {
    this.#phase = 'failed';
    this.#buffer.fail(error);
    this.#distribution.arrived(now);
    this.#shared.outputs.add({ type: 'refuse', download: this.download, error });
  }

  #wrong(what: string): TransportError {
    return new TransportError(
      'invalid_argument',
      `a relayed message of ${this.#buffer.bytes.length} bytes ${what}`,
    );
  }
}

function isOf({ topic, id }: Envelope, head: RelayHead): boolean {
  return topic === head.topic && messageKey(id) === messageKey(head.id);
}

const TOO_SLOW = new TransportError('deadline_exceeded', 'a relayed message arrived too slowly');
const STOPPED = new TransportError('unavailable', 'gossip was closed on this node');
