// The long messages that are being relayed at this node: its own, and those of others that it
// receives and passes on.

import {
  type Clock,
  type Random,
  type Remote,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { Body } from '../overlay/body.ts';
import { MOST_HOPS, type Push } from '../plumtree/message.ts';
import type { gossipProtocol } from '../protocol.ts';
import type { RelaySnapshot } from '../snapshots.ts';
import type { TopicMembers } from '../topics/session-host.ts';
import type { TopicKey } from '../topics/topic-key.ts';
import type { Unsent } from '../types.ts';
import { decodePush, type Envelope, encodePush } from '../wire/frame.ts';
import {
  decodeHead,
  decodeReport,
  encodeHead,
  encodeReceipt,
  encodeReport,
  type Receipt,
  type RelayHead,
  type RelayReport,
} from '../wire/relay-frames.ts';
import type { RelayConfig } from './options.ts';
import type { Part } from './plan.ts';
import { Shipment } from './shipment.ts';
import { Transit } from './transit.ts';

/** The functions that relaying calls: those of the driver. */
export interface RelayHost {
  readonly self: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Topics of this node by their keys, in hex. */
  readonly sessions: ReadonlyMap<string, RelayTopic>;
  readonly members: Pick<TopicMembers, 'isOn' | 'push' | 'acknowledge'> & {
    /** Returns the connection to a peer; undefined if there is none. */
    remoteOf(nodeId: string): Remote | undefined;
  };
  misbehaved(nodeId: string): void;
  /** Something is due earlier than before. */
  soon(): void;
}

/** A topic of this node. */
export interface RelayTopic {
  readonly limit: number;
  /** A message could not be sent to a peer. */
  unsent(reason: Unsent, push: Pick<Push<Body>, 'id' | 'size'>, to: string): void;
  /** Returns true if a message is known already. */
  isKnown(id: MessageId, now: number): boolean;
  /**
   * A message has arrived as a whole. Returns false if it was refused at once, so that the true
   * message under its id may still come.
   */
  relayed(from: string, envelope: Envelope, now: number): boolean;
}

/** Relaying at one node. */
export class Relays {
  readonly #config: RelayConfig;
  readonly #mount: Transport<typeof gossipProtocol>;
  readonly #host: RelayHost;
  readonly #shipments = new Map<string, Shipment>();
  readonly #transits = new Map<string, Transit>();
  readonly #ownBudget: Budget;
  readonly #othersBudget: Budget;
  /** Messages that came by relays, and may not have been looked at yet; the oldest first. */
  readonly #here = new Set<string>();
  /** Connections to peers that don't support relaying. */
  readonly #unable = new WeakSet<Remote>();
  #repaired = 0;

  constructor(config: RelayConfig, mount: Transport<typeof gossipProtocol>, host: RelayHost) {
    this.#config = config;
    this.#mount = mount;
    this.#host = host;
    this.#ownBudget = new Budget(MOST_MESSAGES, config.memory);
    this.#othersBudget = new Budget(MOST_MESSAGES, config.memory);
  }

  // This node's own messages.

  /**
   * Sends a message by way of relays. Returns false if it must go to each node directly instead: it
   * is too short, has too few receivers, or exceeds the limits of what is relayed.
   */
  send(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean {
    const { above, fanout } = this.#config;
    if (push.size <= above || to.length <= fanout) return false;
    const frame = encodePush(topic.bytes, push);
    if (!this.#ownBudget.take(frame.length)) return false;
    const head = { topic: topic.hex, id: push.id, hops: 1, size: frame.length };
    const shipment = new Shipment(frame, to, {
      ...this.#distributing(head),
      repair: (nodeId) => {
        this.#repaired++;
        const reason = this.#host.members.push(nodeId, topic, push);
        if (reason !== undefined) this.#host.sessions.get(topic.hex)?.unsent(reason, push, nodeId);
      },
    });
    this.#shipments.set(keyOf(head), shipment);
    this.#tidy();
    this.#host.soon();
    return true;
  }

  /** A peer confirms that it has a message. */
  received(receipt: Receipt, from: string): void {
    this.#shipments.get(keyOf(receipt))?.received(from);
    this.#tidy();
  }

  /** Messages of this node, and their bytes, that a peer may not have yet. */
  unsent(nodeId: string): { readonly messages: number; readonly bytes: number } {
    const unsent = { messages: 0, bytes: 0 };
    for (const shipment of this.#shipments.values()) {
      if (!shipment.isOpenFor(nodeId)) continue;
      unsent.messages++;
      unsent.bytes += shipment.size;
    }
    return unsent;
  }

  /** A peer is gone. */
  gone(nodeId: string): void {
    for (const shipment of this.#shipments.values()) shipment.gone(nodeId);
    this.#tidy();
  }

  // Messages of others.

  /**
   * Receives a message and passes it on while it comes. Resolves to an encoded report when both are
   * over. Rejects if the message is refused.
   */
  async receive(
    from: string,
    request: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Uint8Array> {
    const { self, sessions } = this.#host;
    const head = decodeHead(request);
    if (
      head === undefined ||
      [self, from, head.id.origin].some((nodeId) => head.rest.includes(nodeId))
    ) {
      this.#host.misbehaved(from);
      throw new TransportError('invalid_argument', 'a relayed message has a malformed header');
    }
    const topic = sessions.get(head.topic);
    if (topic === undefined)
      throw new TransportError('not_found', 'this node is not on the topic of a relayed message');
    if (head.size > topic.limit + MOST_HEAD)
      throw reasonError(
        'too_large',
        `a relayed message of ${head.size} bytes is above the limit of its topic`,
      );
    const key = keyOf(head);
    if (this.#transits.has(key)) return report('busy');
    if (head.id.origin === self) return report('had');
    if (this.#here.has(key) || topic.isKnown(head.id, this.#host.clock.now())) {
      this.#acknowledge(head);
      return report('had');
    }
    if (!this.#othersBudget.take(head.size))
      throw new TransportError(
        'resource_exhausted',
        'too many messages are being relayed by this node',
      );
    const transit = new Transit(head.size, {
      ...this.#distributing({ ...head, hops: Math.min(head.hops + 1, MOST_HOPS) }),
      misbehaved: () => this.#host.misbehaved(from),
    });
    this.#transits.set(key, transit);
    try {
      this.#arrived(from, head, await transit.receive(chunks, head.rest));
      return report('took', await transit.passedOn());
    } finally {
      // Transfers that began before a failure end first, because they read from the same memory.
      void transit.passedOn().then(() => {
        this.#transits.delete(key);
        this.#othersBudget.give(head.size);
      });
    }
  }

  #arrived(from: string, head: RelayHead, frame: Uint8Array): void {
    const envelope = decodePush(frame);
    if (envelope === undefined || keyOf(envelope) !== keyOf(head)) {
      // Relays pass the message on before they can see that, so only the origin is to blame.
      if (from === head.id.origin) this.#host.misbehaved(from);
      return;
    }
    // A forged message is not acknowledged, so that its origin sends the true one.
    if (
      this.#host.sessions
        .get(head.topic)
        ?.relayed(from, { ...envelope, hops: head.hops }, this.#host.clock.now()) !== true
    )
      return;
    this.#here.add(keyOf(head));
    if (this.#here.size > MOST_HERE) {
      for (const oldest of this.#here) {
        this.#here.delete(oldest);
        break;
      }
    }
    this.#acknowledge(head);
  }

  #acknowledge(head: RelayHead): void {
    this.#host.members.acknowledge(head.id.origin, encodeReceipt(head));
  }

  // Both kinds.

  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const each of [...this.#shipments.values(), ...this.#transits.values()])
      due = Math.min(due, each.due);
    return due;
  }

  wake(now: number): void {
    for (const each of [...this.#shipments.values(), ...this.#transits.values()])
      if (now >= each.due) each.wake(now);
    this.#tidy();
  }

  close(): void {
    for (const each of [...this.#shipments.values(), ...this.#transits.values()]) each.stop();
    this.#tidy();
  }

  snapshot(): RelaySnapshot {
    const [own, others] = [this.#ownBudget, this.#othersBudget].map(({ messages, bytes }) => ({
      messages,
      bytes,
    })) as [RelaySnapshot['own'], RelaySnapshot['own']];
    return { own, others, repaired: this.#repaired };
  }

  #distributing(head: Omit<RelayHead, 'rest'>) {
    const { clock, random } = this.#host;
    const { fanout, stall } = this.#config;
    return {
      fanout,
      stall,
      random,
      now: () => clock.now(),
      reaches: (nodeId: string) => this.#reaches(nodeId, head.topic),
      upload: (part: Part, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal) =>
        this.#upload({ ...head, rest: part.rest }, part.relay, chunks, signal),
      changed: () => {
        this.#tidy();
        this.#host.soon();
      },
    };
  }

  #reaches(nodeId: string, topic: string): boolean {
    const remote = this.#host.members.remoteOf(nodeId);
    return (
      remote !== undefined &&
      !this.#unable.has(remote) &&
      this.#host.members.isOn(nodeId, topic) === true
    );
  }

  async #upload(
    head: RelayHead,
    to: string,
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<RelayReport> {
    const remote = this.#host.members.remoteOf(to)!;
    try {
      const answer = await this.#mount.send(remote, 'relay', encodeHead(head), {
        upload: chunks,
        timeout: Number.POSITIVE_INFINITY,
        signal,
      });
      const decoded = decodeReport(answer);
      if (decoded !== undefined) return decoded;
      this.#host.misbehaved(to);
      throw new TransportError('invalid_argument', 'a malformed report', { target: to });
    } catch (error) {
      if (error instanceof TransportError && error.code === 'unimplemented')
        this.#unable.add(remote);
      throw error;
    }
  }

  #tidy(): void {
    for (const [key, shipment] of this.#shipments) {
      if (!shipment.isOver) continue;
      this.#shipments.delete(key);
      this.#ownBudget.give(shipment.size);
    }
  }
}

/** Counts messages and their bytes against a limit. */
class Budget {
  readonly #messages: number;
  readonly #bytes: number;
  messages = 0;
  bytes = 0;

  constructor(messages: number, bytes: number) {
    this.#messages = messages;
    this.#bytes = bytes;
  }

  /** Takes room for a message. Returns false if there is not enough. */
  take(bytes: number): boolean {
    if (this.messages >= this.#messages || this.bytes + bytes > this.#bytes) return false;
    this.messages++;
    this.bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.messages--;
    this.bytes -= bytes;
  }
}

function keyOf({ topic, id }: { readonly topic: string; readonly id: MessageId }): string {
  return `${topic}/${messageKey(id)}`;
}

function report(outcome: RelayReport['outcome'], missed: readonly string[] = []): Uint8Array {
  return encodeReport({ outcome, missed });
}

/**
 * Number of messages that may be relayed at a time: this node's own and those of others, counted
 * apart.
 */
const MOST_MESSAGES = 64;
/** Number of messages that are remembered as having come by relays. */
const MOST_HERE = 1_024;
/** Bytes that a frame may have in addition to its payload, such as its recipients. */
const MOST_HEAD = 64 * 1024;
