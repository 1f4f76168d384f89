// Publishes the messages of one topic: sends them to their receivers, waits for peers and receipts,
// and reports the outcome. Owned by TopicSession, which passes on what happens to peers and
// messages; the driver calls it for receipts and for peers that announce their topics. Also tested
// in ../receipts.test.ts and ../publish-only.test.ts.

import { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { pick } from '../hyparview/views.ts';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { type Audience, type Body, isFor, type OwnMessage } from '../overlay/overlay.ts';
import { KEY_BYTES } from '../protocol.ts';
import type { PublishFailure, PublishResult } from '../types.ts';
import type { DeliveryOutcome } from '../wire/frame.ts';
import { asTransportError, gone, notOnTopic, refusedBy, topicClosed } from './errors.ts';
import type { PublishConfig } from './options.ts';
import { Publication, resultOf } from './publication.ts';
import type { TopicContext } from './topic-context.ts';

/** Publishes the messages of one topic. */
export class Publisher {
  published = 0;
  /** True once the topic is closed, or about to be. */
  isOver = false;
  readonly #topic: TopicContext;
  /** The life of the last message (NaN before the first), and the sequence of the next. */
  #epoch = Number.NaN;
  #sequence = 0;
  /** The messages that wait for peers or receipts, or are still offered to newcomers. */
  readonly #open = new Set<Publication>();
  /** Those of them that wait for receipts, by the keys of their messages. */
  readonly #asking = new Map<string, Publication>();
  /**
   * Time until which the topic counts as new, so that further nodes may turn out to be on it.
   * Infinity before the start, −Infinity once it is not new any more.
   */
  #newUntil = Number.POSITIVE_INFINITY;
  /** Functions that end the waits for such nodes → the awaited node; undefined means any. */
  readonly #arrivals = new Map<(isHere: boolean) => void, string | undefined>();
  /** Publications that wait until gossip has started. */
  readonly #waiting: (() => void)[] = [];

  constructor(topic: TopicContext) {
    this.#topic = topic;
  }

  /**
   * Called when gossip has started and the overlay exists: publishes the messages that waited for
   * the start.
   */
  begin(): void {
    this.#newUntil = this.#topic.node.clock.now() + NEW;
    for (const publish of this.#waiting.splice(0)) publish();
  }

  /**
   * Ends publishing: waiting messages fail. When gossip is closed, the driver calls it before the
   * queues are flushed, and `TopicSession.end` calls it again.
   */
  end(error: TransportError): void {
    this.isOver = true;
    for (const publication of this.#open) publication.fail(error);
    this.#open.clear();
    this.#asking.clear();
    this.#endArrivals();
    for (const publish of this.#waiting.splice(0)) publish();
  }

  /**
   * Publishes a message. Returns a promise only if there is something to wait for, because promises
   * cost time; it resolves when the message is queued. Throws the errors that are known at once
   * instead of rejecting.
   */
  publish(payload: Uint8Array, options: PublishConfig): PublishResult | Promise<PublishResult> {
    if (payload.length > this.#topic.limit) {
      const text = `publish: a message of ${payload.length} bytes is above the limit of topic ${this.#topic.key.name}, ${this.#topic.limit} bytes`;
      throw reasonError('too_large', text, { sent: false });
    }
    const nodes = options.to ?? options.except ?? NOBODY;
    if (payload.length + KEY_BYTES * nodes.length > this.#topic.node.longest) {
      const text = `publish: a message of ${payload.length} bytes with ${nodes.length} node ids does not fit limits.message of the transport of this node`;
      throw reasonError('too_large', text, { sent: false });
    }
    if (this.isOver) throw topicClosed(this.#topic.key.name);
    const { receipts, name } = this.#topic.node.overlay;
    if (options.min > receipts && options.to === undefined && options.any === undefined)
      throw new TypeError(
        `topic.publish: min: must be at most ${receipts}, the links of a node (active of ${name}); got ${options.min}`,
      );
    this.#topic.node.signatures.checkPublisher();
    if (this.#topic.node.isStarted) return this.#publish(payload, options);
    if (this.#waiting.length >= WAITING) {
      const text = `publish: ${WAITING} messages already wait for gossip.start()`;
      throw new TransportError('resource_exhausted', text, { sent: false });
    }
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve((async () => this.#publish(payload, options))()));
    });
  }

  #publish(
    payload: Uint8Array,
    { to, except, any, min, timeout }: PublishConfig,
  ): PublishResult | Promise<PublishResult> {
    const { node } = this.#topic;
    if (this.isOver) throw topicClosed(this.#topic.key.name);
    if (this.#open.size >= OPEN) {
      const text = `publish: ${OPEN} messages already wait for their recipients`;
      throw new TransportError('resource_exhausted', text, { sent: false });
    }
    this.published++;
    const isAsked = min > 0;
    if (any !== undefined) return this.#sendToAny(payload, any, { min, timeout });
    const given = to ?? except;
    const nodes = given === undefined ? NOBODY : [...new Set(given)];
    const audience = to !== undefined ? 'to' : nodes.length > 0 ? 'except' : 'all';
    const message = this.#message(audience, nodes, payload, isAsked);
    if (audience === 'to') return this.#sendTo(message, { min, timeout });
    const now = node.clock.now();
    const { to: queued, failed } = this.#topic.spread(message, min, now);
    const pending = node.members.pending();
    // If the topic is new here, nodes that turn out to be on it are offered the message, too.
    const isNew = now < this.#newUntil && this.#open.size < LINGERING;
    // If the overlay is beginning, the first neighbor will appear soon.
    if (!isAsked && pending.length === 0 && !isNew && (queued.length > 0 || !this.#isBeginning)) {
      node.dueBy(this.#topic.due);
      return resultOf(queued.length, failed);
    }
    const patience = isAsked ? timeout : Math.min(timeout, this.#isBeginning ? PATIENCE : NEW);
    const open = { message, until: isNew ? this.#newUntil : now };
    const publication = new Publication({ min, timeout, due: now + patience, open });
    for (const peer of queued) publication.sent(peer);
    for (const failure of failed) publication.fails(failure);
    for (const peer of pending) publication.pending.add(peer);
    // A first neighbor may appear soon, and will get the message.
    if (queued.length === 0 && (isNew || this.#isBeginning)) publication.pending.add(ANYBODY);
    this.#add(publication, message);
    this.#look(publication);
    node.dueBy(this.#topic.due);
    return publication.promise;
  }

  /**
   * True if there are peers on the topic that may become neighbors, but no neighbors yet: the
   * overlay has just started, and its first neighbor will appear soon.
   */
  get #isBeginning(): boolean {
    const { overlay, interested, differences } = this.#topic;
    return (
      overlay!.neighbors().length === 0 && interested.some((peer) => !differences.isApart(peer))
    );
  }

  #message(
    audience: Audience,
    nodes: readonly string[],
    payload: Uint8Array,
    receipt: boolean,
  ): OwnMessage {
    const { epoch } = this.#topic.life;
    if (epoch !== this.#epoch) this.#sequence = 0;
    this.#epoch = epoch;
    const id = { origin: this.#topic.node.self, epoch, sequence: this.#sequence++ };
    const body: Body = {
      audience,
      nodes,
      payload,
      message: undefined,
      signature: undefined,
      receipt,
      frame: undefined,
    };
    body.signature = this.#topic.node.signatures.sign(this.#topic.key.bytes, id, body);
    return { kind: 'push', id, hops: 1, payload: body, size: payload.length };
  }

  /**
   * Called when a later life has begun: publishes again, with ids of that life, the open messages
   * to everybody that were handed to no peer yet. One that cannot be signed again fails.
   */
  renew(): void {
    for (const publication of [...this.#open]) {
      if (publication.message === undefined || publication.queued.size > 0) continue;
      const { id, payload: body } = publication.message;
      this.#asking.delete(messageKey(id));
      this.#open.delete(publication);
      try {
        const by = this.#message(body.audience, body.nodes, body.payload, body.receipt === true);
        this.#topic.feed(this.#topic.node.clock.now(), { type: 'replace', id, by });
        publication.message = by;
        this.#add(publication, by);
      } catch (error) {
        // Signing a message may throw.
        publication.fail(error);
      }
    }
  }

  /** Returns true if this node has published that message in the life of its last message. */
  hasPublished({ epoch, sequence }: MessageId): boolean {
    return epoch === this.#epoch && sequence < this.#sequence;
  }

  // Messages to a list of nodes go directly to each, whether it is a neighbor or not. Failing
  // recipients don't affect the others.

  /**
   * Resolves when the message has been queued for each listed node if possible, and `min` of them
   * have confirmed it.
   */
  #sendTo(message: OwnMessage, wanted: Wanted): Promise<PublishResult> {
    const topic = this.#topic;
    const { node, key } = topic;
    const { nodes } = message.payload;
    const publication = this.#publicationOf(wanted);
    this.#add(publication, message);
    const hand = (nodeId: string) => {
      const reason = topic.push(nodeId, message);
      if (reason === undefined) return publication.sent(nodeId);
      topic.unsent(reason, message, nodeId);
      publication.fails({ nodeId, error: topic.notSent(reason, nodeId, message.size) });
    };
    const reach = async (nodeId: string) => {
      const dial = `dial of ${nodeId}`;
      publication.pending.add(dial);
      try {
        const isOn =
          node.members.isOn(nodeId, key.hex) ??
          (await node.members.reach(nodeId, key.hex, wanted.timeout));
        if (isOn || (await this.#arrival(nodeId))) {
          // A message that was reported as not sent must not leave later.
          if (!this.isOver && !publication.isOver) hand(nodeId);
        } else publication.fails({ nodeId, error: notOnTopic(nodeId, key.name) });
      } catch (error) {
        publication.fails({ nodeId, error: asTransportError(error, nodeId) });
      }
      publication.pending.delete(dial);
      this.#watch(publication);
    };
    const others = nodes.filter((nodeId) => nodeId !== node.self);
    const isHere = (nodeId: string) => node.members.isOn(nodeId, key.hex) === true;
    const takers = others.filter((nodeId) => isHere(nodeId) && topic.takes(nodeId, message.size));
    const relayed = new Set(node.relay(key, message, takers) ? takers : []);
    publication.pending.add(CHOSEN);
    for (const nodeId of others) {
      if (relayed.has(nodeId)) publication.sent(nodeId);
      else if (isHere(nodeId)) hand(nodeId);
      else void reach(nodeId);
    }
    publication.pending.delete(CHOSEN);
    this.#watch(publication);
    return publication.promise;
  }

  /**
   * Sends a message to `count` nodes on the topic, chosen at random one after the other; those
   * whose score is 0 are chosen last. A node whose connection is lost before the message has left
   * or is confirmed, or that refuses it, is replaced by another one (FISCO-BCOS tries the next node
   * on an error). Each node gets a separate message with its own id.
   */
  #sendToAny(payload: Uint8Array, count: number, wanted: Wanted): Promise<PublishResult> {
    const topic = this.#topic;
    const { node, key } = topic;
    const tried = new Set<string>();
    const replaced = new Set<string>();
    const publication = this.#publicationOf(wanted, (nodeId) => replace(nodeId));
    this.#open.add(publication);
    node.dueBy(publication.due);
    const handOne = (): boolean => {
      const rest = node.members.interested(key.hex).filter((nodeId) => !tried.has(nodeId));
      while (rest.length > 0 && !this.isOver) {
        const nodeId = (pick(rest, node.random, (one) => !node.isDistrusted(one)) ??
          pick(rest, node.random, () => true))!;
        rest.splice(rest.indexOf(nodeId), 1);
        tried.add(nodeId);
        const message = this.#message('to', [nodeId], payload, wanted.min > 0);
        this.#add(publication, message);
        const reason = topic.push(nodeId, message, () => replace(nodeId));
        if (reason === undefined) {
          publication.sent(nodeId);
          return true;
        }
        publication.fails({ nodeId, error: topic.notSent(reason, nodeId, message.size) });
      }
      return false;
    };
    const replace = (nodeId: string) => {
      if (replaced.has(nodeId)) return;
      replaced.add(nodeId);
      try {
        handOne();
      } catch (error) {
        publication.fail(error);
      }
      this.#watch(publication);
    };
    const fill = async () => {
      let left = count;
      publication.pending.add(CHOSEN);
      // If no node took the message, tries again each time that a node turns out to be on the
      // topic.
      do {
        while (left > 0 && handOne()) left--;
      } while (left === count && (await this.#arrival()) && !publication.isOver);
      publication.pending.delete(CHOSEN);
    };
    // Signing a message may throw.
    void fill()
      .catch((error) => publication.fail(error))
      .then(() => this.#watch(publication));
    return publication.promise;
  }

  #publicationOf({ min, timeout }: Wanted, missed?: (nodeId: string) => void): Publication {
    const due = min === 0 ? Number.POSITIVE_INFINITY : this.#topic.node.clock.now() + timeout;
    return new Publication({ min, timeout, due, missed });
  }

  /**
   * Resolves to true if that node, or any node if no id is given, turns out to be on the topic
   * while the topic is new here.
   */
  #arrival(nodeId?: string): Promise<boolean> {
    const { node } = this.#topic;
    if (node.clock.now() >= this.#newUntil) return Promise.resolve(false);
    node.dueBy(this.#newUntil);
    return new Promise((resolve) => this.#arrivals.set(resolve, nodeId));
  }

  /** Ends all waits for further nodes, because none is expected. */
  #endArrivals(): void {
    for (const resolve of this.#arrivals.keys()) resolve(false);
    this.#arrivals.clear();
    this.#newUntil = Number.NEGATIVE_INFINITY;
  }

  /** Checks whether a publication is over. If it is not, arranges a wake-up at its end. */
  #watch(publication: Publication): void {
    this.#look(publication);
    if (!publication.isOver) this.#topic.node.dueBy(publication.due);
  }

  // The publications that are open.

  #add(publication: Publication, { id, payload: body }: OwnMessage): void {
    this.#open.add(publication);
    if (body.receipt !== true) return;
    const key = messageKey(id);
    publication.keys.push(key);
    this.#asking.set(key, publication);
  }

  /**
   * Checks whether a publication is over, after something has happened to it. If so, and it is no
   * longer offered to newcomers, forgets it. Every change of a publication is followed by this.
   */
  #look(publication: Publication): void {
    publication.look();
    if (!publication.isOver || this.#topic.node.clock.now() < publication.due) return;
    this.#open.delete(publication);
    for (const key of publication.keys) this.#asking.delete(key);
  }

  /** Handles a peer's report on the outcome of a message that it was asked to confirm. */
  receipt(id: MessageId, from: string, verdict: DeliveryOutcome): void {
    const publication = this.#asking.get(messageKey(id));
    if (publication === undefined) return;
    // A neighbor that got only a notice of the message may have asked for the message.
    if (this.#mayHaveAsked(publication, from)) publication.sent(from);
    if (verdict === 'took') {
      publication.confirmed(from);
    } else {
      const error = refusedBy(from, verdict);
      this.#lost(publication, { nodeId: from, refusal: verdict, error });
    }
    this.#look(publication);
  }

  /** Called when a message of this node could not be sent to a peer after all. */
  unsent(id: MessageId, failure: PublishFailure): void {
    const publication = this.#asking.size === 0 ? undefined : this.#asking.get(messageKey(id));
    if (publication === undefined) return;
    publication.fails(failure);
    this.#look(publication);
  }

  /** Called when a node has become a neighbor: offers it the open messages. */
  neighborUp(nodeId: string): void {
    for (const publication of this.#open) {
      if (publication.message === undefined) continue;
      if (!publication.queued.has(nodeId)) this.#offer(publication, nodeId);
      publication.pending.delete(ANYBODY);
      this.#look(publication);
    }
  }

  /** Called when a peer left the topic, or (with `error`) disconnected. */
  peerDown(nodeId: string, error: TransportError | undefined): void {
    for (const publication of this.#open) {
      if (!publication.queued.has(nodeId)) continue;
      this.#lost(publication, { nodeId, error: gone(nodeId, this.#topic.key.name, error) });
      this.#look(publication);
    }
  }

  /** Called when a peer has announced its topics, has taken too long to do so, or is gone. */
  known(nodeId: string): void {
    for (const publication of this.#open) {
      publication.pending.delete(nodeId);
      this.#look(publication);
    }
  }

  #mayHaveAsked({ message, failed }: Publication, from: string): boolean {
    if (message === undefined || !isFor(message.payload, from) || failed.has(from)) return false;
    return this.#topic.overlay!.neighbors().includes(from);
  }

  /** Records that a peer will not confirm a message, and asks another neighbor to confirm it. */
  #lost(publication: Publication, failure: PublishFailure): void {
    publication.lost(failure);
    const { message, isOver, queued, failed } = publication;
    if (message === undefined || isOver) return;
    for (const nodeId of this.#topic.overlay!.neighbors())
      if (!queued.has(nodeId) && !failed.has(nodeId) && this.#offer(publication, nodeId)) return;
  }

  #offer(publication: Publication, nodeId: string): boolean {
    const isTaken = this.#topic.offer(nodeId, publication.message!, this.#topic.node.clock.now());
    if (isTaken) publication.sent(nodeId);
    return isTaken;
  }

  /** Called when a peer turns out to be on the topic: ends the waits for it. */
  peerUp(nodeId: string): void {
    for (const [resolve, awaited] of this.#arrivals) {
      if (awaited !== undefined && awaited !== nodeId) continue;
      this.#arrivals.delete(resolve);
      resolve(true);
    }
  }

  get due(): number {
    let due = this.#arrivals.size === 0 ? Number.POSITIVE_INFINITY : this.#newUntil;
    for (const publication of this.#open) due = Math.min(due, publication.due);
    return due;
  }

  wake(now: number): void {
    for (const publication of this.#open) {
      if (now < publication.due) continue;
      publication.expire();
      this.#look(publication);
    }
    if (now >= this.#newUntil) this.#endArrivals();
  }
}

/** Number of receivers that must confirm a message, and the timeout in milliseconds. */
type Wanted = Pick<PublishConfig, 'min' | 'timeout'>;

const NOBODY: readonly string[] = [];
/**
 * The names under which a publication waits for the first neighbor, no matter which peer it is, and
 * for the nodes that are chosen.
 */
const ANYBODY = 'anybody';
const CHOSEN = 'chosen';
/**
 * Maximum number of messages that wait for the start of gossip (as in p2panda's queue before its
 * overlay is joined).
 */
const WAITING = 128;
/** Maximum number of messages that wait for receivers or receipts. */
const OPEN = 1_024;
/** Maximum number of messages that are offered to newcomers while the topic is new. */
const LINGERING = 128;
/** Milliseconds to wait for a first neighbor. */
const PATIENCE = 2_000;
/**
 * Milliseconds for which a topic is new. For as long at most, a publication without receipts waits
 * for peers that have not announced their topics, unless it waits `PATIENCE`.
 */
const NEW = 1_000;
