// Publishes the messages of one topic: sends them to their receivers, waits for peers and receipts,
// and reports the outcome.

import { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { pick } from '../hyparview/views.ts';
import { IdSource, type MessageId } from '../messages/message-id.ts';
import type { PublishConfig } from '../options.ts';
import type { Audience, Body, OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import { KEY_BYTES } from '../protocol.ts';
import type { PublishFailure, PublishResult } from '../types.ts';
import { notOnTopic, topicClosed } from './errors.ts';
import { ANYBODY, Publication, Publications, resultOf } from './publications.ts';
import type { TopicContext } from './topic-context.ts';

/** Publishes the messages of one topic. */
export class Publisher {
  published = 0;
  /** True once the topic is closed, or about to be. */
  isOver = false;
  /** The messages that wait for peers or receipts. */
  readonly publications: Publications;
  readonly #topic: TopicContext;
  readonly #ids: IdSource;
  /**
   * Time until which the topic counts as new, so that further nodes may turn out to be on it, and
   * the waits for such nodes.
   */
  #newUntil = Number.POSITIVE_INFINITY;
  readonly #arrivals = new Set<{
    readonly nodeId: string | undefined;
    readonly resolve: (isHere: boolean) => void;
  }>();
  /** Publications that wait until gossip has started. */
  readonly #waiting: (() => void)[] = [];
  /**
   * Set while `#publish` calls the overlay, to collect the peers to which the message could not be
   * sent.
   */
  #refused: PublishFailure[] | undefined = undefined;

  constructor(topic: TopicContext) {
    this.#topic = topic;
    this.#ids = new IdSource(topic.node.self, topic.epoch);
    this.publications = new Publications(topic);
  }

  /**
   * Called when gossip has started and the overlay exists: publishes the messages that waited for
   * the start.
   */
  begin(): void {
    this.#newUntil = this.#topic.node.clock.now() + NEW;
    for (const publish of this.#waiting.splice(0)) publish();
  }

  /** Ends publishing: waiting messages fail. */
  end(error: TransportError): void {
    this.isOver = true;
    this.publications.fail(error);
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
    const nodes = options.to ?? options.except;
    if (
      nodes !== undefined &&
      payload.length + KEY_BYTES * nodes.length > this.#topic.node.longest
    ) {
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
      throw new TransportError(
        'resource_exhausted',
        `publish: ${WAITING} messages already wait for gossip.start()`,
        { sent: false },
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#publish(payload, options));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #publish(
    payload: Uint8Array,
    { to, except, any, min, timeout }: PublishConfig,
  ): PublishResult | Promise<PublishResult> {
    const { node, differences } = this.#topic;
    if (this.isOver) throw topicClosed(this.#topic.key.name);
    if (this.publications.size >= OPEN) {
      throw new TransportError(
        'resource_exhausted',
        `publish: ${OPEN} messages already wait for their recipients`,
        { sent: false },
      );
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
    const failed: PublishFailure[] = [];
    this.#refused = failed;
    let queued = this.#topic.spread(message, min, now);
    this.#refused = undefined;
    if (differences.isAny)
      differences.addFailures(failed, this.#topic.interested, queued, message.body);
    // The overlay may have counted peers that get only a notice, although the message could not be
    // sent to them.
    if (failed.length > 0)
      queued = queued.filter((peer) => failed.every(({ nodeId }) => nodeId !== peer));
    const pending = node.members.pending();
    // If the topic is new here, nodes that turn out to be on it are offered the message, too.
    const isNew = now < this.#newUntil && this.publications.size < LINGERING;
    // If the overlay is beginning, the first neighbor will appear soon.
    if (!isAsked && pending.length === 0 && !isNew && (queued.length > 0 || !this.#isBeginning)) {
      node.dueBy(this.#topic.due);
      return resultOf(queued.length, failed);
    }
    const patience = isAsked ? timeout : Math.min(timeout, this.#isBeginning ? PATIENCE : NEW);
    const until = isNew ? this.#newUntil : now;
    const publication = new Publication({
      min,
      timeout,
      due: now + patience,
      open: { message, until },
    });
    for (const peer of queued) publication.queued(peer);
    for (const failure of failed) publication.failed(failure);
    for (const peer of pending) publication.wait(peer);
    // A first neighbor may appear soon, and will get the message.
    if (queued.length === 0 && (isNew || this.#isBeginning)) publication.wait(ANYBODY);
    this.publications.add(publication, message);
    this.publications.look(publication);
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
    const id = this.#ids.next();
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
    return { id, body };
  }

  /**
   * Called when a later life has begun: publishes the messages that no peer has received yet again,
   * with ids of that life.
   */
  renew(): void {
    this.publications.renew(({ id, body: { audience, nodes, payload, receipt } }) => {
      const message = this.#message(audience, nodes, payload, receipt === true);
      const input = { type: 'replace', id, by: message } as const;
      this.#topic.feed(this.#topic.node.clock.now(), input);
      return message;
    });
  }

  /** Returns true if this node has published a message with that id in its present life. */
  hasPublished(id: MessageId): boolean {
    return this.#ids.hasMade(id);
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
    const { nodes } = message.body;
    const push = pushOf(message);
    const publication = this.#publicationOf(wanted);
    this.publications.add(publication, message);
    const hand = (nodeId: string) => {
      const reason = topic.push(nodeId, push);
      if (reason === undefined) return publication.queued(nodeId);
      topic.unsent(reason, push, nodeId);
      publication.failed({ nodeId, error: topic.notSent(reason, nodeId, push.size) });
    };
    const reach = async (nodeId: string) => {
      const dial = `dial of ${nodeId}`;
      publication.wait(dial);
      try {
        const isOn =
          node.members.isOn(nodeId, key.hex) ??
          (await node.members.reach(nodeId, key.hex, wanted.timeout));
        if (isOn || (await this.#arrival(nodeId))) {
          // A message that was reported as not sent must not leave later.
          if (!this.isOver && !publication.isOver) hand(nodeId);
        } else publication.failed({ nodeId, error: notOnTopic(nodeId, key.name) });
      } catch (error) {
        publication.failed({ nodeId, error: asTransportError(error, nodeId) });
      }
      publication.known(dial);
      this.#look(publication);
    };
    const here = nodes.filter(
      (nodeId) =>
        nodeId !== node.self &&
        node.members.isOn(nodeId, key.hex) === true &&
        topic.takes(nodeId, push.size),
    );
    const relayed = new Set(node.relay(key, push, here) ? here : []);
    publication.wait(CHOSEN);
    for (const nodeId of nodes) {
      if (nodeId === node.self) continue;
      if (relayed.has(nodeId)) publication.queued(nodeId);
      else if (node.members.isOn(nodeId, key.hex) === true) hand(nodeId);
      else void reach(nodeId);
    }
    publication.known(CHOSEN);
    this.#look(publication);
    return publication.promise;
  }

  /**
   * Sends a message to `count` nodes on the topic, chosen at random one after the other; those
   * whose score is 0 are chosen last. A node whose connection is lost before the message has left,
   * or that does not confirm it, is replaced by another one (FISCO-BCOS tries the next node on an
   * error). Each node gets a separate message with its own id.
   */
  #sendToAny(payload: Uint8Array, count: number, wanted: Wanted): Promise<PublishResult> {
    const topic = this.#topic;
    const { node, key } = topic;
    const tried = new Set<string>();
    const replaced = new Set<string>();
    const publication = this.#publicationOf(wanted, (nodeId) => replace(nodeId));
    const handOne = (): boolean => {
      const rest = node.members.interested(key.hex).filter((nodeId) => !tried.has(nodeId));
      while (rest.length > 0 && !this.isOver) {
        const nodeId = (pick(rest, node.random, (one) => !node.isDistrusted(one)) ??
          pick(rest, node.random, () => true))!;
        rest.splice(rest.indexOf(nodeId), 1);
        tried.add(nodeId);
        const message = this.#message('to', [nodeId], payload, wanted.min > 0);
        const push = pushOf(message);
        this.publications.add(publication, message);
        const reason = topic.push(nodeId, push, () => replace(nodeId));
        if (reason === undefined) {
          publication.queued(nodeId);
          return true;
        }
        publication.failed({ nodeId, error: topic.notSent(reason, nodeId, push.size) });
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
      this.#look(publication);
    };
    const fill = async () => {
      let left = count;
      publication.wait(CHOSEN);
      // If no node took the message, tries again each time that a node turns out to be on the
      // topic.
      do {
        while (left > 0 && handOne()) left--;
      } while (left === count && (await this.#arrival()));
      publication.known(CHOSEN);
    };
    // Signing a message may throw.
    void fill()
      .catch((error) => publication.fail(error))
      .then(() => this.#look(publication));
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
    return new Promise((resolve) => this.#arrivals.add({ nodeId, resolve }));
  }

  /** Ends all waits for further nodes, because none is expected. */
  #endArrivals(): void {
    for (const { resolve } of this.#arrivals) resolve(false);
    this.#arrivals.clear();
    this.#newUntil = Number.NEGATIVE_INFINITY;
  }

  /** Checks whether the publication is over, after something has happened to it. */
  #look(publication: Publication): void {
    this.publications.look(publication);
    if (!publication.isOver) this.#topic.node.dueBy(publication.due);
  }

  /** Called when a message could not be sent to a peer. */
  unsent(id: MessageId, failure: PublishFailure): void {
    if (this.#refused !== undefined) this.#refused.push(failure);
    else this.publications.unsent(id, failure);
  }

  /** A peer is on the topic. */
  peerUp(nodeId: string): void {
    for (const arrival of this.#arrivals) {
      if (arrival.nodeId !== undefined && arrival.nodeId !== nodeId) continue;
      this.#arrivals.delete(arrival);
      arrival.resolve(true);
    }
  }

  get due(): number {
    const end = this.#arrivals.size === 0 ? Number.POSITIVE_INFINITY : this.#newUntil;
    return Math.min(end, this.publications.due);
  }

  wake(now: number): void {
    this.publications.wake(now);
    if (now >= this.#newUntil) this.#endArrivals();
  }
}

/** Number of receivers that must confirm a message, and the timeout in milliseconds. */
type Wanted = Pick<PublishConfig, 'min' | 'timeout'>;

function pushOf({ id, body }: OwnMessage): Push<Body> {
  return { kind: 'push', id, hops: 1, payload: body, size: body.payload.length };
}

function asTransportError(error: unknown, nodeId: string): TransportError {
  return error instanceof TransportError
    ? error
    : new TransportError('unavailable', String(error), { target: nodeId, cause: error });
}

const NOBODY: readonly string[] = [];
/** The name under which a publication waits for the nodes that are chosen. */
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
 * Milliseconds for which a topic is new. For as long, a publication waits for peers that have not
 * announced their topics.
 */
const NEW = 1_000;
