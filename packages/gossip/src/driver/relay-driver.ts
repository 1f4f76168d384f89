// Relays long messages: this node's own messages (shipments), and messages of other nodes that it
// receives and passes on (transits). It owns both, limits their number and memory, carries their
// bytes over the transport, hands whole messages to their topics, and sends receipts and repairs.
// Gossip imports only types of it: a program passes it as the value of the option `relay`.
// GossipDriver owns the `Relays` of a node. Also tested in ../relay.nightly.test.ts and
// ../relay.hostile.nightly.test.ts.

import type { Peers } from '@trunkline/peers';
import { dropOldest } from '@trunkline/peers/internal';
import { type Remote, type Transport, TransportError } from '@trunkline/transport-core';
import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
  reasonError,
} from '@trunkline/transport-core/backend';
import { messageKey } from '../messages/message-id.ts';
import type { Body } from '../overlay/overlay.ts';
import { MOST_HOPS, type Push } from '../plumtree/message.ts';
import type { gossipProtocol, TopicKey } from '../protocol.ts';
import type { RelaySnapshot } from '../snapshots.ts';
import type { TopicMembers } from '../topics/topic-context.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import {
  decodeHead,
  decodePush,
  decodeReport,
  type Envelope,
  encodeHead,
  encodePush,
  encodeReceipt,
  encodeReport,
  type Receipt,
  type RelayHead,
  type RelayReport,
} from '../wire/frame.ts';
import {
  Distribution,
  limitOf,
  type RelayNode,
  Shipment,
  TRICKLE,
  type Upload,
} from './relay-transfers.ts';

const relayOptions = optionsSchema({
  /** Size in bytes above which an encoded message is relayed, 0 to 63 MiB. Default 65,536. */
  above: option.withDefault(option.integer(0, 63 * 1024 * 1024), 64 * 1024),
  /**
   * Number of nodes to which each node sends a relayed message, 1 to 64. Default 3. A message with
   * no more receivers than this is sent directly.
   */
  fanout: option.withDefault(option.integer(1, 64), 3),
  /**
   * Maximum size, in bytes, of all messages of other nodes that are being relayed here; the same
   * limit applies to this node's own. At most 64 messages of each kind are relayed at a time.
   * Messages beyond that are refused, and their origin sends them directly. Default 64 MiB.
   */
  memory: option.withDefault(option.integer(1, 2 ** 40), 64 * 1024 * 1024),
  /**
   * Milliseconds without progress after which a relay counts as stuck, and other nodes take over
   * its part. Default 5,000.
   */
  stall: option.withDefault(option.milliseconds(), 5_000),
});

/** Options for relaying long messages on a full mesh; each option has a default. */
export type RelayOptions = OptionsInput<typeof relayOptions>;

type RelayConfig = Options<typeof relayOptions>;

/**
 * Relaying of long messages, for the option `relay` of `createGossip`; made by `relay()`. It
 * creates the {@link Relays} of each node.
 */
export interface RelayFactory {
  createDriver(setup: RelaySetup): Relays;
}

/** The arguments that a driver of relays is created with. */
export interface RelaySetup {
  /** The id of this node. */
  readonly self: string;
  readonly mount: Transport<typeof gossipProtocol>;
  readonly peers: Pick<Peers, 'report'>;
  readonly members: Pick<TopicMembers, 'isOn' | 'push' | 'acknowledge'> & {
    remoteOf(nodeId: string): Remote | undefined;
  };
  /** This node's topics, by their keys in hex. */
  readonly sessions: ReadonlyMap<string, TopicSession>;
  /** Arranges a call of `wake` at that time or earlier. */
  dueBy(time: number): void;
}

/**
 * Relays long messages on a full mesh: a node sends a message above a certain size only to a few of
 * its recipients. These recipients pass it on to others while they receive it, and so on. Relayed
 * messages arrive in any order. Unless a message is signed, relays could change it or claim another
 * publisher. Pass the result to `createGossip` as the option `relay`, at all nodes of the network.
 * Throws a TypeError for invalid options.
 */
export function relay(options: RelayOptions = {}): RelayFactory {
  const config = parseOptions(relayOptions, options, 'relay');
  return { createDriver: (setup) => new Relays(setup, config) };
}

