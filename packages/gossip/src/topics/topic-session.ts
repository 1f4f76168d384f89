// One topic of this node: its overlay, its readers, and the messages that it publishes. A session
// exists as long as a handle or a reader of the topic does.

import type { Clock, Codec, Random, TransportError } from '@trunkline/transport-core';
import type { EventHub } from '@trunkline/transport-core/internal';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { PublishConfig, TopicConfig } from '../options.ts';
import { type Body, isFor } from '../overlay/body.ts';
import { FullMesh } from '../overlay/full-mesh.ts';
import type { Overlay, OverlayFactory, OverlayHost, OwnMessage } from '../overlay/overlay.ts';
import type { Control, Push } from '../plumtree/message.ts';
import type { Signatures } from '../signatures/signatures.ts';
import type {
  DropReason,
  GossipEvent,
  MessageMeta,
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
import { Publisher } from './publisher.ts';
import type { TopicReader } from './reader.ts';
import { ReceiptRequests } from './receipt-requests.ts';
import { RestartedNodes } from './restarted-nodes.ts';
import type { TopicKey } from './topic-key.ts';

/** The functions that a session calls: those of the driver. */
export interface TopicSessionHost {
  readonly self: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub<GossipEvent>;
  readonly overlay: OverlayFactory;
  readonly signatures: Signatures;
  /** Bytes of the longest message that fits into `limits.message` of the transport. */
  readonly longest: number;
  readonly isStarted: boolean;
  /** True if payloads of others may be kept and sent on later. */
  readonly isKept: boolean;
  /** Connected peers that have not yet announced their topics. */
  pending(): readonly string[];
  /** Connected peers that are on the topic. */
  interested(topic: string): string[];
  /**
   * Returns true if this node dialed the peer for a reason other than that members of a topic named
   * it.
   */
  isChosen(nodeId: string): boolean;
  /** Returns the number of a new life. */
  epoch(): number;
  /**
   * A peer remembers that life of this node. Returns the number of a later one; undefined if the
   * peer is not believed.
   */
  outlived(life: number, from: string): number | undefined;
  /** Returns the last life that an unsigned message may claim to be of. */
  latestLife(): number;
  /** Returns true if the peer has proven its id. */
  isProven(nodeId: string): boolean;
  /**
   * Sends or queues a message. Returns undefined, or the reason if neither was possible.
   * @param lost called if the message was queued, and the connection was lost before the message
   * left.
   */
  push(to: string, topic: TopicKey, push: Push<Body>, lost?: () => void): Unsent | undefined;
  tryPush(to: string, topic: TopicKey, push: Push<Body>): Unsent | undefined;
  /**
   * Has relays bring a message to these nodes. Returns false if it must be sent to each node
   * directly instead.
   */
  relay(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean;
  control(to: string, topic: TopicKey, control: Control): boolean;
  /** Tells a peer this node's terms on the topic. */
  terms(
    to: string,
    topic: TopicKey,
    terms: TopicTerms & { readonly life: number | undefined },
  ): void;
  /** Sends or queues a receipt. */
  acknowledge(to: string, receipt: Uint8Array): void;
  view(to: string, session: TopicSession, message: Readonly<Record<string, unknown>>): void;
  /**
   * Connects to a node and resolves to whether it is on the topic. Rejects if it can't be reached
   * within `timeout` milliseconds.
   */
  reach(nodeId: string, topic: string, timeout: number): Promise<boolean>;
  /**
   * Returns whether a node is connected and on the topic; undefined if that is not known yet, or
   * the node is not connected.
   */
  isOn(nodeId: string, topic: string): boolean | undefined;
  /**
   * Marks a node as a neighbor, or no longer as one. Connections to neighbors may be kept from
   * being closed.
   */
  neighbor(nodeId: string, isOne: boolean): void;
  /** A node misbehaved. */
  misbehaved(nodeId: string): void;
  /** A node did something that no honest node does. Disconnects it, and refuses it for a while. */
  cut(nodeId: string, why: string): void;
  /** Has `wake` called at that time or earlier. */
  dueBy(time: number): void;
  /** The topic has no handles and no readers any more. */
  unused(session: TopicSession): void;
}

/**
 * The state of one topic at this node. Connects the overlay, the publisher, the inspection of
 * incoming messages and the readers.
 */
export class TopicSession {
  readonly key: TopicKey;
  readonly codec: Codec<unknown, any>;
  readonly limit: number;
  readonly validate: TopicConfig['validate'];
  readonly host: TopicSessionHost;
  readonly #restartedNodes = new RestartedNodes((nodeId) =>
    Math.max(this.#direct.lifeOf(nodeId) ?? -1, this.#overlay?.lifeOf(nodeId) ?? -1),
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
  readonly #direct: FullMesh;
  readonly #publisher: Publisher;
  readonly #asked: ReceiptRequests;
  #overlay: Overlay | undefined = undefined;
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
    const direct: OverlayHost = {
      ...this.#overlayHost(),
      neighborUp: () => {},
      neighborDown: () => {},
    };
    this.#direct = new FullMesh({
      self: host.self,
      random: host.random,
      now: host.clock.now(),
      host: direct,
      latest: () => host.latestLife(),
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get overlay(): Overlay | undefined {
    return this.#overlay;
  }

  readonly epoch = (): number => this.#epoch;

  /** Gossip has started: creates the overlay and begins to publish. */
  join(): void {
    this.#epoch = this.host.epoch();
    this.#joinedAt = this.host.clock.now();
    const { clock, overlay, random, self, events } = this.host;
    this.#overlay = overlay.create({
      self,
      random,
      now: clock.now(),
      host: this.#overlayHost(),
      latest: () => this.host.latestLife(),
    });
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
    if (this.#overlay === undefined) return;
    this.#overlay.leave(this.host.clock.now());
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
    if (!this.#differences.isApart(peer))
      this.#overlay?.peerUp(peer, this.host.isChosen(peer), now);
    this.#publisher.peerUp(peer);
    this.host.dueBy(this.due);
  }

  peerDown(peer: string, error: TransportError | undefined, now: number): void {
    this.#overlay?.peerDown(peer, error, now);
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
    return this.#overlay?.passesOn === true ? this.#restartedNodes.lifeOf(nodeId) : undefined;
  }

  /**
   * A peer remembers that life of this node, which was restarted since. If it is not older than the
   * present life, a later one begins, so that messages are not taken for old ones.
   */
  outlived(from: string, life: number): void {
    const epoch = this.#epoch;
    if (
      this.#overlay?.passesOn !== true ||
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
    if (isSo) this.#overlay?.peerDown(peer, undefined, now);
    else if (host.isOn(peer, this.key.hex) === true)
      this.#overlay?.peerUp(peer, host.isChosen(peer), now);
    host.dueBy(this.due);
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

  /** A peer has announced its topics, or is gone. */
  known(peer: string): void {
    this.#publisher.known(peer);
  }

  // Incoming messages.

  pushed(from: string, envelope: Envelope, now: number): void {
    if (this.#restartedNodes.isAny && envelope.id.origin === from) this.#begin(from, envelope);
    if (envelope.isAsked && envelope.id.origin === from) this.#asked.add(envelope.id, from);
    this.#inspection.inspect(
      from,
      envelope,
      envelope.audience === 'to' ? this.#direct : this.#overlay!,
      now,
    );
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
    this.#direct.begun(id, isSigned);
    this.#overlay?.begun(id, isSigned);
  }

  /**
   * A relay has brought a message. Returns false if it was refused at once, so that the true
   * message under its id may still come.
   */
  relayed(from: string, envelope: Envelope, now: number): boolean {
    if (envelope.isAsked) this.#asked.add(envelope.id, from);
    const isTaken = this.#inspection.inspect(
      from,
      envelope,
      envelope.audience === 'to' ? this.#direct : this.#overlay!,
      now,
      true,
    );
    this.host.dueBy(this.due);
    return isTaken;
  }

  /** Returns true if a message, to a list of nodes or not, is known already. */
  isKnown(id: MessageId, now: number): boolean {
    return this.#direct.has(id, now) || this.#overlay!.has(id, now);
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
      this.#overlay?.due ?? Number.POSITIVE_INFINITY,
      this.#direct.due,
      this.#inspection.due,
      this.#publisher.due,
    );
  }

  wake(now: number): void {
    if (this.#overlay !== undefined && now >= this.#overlay.due) this.#overlay.wake(now);
    this.#direct.wake(now);
    this.#inspection.wake(now);
    this.#publisher.wake(now);
  }

  snapshot(): TopicSnapshot {
    const overlay = this.#overlay;
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

  #overlayHost(): OverlayHost {
    const { host, key } = this;
    const { events } = host;
    const topic = key.name;
    return {
      send: (to, push) => {
        const reason = this.push(to, push);
        if (reason !== undefined) this.unsent(reason, push, to);
        return reason === undefined;
      },
      trySend: (to, push) => {
        const reason = this.takes(to, push.size) ? host.tryPush(to, key, push) : 'too-large';
        if (reason !== 'too-large') return reason === undefined;
        this.unsent(reason, push, to);
        // The peer may have asked for the message after a notice.
        host.control(to, key, { kind: 'absent', ids: [push.id] });
        return true;
      },
      relay: (push, to) => this.#relay(push, to),
      control: (to, control) => host.control(to, key, control),
      view: (to, message) => host.view(to, this, message),
      deliver: (push, key, from, hops) => this.#deliver(push, key, from, hops),
      neighborUp: (nodeId) => {
        host.neighbor(nodeId, true);
        events.tell({ type: 'neighborUp', topic, nodeId });
        this.#publisher.neighborUp(nodeId);
      },
      neighborDown: (nodeId, given, error) => {
        host.neighbor(nodeId, false);
        const cause = this.#differences.isApart(nodeId) ? 'differs' : given;
        events.tell({
          type: 'neighborDown',
          topic,
          nodeId,
          cause,
          ...(error === undefined ? {} : { error }),
        });
      },
      duplicate: (id, from) => {
        this.duplicates++;
        if (!this.#asked.isEmpty) this.#asked.answer(id, from, 'took');
        if (events.isRead) events.tell({ type: 'duplicate', topic, id: messageKey(id), from });
      },
      dropped: (id, peer, reason) => {
        this.drop(reason, id, peer);
        if (reason === 'old' && id.origin === peer && this.lifeOf(peer) !== undefined)
          this.#differences.tell(peer);
      },
      speaks: (nodeId, overlay) => this.#differences.speaks(nodeId, overlay),
      grafted: (nodeId) => events.tell({ type: 'grafted', topic, nodeId }),
      pruned: (nodeId) => events.tell({ type: 'pruned', topic, nodeId }),
      misbehaved: (nodeId, what, isToBlame) => this.misbehaved(nodeId, what, isToBlame),
    };
  }

  /** Has relays bring a message to those peers that take messages of its size. */
  #relay(push: Push<Body>, to: readonly string[]): boolean {
    const takers = this.#differences.isAny
      ? to.filter((nodeId) => this.takes(nodeId, push.size))
      : to;
    return this.host.relay(this.key, push, takers);
  }

  #deliver({ payload: body, id, size }: Push<Body>, key: string, from: string, hops: number): void {
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
