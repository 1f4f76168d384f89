// One topic of this node: its overlay, its readers, and the messages that it publishes. A session
// exists as long as a handle or a reader of the topic does.

import type { Codec, TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from '../hyparview/message.ts';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { PublishConfig, TopicConfig } from '../options.ts';
import { type Audience, type Body, isFor } from '../overlay/body.ts';
import { FullMesh } from '../overlay/full-mesh.ts';
import type { Overlay, OwnMessage } from '../overlay/overlay.ts';
import type { Control, Push } from '../plumtree/message.ts';
import type {
  DropReason,
  MessageMeta,
  NeighborDownCause,
  PublishFailure,
  PublishResult,
  TopicSnapshot,
  Unsent,
} from '../types.ts';
import type { Envelope } from '../wire/frame.ts';
import { encodeReceipt, type Verdict } from '../wire/relay-frames.ts';
import { Differences, type TopicTerms } from './differences.ts';
import { notSent } from './errors.ts';
import { handOut } from './hand-out.ts';
import { Inspection } from './inspection.ts';
import { OverlayDriver, type OverlayTopic } from './overlay-driver.ts';
import { Publisher } from './publisher.ts';
import type { TopicReader } from './reader.ts';
import { ReceiptRequests } from './receipt-requests.ts';
import { RestartedNodes } from './restarted-nodes.ts';
import type { TopicSessionHost } from './session-host.ts';
import type { TopicKey } from './topic-key.ts';

/**
 * The state of one topic at this node. Connects the overlay, the publisher, the inspection of
 * incoming messages and the readers.
 */
export class TopicSession implements OverlayTopic {
  readonly key: TopicKey;
  readonly codec: Codec<unknown, any>;
  readonly limit: number;
  readonly validate: TopicConfig['validate'];
  readonly host: TopicSessionHost;
  readonly #restartedNodes = new RestartedNodes((nodeId) =>
    Math.max(this.#direct.overlay.lifeOf(nodeId) ?? -1, this.overlay?.lifeOf(nodeId) ?? -1),
  );
  /**
   * The number of this node's life on the topic. A new one begins when the topic is joined again.
   * −1 until gossip has started.
   */
  #epoch = -1;
  /** When this life began, in milliseconds of the host's clock. */
  #joinedAt = 0;
  /** Number of times that the life was raised because a peer remembered a later one. */
  #raised = 0;
  #list: readonly TopicReader[] = [];
  handles = 0;
  delivered = 0;
  duplicates = 0;
  readonly dropped: Partial<Record<DropReason, number>> = {};
  readonly #inspection: Inspection;
  readonly #differences: Differences;
  /** True if the topic has another limit than the one that peers assume by default. */
  readonly #isSpecial: boolean;
  /** Sends messages to lists of nodes, which go directly, whatever the overlay. */
  readonly #direct: OverlayDriver;
  readonly #publisher: Publisher;
  readonly #asked: ReceiptRequests;
  #driver: OverlayDriver | undefined = undefined;
  #isOver = false;
  /** True if `dueBy` will be called at the end of this tick. */
  #isDueTold = false;

  constructor(
    key: TopicKey,
    codec: Codec<unknown, any>,
    config: TopicConfig,
    host: TopicSessionHost,
  ) {
    this.key = key;
    this.codec = codec;
    this.limit = config.limit ?? Math.min(LIMIT, host.longest);
    this.#isSpecial = (config.limit ?? LIMIT) !== LIMIT;
    this.validate = config.validate;
    this.host = host;
    this.#publisher = new Publisher(this);
    this.#inspection = new Inspection(this, config);
    this.#differences = new Differences({
      topic: key.name,
      overlay: host.overlay.name,
      limit: this.limit,
      now: () => host.clock.now(),
      tell: (nodeId) =>
        host.terms(nodeId, key, {
          overlay: host.overlay.name,
          limit: this.limit,
          life: this.lifeOf(nodeId),
        }),
      differs: (nodeId, difference) =>
        host.events.tell({ type: 'differs', topic: key.name, nodeId, ...difference }),
      apart: (nodeId, isSo) => this.#setApart(nodeId, isSo),
    });
    this.#asked = new ReceiptRequests((id, verdict) =>
      host.acknowledge(id.origin, encodeReceipt({ topic: key.hex, id, verdict })),
    );
    const direct = new FullMesh({ self: host.self, latest: () => host.latestLife() });
    this.#direct = new OverlayDriver(direct, this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The state of the overlay; undefined until gossip has started. */
  get overlay(): Overlay | undefined {
    return this.#driver?.overlay;
  }

  readonly epoch = (): number => this.#epoch;

  /** Gossip has started: creates the overlay and begins to publish. */
  join(): void {
    this.#epoch = this.host.epoch();
    this.#joinedAt = this.host.clock.now();
    const { clock, overlay, random, self, events } = this.host;
    const latest = () => this.host.latestLife();
    this.#driver = new OverlayDriver(
      overlay.create({ self, random, now: clock.now(), latest }),
      this,
    );
    events.tell({ type: 'joined', topic: this.key.name });
    for (const peer of this.host.interested(this.key.hex)) this.peerUp(peer, clock.now());
    this.#publisher.begin();
    this.host.dueBy(this.due);
  }

  /** Gossip is closing: nothing more is published. */
  publishNoMore(error: TransportError): void {
    this.#publisher.end(error);
  }

  /**
   * The topic is closed at this node: readers end, waiting messages fail, and neighbors are told.
   */
  end(error: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const reader of this.#list) reader.close();
    this.#publisher.end(error);
    this.#asked.clear();
    this.#inspection.close();
    if (this.#driver === undefined) return;
    this.#driver.feed(this.host.clock.now(), { type: 'leave' });
    this.host.events.tell({ type: 'left', topic: this.key.name });
  }

  /**
   * The readers. The list is replaced, never changed, when one comes or goes, so that it can be
   * iterated over in the meantime.
   */
  get readers(): readonly TopicReader[] {
    return this.#list;
  }

  addReader(reader: TopicReader): void {
    this.#list = [...this.#list, reader];
  }

  removeReader(reader: TopicReader): void {
    this.#list = this.#list.filter((other) => other !== reader);
  }

  /** A handle or a reader is gone. */
  release(): void {
    if (!this.#isOver && this.handles === 0 && this.#list.length === 0) this.host.unused(this);
  }

  // Publishing.

  /**
   * Publishes a message. Returns a promise only if there is something to wait for, because promises
   * cost time. Throws the errors that are known at once instead of rejecting.
   */
  publish(payload: Uint8Array, options: PublishConfig): PublishResult | Promise<PublishResult> {
    return this.#publisher.publish(payload, options);
  }

  /** A peer reports the outcome of a message that it was asked to confirm. */
  receipt(id: MessageId, from: string, verdict: Verdict): void {
    this.#publisher.receipt(id, from, verdict);
  }

  // Peers.

  peerUp(peer: string, now: number): void {
    if (this.#isSpecial || this.lifeOf(peer) !== undefined) this.#differences.tell(peer);
    if (!this.#differences.isApart(peer)) this.#enter(peer, now);
    this.#publisher.peerUp(peer);
    this.host.dueBy(this.due);
  }

  peerDown(peer: string, error: TransportError | undefined, now: number): void {
    this.#driver?.feed(now, { type: 'peer-down', peer, error });
    this.#differences.gone(peer);
    this.#publisher.peerDown(peer, error);
    this.host.dueBy(this.due);
  }

  /** A peer announced its terms on the topic. */
  terms(from: string, terms: TopicTerms): void {
    this.#differences.heard(from, terms);
  }

  /** A node connected that was restarted since it was last connected. */
  reborn(nodeId: string): void {
    this.#restartedNodes.add(nodeId);
  }

  /**
   * The life that a peer is to be told: the newest of its lives that is remembered here, if the
   * peer was restarted since.
   */
  lifeOf(nodeId: string): number | undefined {
    return this.overlay?.passesOn === true ? this.#restartedNodes.lifeOf(nodeId) : undefined;
  }

  /**
   * A peer remembers that life of this node, which was restarted since. If it is not older than the
   * present life, a later one begins, so that messages are not taken for old ones.
   */
  outlived(from: string, life: number): void {
    const epoch = this.#epoch;
    if (
      this.overlay?.passesOn !== true ||
      life < epoch ||
      this.#raised >= RAISES ||
      this.#isLate(life)
    )
      return;
    this.#epoch = this.host.outlived(life, from) ?? epoch;
    this.#raised++;
    if (this.#epoch !== epoch) this.#publisher.renew();
    this.host.events.tell({
      type: 'differs',
      topic: this.key.name,
      nodeId: from,
      what: 'life',
      ours: epoch,
      theirs: life,
    });
  }

  /**
   * Returns true if a life far ahead of the clock is reported so long after the topic was joined
   * that no honest peer can still remember it. Unsigned messages of such a life would be refused by
   * peers that know the present one.
   */
  #isLate(life: number): boolean {
    const { clock, signatures } = this.host;
    return (
      !signatures.signs &&
      life > this.host.latestLife() &&
      clock.now() - this.#joinedAt >= REMEMBERED
    );
  }

  tooLarge(from: string): void {
    this.#differences.tell(from);
  }

  /**
   * Includes or excludes a peer that uses another overlay. An excluded peer can't be a neighbor, as
   * if it were not on the topic.
   */
  #setApart(peer: string, isSo: boolean): void {
    const { host } = this;
    const now = host.clock.now();
    if (isSo) this.#driver?.feed(now, { type: 'peer-down', peer, error: undefined });
    else if (host.isOn(peer, this.key.hex) === true) this.#enter(peer, now);
    host.dueBy(this.due);
  }

  #enter(peer: string, now: number): void {
    this.#driver?.feed(now, { type: 'peer-up', peer, isChosen: this.host.isChosen(peer) });
  }

  /**
   * Adds the peers that a message to all can't reach, and those that don't take messages of its
   * size, to `failed`, because the overlay may count them.
   */
  addDifferent(failed: PublishFailure[], handed: readonly string[], { body }: OwnMessage): void {
    if (!this.#differences.isAny) return;
    const size = body.payload.length;
    for (const [nodeId, error] of this.#differences.apart)
      if (isFor(body, nodeId)) failed.push({ nodeId, error });
    for (const nodeId of handed) {
      const limit = this.#differences.limitOf(nodeId);
      if (size > limit && failed.every((failure) => failure.nodeId !== nodeId))
        failed.push({ nodeId, error: notSent('too-large', nodeId, size, limit) });
    }
  }

  /** Number of connected peers on the topic that may become neighbors. */
  get candidates(): number {
    return this.host.interested(this.key.hex).length - this.#differences.apart.size;
  }

  /** Sends or queues a message. Returns undefined, or the reason if neither was possible. */
  push(to: string, push: Push<Body>, lost?: () => void): Unsent | undefined {
    return this.takes(to, push.size) ? this.host.push(to, this.key, push, lost) : 'too-large';
  }

  /** Returns true if the peer takes messages of that size on the topic, as far as is known. */
  takes(nodeId: string, size: number): boolean {
    return size <= this.#differences.limitOf(nodeId);
  }

  // The overlay.

  /** Messages to a list of nodes go directly, whatever the overlay. */
  overlayFor(audience: Audience): OverlayDriver {
    return audience === 'to' ? this.#direct : this.#driver!;
  }

  /** Publishes a message. Returns the neighbors that it was handed to. */
  spread(message: OwnMessage, receipts: number, now: number): readonly string[] {
    return this.#driver!.publish(now, message, receipts);
  }

  /** Offers a message to a neighbor. Returns true if the neighbor was handed it. */
  offer(peer: string, message: OwnMessage, now: number): boolean {
    return this.#driver!.offer(now, peer, message);
  }

  /** Replaces a message that no neighbor has yet by another. */
  replace(id: MessageId, by: OwnMessage, now: number): void {
    this.#driver!.feed(now, { type: 'replace', id, by });
  }

  /** A Plumtree control message came from a peer. */
  controlled(from: string, message: Control, now: number): void {
    this.#driver?.feed(now, { type: 'received', from, message });
    this.host.dueBy(this.due);
  }

  /** A partial-view message came from a peer. */
  viewed(from: string, message: unknown, now: number): void {
    this.#driver?.feed(now, { type: 'viewed', from, message });
    this.host.dueBy(this.due);
  }

  writable(peer: string, now: number): void {
    this.#driver?.feed(now, { type: 'writable', peer });
  }

  unreachable(nodeId: string, error: TransportError, now: number): void {
    this.#driver?.unreachable(now, nodeId, error);
    this.host.dueBy(this.due);
  }

  view(to: string, message: PartialViewMessage): void {
    this.host.view(to, this, message);
  }

  repeated(id: MessageId, from: string): void {
    this.duplicates++;
    if (!this.#asked.isEmpty) this.#asked.answer(id, from, 'took');
    const { events } = this.host;
    if (events.isRead)
      events.tell({ type: 'duplicate', topic: this.key.name, id: messageKey(id), from });
  }

  refused(reason: DropReason, id: MessageId, from: string): void {
    this.drop(reason, id, from);
    if (reason === 'old' && id.origin === from && this.lifeOf(from) !== undefined)
      this.#differences.tell(from);
  }

  speaks(nodeId: string, overlay: string): void {
    this.#differences.speaks(nodeId, overlay);
  }

  neighborUp(nodeId: string): void {
    this.host.neighbor(nodeId, true);
    this.host.events.tell({ type: 'neighborUp', topic: this.key.name, nodeId });
    this.#publisher.neighborUp(nodeId);
  }

  neighborDown(nodeId: string, given: NeighborDownCause, error: TransportError | undefined): void {
    this.host.neighbor(nodeId, false);
    const cause = this.#differences.isApart(nodeId) ? 'differs' : given;
    this.host.events.tell({
      type: 'neighborDown',
      topic: this.key.name,
      nodeId,
      cause,
      ...(error === undefined ? {} : { error }),
    });
  }

  /** A peer has announced its topics, or is gone. */
  known(peer: string): void {
    this.#publisher.known(peer);
  }

  // Incoming messages.

  pushed(from: string, envelope: Envelope, now: number): void {
    if (this.#restartedNodes.isAny && envelope.id.origin === from) this.#begin(from, envelope);
    if (envelope.isAsked && envelope.id.origin === from) this.#asked.add(envelope.id, from);
    this.#inspection.inspect(from, envelope, now);
    if (this.#isDueTold) return;
    this.#isDueTold = true;
    this.host.clock.defer(this.#tellDue);
  }

  /**
   * Calls `dueBy` once for all messages of a tick. That is early enough, because no timer fires
   * before the tick is over.
   */
  readonly #tellDue = (): void => {
    this.#isDueTold = false;
    this.host.dueBy(this.due);
  };

  /**
   * Begins a new life of a restarted publisher, when the first message comes directly from it. A
   * signed message only counts if the peer has proven its id, because anybody may have kept such a
   * message and send it again.
   */
  #begin(from: string, { id, signature }: Envelope): void {
    if ((signature !== undefined && !this.host.isProven(from)) || !this.#restartedNodes.begin(from))
      return;
    if (this.lifeOf(from) !== undefined) this.#differences.tell(from);
    const isSigned = signature !== undefined;
    const now = this.host.clock.now();
    this.#direct.feed(now, { type: 'begun', id, isSigned });
    this.#driver?.feed(now, { type: 'begun', id, isSigned });
  }

  /**
   * A relay has brought a message. Returns false if it was refused at once, so that the true
   * message under its id may still come.
   */
  relayed(from: string, envelope: Envelope, now: number): boolean {
    if (envelope.isAsked) this.#asked.add(envelope.id, from);
    const isTaken = this.#inspection.inspect(from, envelope, now, true);
    this.host.dueBy(this.due);
    return isTaken;
  }

  /** Returns true if a message, to a list of nodes or not, is known already. */
  isKnown(id: MessageId, now: number): boolean {
    return this.#direct.overlay.has(id, now) || this.overlay!.has(id, now);
  }

  drop(reason: DropReason, id: MessageId, from: string, first = reason): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
    if (!this.#asked.isEmpty) this.#asked.answer(id, from, first);
    const { events } = this.host;
    if (!events.isRead) return;
    events.tell({ type: 'dropped', topic: this.key.name, reason, id: messageKey(id), from });
  }

  unsent(reason: Unsent, { id, size }: Pick<Push<Body>, 'id' | 'size'>, to: string): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
    this.#publisher.unsent(id, { nodeId: to, error: this.notSent(reason, to, size) });
    const { events } = this.host;
    if (events.isRead)
      events.tell({ type: 'dropped', topic: this.key.name, reason, id: messageKey(id), to });
  }

  notSent(reason: Unsent, to: string, size: number): TransportError {
    return notSent(reason, to, size, this.#differences.limitOf(to));
  }

  misbehaved(nodeId: string, what: string, isToBlame = true): void {
    this.host.events.tell({ type: 'misbehaved', topic: this.key.name, nodeId, what });
    if (what === 'origin-flood') this.host.cut(nodeId, 'it sent messages of too many publishers');
    else if (isToBlame) this.host.misbehaved(nodeId);
  }

  failed(error: unknown): void {
    this.host.events.tell({ type: 'failed', topic: this.key.name, error });
  }

  // Time.

  get due(): number {
    return Math.min(
      this.overlay?.wakeAt ?? Number.POSITIVE_INFINITY,
      this.#direct.overlay.wakeAt,
      this.#inspection.due,
      this.#publisher.due,
    );
  }

  wake(now: number): void {
    if (this.#driver !== undefined && now >= this.#driver.overlay.wakeAt)
      this.#driver.feed(now, { type: 'wake' });
    this.#direct.feed(now, { type: 'wake' });
    this.#inspection.wake(now);
    this.#publisher.wake(now);
  }

  snapshot(): TopicSnapshot {
    const { overlay } = this;
    return {
      topic: this.key.name,
      key: this.key.hex,
      overlay: this.host.overlay.name,
      life: this.#epoch,
      neighbors: overlay?.neighbors() ?? [],
      interested: this.host.interested(this.key.hex).length,
      handles: this.handles,
      readers: this.#list.map((reader) => reader.state),
      validating: this.#inspection.validating,
      toValidate: this.#inspection.toValidate,
      published: this.#publisher.published,
      delivered: this.delivered,
      duplicates: this.duplicates,
      dropped: { ...this.dropped },
      details: overlay?.snapshot(),
    };
  }

  /** Has relays bring a message to those peers that take messages of its size. */
  relay(push: Push<Body>, to: readonly string[]): boolean {
    const takers = this.#differences.isAny
      ? to.filter((nodeId) => this.takes(nodeId, push.size))
      : to;
    return this.host.relay(this.key, push, takers);
  }

  deliver({ payload: body, id, size }: Push<Body>, key: string, from: string, hops: number): void {
    if (body.audience === 'except' && body.nodes.includes(this.host.self))
      return this.drop('excluded', id, from);
    this.delivered++;
    if (!this.#asked.isEmpty) this.#asked.answer(id, from, 'took');
    const { origin } = id;
    const signed = body.signature !== undefined;
    if (this.host.events.isRead)
      this.host.events.tell({
        type: 'delivered',
        topic: this.key.name,
        id: key,
        origin,
        signed,
        from,
        hops,
      });
    const meta: MessageMeta = { id: key, origin, signed, from, hops, missed: 0 };
    // A reader that one of these readers adds gets only later messages.
    const list = this.#list;
    if (list.length === 1 && list[0]!.codec === this.codec)
      list[0]!.offer(body.message, meta, size);
    else if (list.length > 0) handOut(list, this, body, meta);
  }
}

/** Milliseconds for which peers remember a silent publisher. */
const REMEMBERED = 600_000;
/** Bytes of the longest message, if the topic's options don't say otherwise. */
const LIMIT = 1024 * 1024;
/**
 * Number of times that a life may be raised. A lying peer can cause that many raises; messages that
 * are in flight then may be lost.
 */
const RAISES = 8;