/** Relaying at one node. */
export class Relays implements RelayNode {
  readonly config: RelayConfig;
  readonly random: RelayNode['random'];
  readonly #setup: RelaySetup;
  /** Messages of this node, and those of others, by their topics and ids. */
  readonly #shipments = new Map<string, Shipment>();
  readonly #transits = new Map<string, Transit>();
  /** Messages that relays brought and that the topic may not have checked yet, the oldest first. */
  readonly #here = new Set<string>();
  /** Connections to peers that don't support relaying. */
  readonly #unable = new WeakSet<Remote>();
  /** Number of messages that were sent directly because no relay had brought them. */
  #repaired = 0;

  constructor(setup: RelaySetup, config: RelayConfig) {
    this.#setup = setup;
    this.config = config;
    this.random = setup.mount.random;
  }

  // Messages of this node.

  /**
   * Sends a message by way of relays. Returns false if it must go to each node directly instead: it
   * is too short, has too few receivers, or exceeds the limits of relaying.
   */
  send(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean {
    if (push.size <= this.config.above || to.length <= this.config.fanout) return false;
    const frame = encodePush(topic.bytes, push);
    if (!this.#hasRoom(this.#shipments, frame.length)) return false;
    const key = keyOf({ topic: topic.hex, id: push.id });
    this.#shipments.set(key, new Shipment(this, topic, push, frame, to));
    this.changed();
    return true;
  }

  /** Called when a peer confirms that it has a message. */
  confirmed(receipt: Receipt, from: string): void {
    const shipment = this.#shipments.get(keyOf(receipt));
    if (shipment === undefined) return;
    shipment.confirmed(from);
    this.changed();
  }

  /** Called when a peer is gone: it is no longer a receiver. Its uploads fail by themselves. */
  gone(peer: string): void {
    for (const { open } of this.#shipments.values()) open.delete(peer);
    this.changed();
  }

  /** Returns the number and the bytes of this node's messages that a peer may not have yet. */
  unsent(nodeId: string): RelaySnapshot['own'] {
    return totalOf([...this.#shipments.values()].filter(({ open }) => open.has(nodeId)));
  }

  // Messages of other nodes.

  /**
   * Receives a message and passes it on while it arrives, before the topic can check it. Resolves
   * to an encoded report when both the receiving and the passing on are over, even if the topic
   * then refuses the message. Rejects if the relaying is refused or the download fails.
   */
  async receive(
    from: string,
    request: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Uint8Array> {
    const { self, sessions } = this.#setup;
    const head = decodeHead(request);
    if (
      head === undefined ||
      [self, from, head.id.origin].some((nodeId) => head.rest.includes(nodeId))
    ) {
      this.misbehaved(from);
      throw new TransportError('invalid_argument', 'a relayed message has a malformed header');
    }
    const topic = sessions.get(head.topic);
    if (topic?.isMember !== true)
      throw new TransportError('not_found', 'this node is not on the topic of a relayed message');
    if (head.size > topic.limit + MOST_HEAD) {
      const text = `a relayed message of ${head.size} bytes is above the limit of its topic`;
      throw reasonError('too_large', text);
    }
    const key = keyOf(head);
    if (this.#transits.has(key)) return encodeReport({ outcome: 'busy', missed: [] });
    if (head.id.origin === self) return encodeReport({ outcome: 'had', missed: [] });
    const verdict = topic.look(head.id, this.now());
    if (this.#here.has(key) || verdict === 'seen') {
      this.#acknowledge(head);
      return encodeReport({ outcome: 'had', missed: [] });
    }
    // Only a message that comes directly begins a lower life.
    if (verdict === 'old' && topic.life.lifeOf(head.id.origin) !== undefined) {
      const text = 'the publisher of a relayed message has restarted and must send it directly';
      throw new TransportError('failed_precondition', text);
    }
    if (!this.#hasRoom(this.#transits, head.size)) {
      const text = 'too many messages are being relayed by this node';
      throw new TransportError('resource_exhausted', text);
    }
    const transit = new Transit(this, from, head);
    this.#transits.set(key, transit);
    const report = transit.receive(chunks);
    this.changed();
    return report;
  }

  /**
   * Hands a whole message to its topic. A message that the topic refuses at once, such as a forged
   * one, is not acknowledged, so that its origin sends the true message.
   */
  deliver(from: string, envelope: Envelope): void {
    const session = this.#setup.sessions.get(envelope.topic);
    if (session?.relayed(from, envelope, this.now()) !== true) return;
    this.#here.add(keyOf(envelope));
    dropOldest(this.#here, MOST_HERE);
    this.#acknowledge(envelope);
  }

  /** Confirms to the origin of a message that it is here. */
  #acknowledge({ topic, id }: Topical): void {
    this.#setup.members.acknowledge(id.origin, encodeReceipt({ topic, id }));
  }

  #hasRoom(taken: ReadonlyMap<string, { readonly size: number }>, size: number): boolean {
    const { messages, bytes } = totalOf(taken.values());
    return messages < MOST_MESSAGES && bytes + size <= this.config.memory;
  }

  // For transfers.

  now(): number {
    return this.#setup.mount.clock.now();
  }

  reaches(nodeId: string, topic: string): boolean {
    const { members } = this.#setup;
    const remote = members.remoteOf(nodeId);
    return (
      remote !== undefined && !this.#unable.has(remote) && members.isOn(nodeId, topic) === true
    );
  }

  async upload(to: string, head: RelayHead, upload: Upload): Promise<RelayReport | undefined> {
    const remote = this.#setup.members.remoteOf(to);
    if (remote === undefined)
      throw new TransportError('unavailable', `node ${to} is not connected`, { target: to });
    try {
      const report = await this.#setup.mount.send(remote, 'relay', encodeHead(head), {
        upload,
        timeout: Number.POSITIVE_INFINITY,
        signal: upload.signal,
      });
      return decodeReport(report);
    } catch (error) {
      if (error instanceof TransportError && error.code === 'unimplemented')
        this.#unable.add(remote);
      throw error;
    } finally {
      upload.finish();
    }
  }

  repair(to: string, topic: TopicKey, push: Push<Body>): void {
    const { members, sessions } = this.#setup;
    this.#repaired++;
    const reason = members.push(to, topic, push);
    if (reason !== undefined) sessions.get(topic.hex)?.unsent(reason, push, to);
  }

  misbehaved(peer: string): void {
    this.#setup.peers.report(peer, 'bad');
  }

  /**
   * Sends messages directly to receivers that relays did not reach, forgets messages that are over,
   * and answers the requests that brought them. Call it after anything that may have ended a part
   * of a transfer.
   */
  changed(): void {
    for (const [key, shipment] of this.#shipments) {
      shipment.repair();
      if (shipment.isOver) this.#shipments.delete(key);
    }
    for (const [key, transit] of this.#transits) {
      if (!transit.isOver) continue;
      this.#transits.delete(key);
      transit.answer();
    }
    this.#setup.dueBy(this.due);
  }

  // Time.

  get due(): number {
    return Math.min(...this.#all().map(({ due }) => due));
  }

  wake(now: number): void {
    if (now < this.due) return;
    for (const each of this.#all()) if (now >= each.due) each.wake(now);
    this.changed();
  }

  close(): void {
    for (const each of this.#all()) each.stop();
    this.changed();
  }

  #all(): (Shipment | Transit)[] {
    return [...this.#shipments.values(), ...this.#transits.values()];
  }

  snapshot(): RelaySnapshot {
    return {
      own: totalOf(this.#shipments.values()),
      others: totalOf(this.#transits.values()),
      repaired: this.#repaired,
    };
  }
}

/** Returns the number of messages and their bytes. */
function totalOf(messages: Iterable<{ readonly size: number }>): RelaySnapshot['own'] {
  let [count, bytes] = [0, 0];
  for (const { size } of messages) {
    count++;
    bytes += size;
  }
  return { messages: count, bytes };
}

type Topical = Pick<Receipt, 'topic' | 'id'>;

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

/**
 * A message that a relay, or its origin, sends to this node to be passed on. It is passed on while
 * it arrives. A transit owns the download and its deadlines.
 */
class Transit extends Distribution {
  declare protected readonly node: Relays;
  readonly #from: string;
  /** Number of links that the message has traveled. */
  readonly #hops: number;
  /** Time at which the download is given up, even if it makes progress. */
  readonly #end: number;
  /** Time at which bytes last arrived. */
  #movedAt: number;
  /** `failed`: the request has been refused, but uploads are still under way. */
  #phase: 'receiving' | 'delivering' | 'passing-on' | 'failed' = 'receiving';
  #source: AsyncIterator<Uint8Array> | undefined = undefined;
  #resolve!: (report: Uint8Array) => void;
  #reject!: (error: unknown) => void;

  constructor(node: Relays, from: string, head: RelayHead) {
    const { topic, id, size, rest } = head;
    const hops = Math.min(head.hops + 1, MOST_HOPS);
    super(node, new Uint8Array(size), 0, { topic, id, hops, size });
    this.#from = from;
    this.#hops = head.hops;
    this.#movedAt = node.now();
    // Longer than a relay may take, because the sender may itself have to wait for the message.
    this.#end = this.#movedAt + limitOf(10 * node.config.stall, size, TRICKLE);
    this.send(rest);
  }

  /** Reads the bytes. Resolves to an encoded report when they have arrived and are passed on. */
  receive(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const report = new Promise<Uint8Array>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    void this.#read(chunks);
    return report;
  }

  async #read(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      const source = chunks[Symbol.asyncIterator]();
      this.#source = source;
      for (let item = await source.next(); item.done !== true; item = await source.next()) {
        if (this.#phase !== 'receiving') return;
        this.#received(item.value);
        this.node.changed();
      }
      this.#ended(undefined);
    } catch (error) {
      this.#ended(error);
    }
    this.node.changed();
  }

  /** Handles the next bytes of the message. */
  #received(chunk: Uint8Array): void {
    if (!this.append(chunk)) {
      this.node.misbehaved(this.#from);
      return this.fail(this.#wrong('is longer than declared'));
    }
    if (chunk.length > 0) this.#movedAt = this.node.now();
  }

  /**
   * Handles the end of the download. If the whole message has arrived, hands it to its topic.
   * @param error set if the peer aborted the download
   */
  #ended(error: unknown): void {
    // Its own delivery may have thrown.
    const isOpen = this.#phase === 'receiving' || this.#phase === 'delivering';
    if (isOpen && error !== undefined) return this.fail(error);
    if (this.#phase !== 'receiving') return;
    if (!this.isWhole) return this.fail(this.#wrong('ended too early'));
    const envelope = decodePush(this.bytes);
    if (envelope !== undefined && keyOf(envelope) === keyOf(this.head)) {
      this.#phase = 'delivering';
      this.node.deliver(this.#from, { ...envelope, hops: this.#hops });
    } else if (this.#from === this.head.id.origin) {
      // Relays pass the message on before they can detect that, so only the origin is to blame.
      this.node.misbehaved(this.#from);
    }
    this.#phase = 'passing-on';
  }

  /** True if no upload is under way, and the message is delivered or has failed. */
  get isOver(): boolean {
    return this.isSettled && (this.#phase === 'passing-on' || this.#phase === 'failed');
  }

  /** Answers the request, unless it was refused. Call it once, when the transit is over. */
  answer(): void {
    if (this.#phase === 'failed') return;
    this.#resolve(encodeReport({ outcome: 'took', missed: this.takeMissed() }));
  }

  override get due(): number {
    return this.#phase === 'receiving' ? Math.min(super.due, this.#latest) : super.due;
  }

  override wake(now: number): void {
    super.wake(now);
    if (this.#phase === 'receiving' && now >= this.#latest) this.#leave(TOO_SLOW);
  }

  override stop(): void {
    if (this.#phase === 'receiving') this.#leave(STOPPED);
    super.stop();
  }

  /** Time at which the download is given up. */
  get #latest(): number {
    return Math.min(this.#movedAt + this.node.config.stall, this.#end);
  }

  /** Gives the download up: ends its stream, and refuses the request. */
  #leave(error: TransportError): void {
    this.#source?.return?.().catch(() => {});
    this.fail(error);
  }

  override fail(error: unknown): void {
    this.#phase = 'failed';
    super.fail(error);
    this.#reject(error);
  }

  #wrong(what: string): TransportError {
    const text = `a relayed message of ${this.size} bytes ${what}`;
    return new TransportError('invalid_argument', text);
  }
}

const TOO_SLOW = new TransportError('deadline_exceeded', 'a relayed message arrived too slowly');
const STOPPED = new TransportError('unavailable', 'gossip was closed on this node');
