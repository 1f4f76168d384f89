// One topic of this node: its overlay, its readers, and the messages that it publishes. A session
// exists as long as the topic has a handle or a reader. The driver calls it, and so do its parts,
// through `TopicContext`, which explains most methods. It reaches the network, the timer and
// randomness only through `node`. Each of its parts bounds what it keeps. Only the session assigns
// its public fields. Also tested through whole nodes: ../restart.test.ts, ../differences.test.ts
// and most other tests of src.

import type { Codec, TransportError } from '@trunkline/transport-core';
import type { MessageId } from '../messages/message-id.ts';
import { SeenMessages, type SeenVerdict } from '../messages/seen-messages.ts';
import type { Body, Overlay, OverlayInput, OverlayOutput, OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { TopicKey } from '../protocol.ts';
import type { TopicSnapshot } from '../snapshots.ts';
import type { NeighborDownCause, Unsent } from '../types.ts';
import type { Envelope } from '../wire/frame.ts';
import { Differences } from './differences.ts';
import { notSent } from './errors.ts';
import { Incoming } from './incoming.ts';
import { TopicLife } from './lives.ts';
import type { TopicConfig } from './options.ts';
import { Publisher } from './publisher.ts';
import type { Handed, TopicContext, TopicNode } from './topic-context.ts';

/**
 * The state of one topic at this node. It connects the overlay, the publisher, the incoming
 * messages and the readers.
 */
export class TopicSession implements TopicContext {
  /**
   * The state of the overlay; undefined until gossip has started. Another replaces it if this node
   * begins or ceases to read. After `end` it stays, and has no neighbors.
   */
  overlay: Overlay | undefined = undefined;
  /** True once the topic is closed at this node. The driver then no longer knows the session. */
  isOver = false;
  readonly key: TopicKey;
  readonly codec: Codec<unknown, any>;
  readonly limit: number;
  readonly validate: TopicConfig['validate'];
  readonly node: TopicNode;
  /** The lives of this node and of restarted peers. The `epoch` of a message id is a life. */
  readonly life: TopicLife;
  readonly incoming: Incoming;
  /** Number of open handles. */
  handles = 0;
  /** Number of open handles that may have readers. */
  #readingHandles = 0;
  /**
   * True if this node is on the topic. Otherwise it only publishes, and the topic is not on the
   * list that peers pull from this node (driver/interests.ts).
   */
  isMember: boolean;
  readonly differences: Differences;
  /**
   * True if the topic was opened with a limit other than the default, so that this node announces
   * it to each peer. A limit that is lower only because of `limits.message` of the transport is not
   * announced: peers know that one from the handshake.
   */
  readonly #hasOwnLimit: boolean;
  /** The messages of other nodes that have arrived, no matter which nodes they are for. */
  readonly #seen: SeenMessages;
  readonly publisher: Publisher;
  /** True while the outputs of the overlay are carried out. */
  #isBusy = false;
  /** This node's message that is being handed to neighbors; undefined except within `#hand`. */
  #handing: Handed | undefined = undefined;
  /** True if `dueBy` will be called at the end of this tick. */
  #isDuePending = false;

  constructor(key: TopicKey, codec: Codec<unknown, any>, config: TopicConfig, node: TopicNode) {
    this.key = key;
    this.codec = codec;
    this.limit = config.limit ?? Math.min(LIMIT, node.longest);
    this.#hasOwnLimit = (config.limit ?? LIMIT) !== LIMIT;
    this.validate = config.validate;
    this.node = node;
    this.isMember = !config.publishOnly;
    const latest = () => node.latestLife();
    this.#seen = new SeenMessages({ ...node.overlay.memory, latest });
    this.life = new TopicLife(node, (nodeId) => this.#seen.lifeOf(nodeId) ?? -1);
    this.incoming = new Incoming(this, config);
    this.publisher = new Publisher(this);
    this.differences = new Differences(this);
  }

  /**
   * Called once, when gossip has started or, if it has, when the topic is opened: creates the
   * overlay and begins to publish.
   */
  join(): void {
    this.life.begin();
    this.#createOverlay();
    this.publisher.begin();
    this.node.dueBy(this.due);
  }

  #createOverlay(): void {
    const { clock, overlay, random, self, events } = this.node;
    const isSource = !this.isMember;
    this.overlay = overlay.create({
      self,
      random,
      now: clock.now(),
      look: (id, time) => {
        // A message that was refused is ignored like an old one, and so is a message under this
        // node's id that it did not publish.
        const verdict = this.look(id, time);
        const isRefused = verdict === 'new' && this.incoming.hasRefused(id);
        return verdict === 'own' || isRefused ? 'old' : verdict;
      },
      isSource,
      isDistrusted: (nodeId) => this.node.isDistrusted(nodeId),
    });
    if (this.isMember) events.tell({ type: 'joined', topic: this.key.name });
    for (const peer of this.interested) this.peerUp(peer, clock.now());
  }

  #leaveOverlay(): void {
    if (this.overlay === undefined) return;
    this.handle(this.node.clock.now(), { type: 'leave' });
    if (this.isMember) this.node.events.tell({ type: 'left', topic: this.key.name });
  }

  /**
   * Closes the topic at this node: readers end, waiting messages fail, and neighbors are informed.
   */
  end(error: TransportError): void {
    if (this.isOver) return;
    this.isOver = true;
    this.incoming.end();
    this.publisher.end(error);
    this.#leaveOverlay();
  }

  /** Counts a handle that was opened (1) or closed (-1). */
  count(change: 1 | -1, publishOnly: boolean): void {
    this.handles += change;
    if (!publishOnly) this.#readingHandles += change;
    this.review();
  }

  /**
   * Called when a handle was opened or closed, or a reader was closed: leaves a topic that is not
   * used any more. If this node begins or ceases to read, it leaves the overlay and creates
   * another, as a member or as a node that only publishes. An open handle counts as reading unless
   * it is `publishOnly`.
   */
  review(): void {
    if (this.isOver) return;
    const { readers } = this.incoming;
    if (this.handles + readers.length === 0) return this.node.unused(this);
    const isMember = this.#readingHandles + readers.length > 0;
    if (isMember === this.isMember) return;
    this.#leaveOverlay();
    this.isMember = isMember;
    if (this.overlay !== undefined) this.#createOverlay();
    this.node.membershipChanged();
  }

  // Peers.

  /**
   * Called when a connected peer turns out to be on the topic, and for all such peers when another
   * overlay was created.
   */
  peerUp(peer: string, now: number): void {
    if (this.#hasOwnLimit || this.lifeOf(peer) !== undefined) this.differences.introduce(peer, now);
    // A peer with another overlay can't be a neighbor.
    if (!this.differences.isApart(peer)) this.enter(peer, now);
    this.publisher.peerUp(peer);
    this.node.dueBy(this.due);
  }

  peerDown(peer: string, error: TransportError | undefined, now: number): void {
    this.handle(now, { type: 'peer-down', peer, error });
    this.differences.gone(peer);
    this.publisher.peerDown(peer, error);
    this.node.dueBy(this.due);
  }

  /**
   * Returns the life that must be sent to a peer: if the peer was restarted, the newest of its
   * lives that is remembered here, so that it begins a later one (see `outlived`). Returns
   * undefined if the peer needs to know none.
   */
  lifeOf(nodeId: string): number | undefined {
    return this.overlay?.passesOn === true ? this.life.lifeOf(nodeId) : undefined;
  }

  /**
   * Called when a peer remembers a life of this node from before a restart. Unless the report is
   * ignored, it is also reported as a difference, whether or not it is believed.
   */
  outlived(from: string, life: number): void {
    const ours = this.life.epoch;
    const outcome = this.overlay?.passesOn === true ? this.life.raise(life, from) : undefined;
    if (outcome === undefined) return;
    if (outcome === 'raised') this.publisher.renew();
    this.differences.differed(from, 'life', ours, life);
  }

  enter(peer: string, now: number): void {
    this.handle(now, { type: 'peer-up', peer, isChosen: this.node.members.isChosen(peer) });
  }

  /** The connected peers on the topic. */
  get interested(): readonly string[] {
    return this.node.members.interested(this.key.hex);
  }

  /** Sends or queues a message. Returns undefined, or the reason if neither was possible. */
  push(to: string, push: Push<Body>, lost?: () => void): Unsent | undefined {
    return this.takes(to, push.size)
      ? this.node.members.push(to, this.key, push, lost)
      : 'too-large';
  }

  /** Returns true if the peer accepts messages of that size on the topic, as far as is known. */
  takes(nodeId: string, size: number): boolean {
    return size <= this.differences.limitOf(nodeId);
  }

  // The overlay.

  spread(message: OwnMessage, receipts: number, now: number): Handed {
    const handed = this.#hand(message, now, { type: 'publish', message, receipts });
    const { to, failed } = handed;
    if (this.differences.isAny) this.differences.addFailures(failed, to, message.payload);
    // The overlay may have named peers to which the message could not be sent. A tree also names
    // those that get only a notice, although the message may be too large for them.
    if (failed.length > 0)
      handed.to = to.filter((peer) => failed.every(({ nodeId }) => nodeId !== peer));
    return handed;
  }

  offer(peer: string, message: OwnMessage, now: number): boolean {
    const { to, failed } = this.#hand(message, now, { type: 'offer', peer, message });
    for (const failure of failed) this.publisher.unsent(message.id, failure);
    return to.includes(peer) && failed.every(({ nodeId }) => nodeId !== peer);
  }

  #hand({ id }: OwnMessage, now: number, input: OverlayInput): Handed {
    const outer = this.#handing;
    const handed: Handed = { id, to: NOBODY, failed: [], newcomers: [] };
    this.#handing = handed;
    try {
      this.handle(now, input);
    } finally {
      this.#handing = outer;
    }
    for (const nodeId of handed.newcomers) this.publisher.neighborUp(nodeId);
    return handed;
  }

  feed(now: number, input: OverlayInput): void {
    this.handle(now, input);
    this.node.dueBy(this.due);
  }

  handle(now: number, input: OverlayInput): void {
    this.overlay?.handle(now, input);
    this.#carryOut(now);
  }

  /**
   * Called when a node could not be reached. If this happens while an output is being carried out,
   * the loop that carries out outputs also handles the failure, so that many simultaneous failures
   * don't deepen the stack.
   */
  unreachable(peer: string, error: TransportError, now: number): void {
    this.overlay?.handle(now, { type: 'lost', peer, error });
    if (!this.#isBusy) this.#carryOut(now);
    this.node.dueBy(this.due);
  }

  /**
   * Carries out the pending outputs. Calls may be nested, because a new neighbor is offered the
   * messages that wait for one; an input makes at most one new neighbor. Each call empties the
   * overlay that was there when it began, even if that is replaced meanwhile.
   */
  #carryOut(now: number): void {
    const overlay = this.overlay;
    if (overlay === undefined) return;
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    try {
      for (let output = overlay.poll(); output !== undefined; output = overlay.poll())
        this.#carryOutOne(overlay, output, now);
    } finally {
      this.#isBusy = wasBusy;
    }
  }

  #carryOutOne(overlay: Overlay, output: OverlayOutput, now: number): void {
    const { node, key } = this;
    switch (output.type) {
      case 'push':
        if (!this.#tryPush(output.to, output.push))
          overlay.handle(now, { type: 'no-room', output });
        return;
      case 'send-control':
        if (!node.members.control(output.to, key, output.control))
          overlay.handle(now, { type: 'no-room', output });
        return;
      case 'send':
        return this.#send(output.push, output.to, output.mayRelay);
      case 'handed':
        if (this.#handing !== undefined) this.#handing.to = output.to;
        return;
      case 'send-view':
        return node.members.view(output.to, this, output.message);
      case 'neighbor-up': {
        const { peer: nodeId } = output;
        node.neighbor(nodeId, key.hex, true);
        node.events.tell({ type: 'neighborUp', topic: key.name, nodeId });
        if (this.#handing === undefined) return this.publisher.neighborUp(nodeId);
        this.#handing.newcomers.push(nodeId);
        return;
      }
      case 'neighbor-down':
        return this.#neighborDown(output.peer, output.cause, output.error);
      case 'grafted':
      case 'pruned': {
        const { type, peer: nodeId } = output;
        return node.events.tell({ type, topic: key.name, nodeId });
      }
      case 'showed':
        return this.differences.showed(output.peer, output.overlay, now);
      case 'misbehaved':
        return this.misbehaved(output.peer, output.what);
    }
  }

  /**
   * Sends a message to these peers, or has relays bring it to those that accept its size. `spread`
   * adds the others to the failures.
   */
  #send(push: Push<Body>, to: readonly string[], mayRelay: boolean): void {
    if (mayRelay) {
      const { isAny } = this.differences;
      const takers = isAny ? to.filter((nodeId) => this.takes(nodeId, push.size)) : to;
      if (this.node.relay(this.key, push, takers)) return;
    }
    for (const peer of to) {
      const reason = this.push(peer, push);
      if (reason !== undefined) this.unsent(reason, push, peer);
    }
  }

  /**
   * Tries to send a message. Returns false if there is no room, so that the overlay tries again. A
   * message that is too large can never be sent, so it counts as done.
   */
  #tryPush(to: string, push: Push<Body>): boolean {
    const { members } = this.node;
    const reason = this.takes(to, push.size) ? members.tryPush(to, this.key, push) : 'too-large';
    if (reason !== 'too-large') return reason === undefined;
    this.unsent(reason, push, to);
    // The peer may have asked for the message after a notice.
    members.control(to, this.key, { kind: 'absent', ids: [push.id] });
    return true;
  }

  #neighborDown(nodeId: string, given: NeighborDownCause, error: TransportError | undefined): void {
    const { node, key, differences } = this;
    node.neighbor(nodeId, key.hex, false);
    const cause = differences.isApart(nodeId) ? 'differs' : given;
    const event = { type: 'neighborDown', topic: key.name, nodeId, cause } as const;
    node.events.tell(error === undefined ? event : { ...event, error });
  }

  // Incoming messages.

  /**
   * Handles a message that a peer sent, whether it is new or not. The driver has checked that this
   * node is on the topic. Only the publisher itself can ask for a receipt.
   */
  pushed(from: string, envelope: Envelope, now: number): void {
    if (envelope.id.origin === from && this.life.isRestarted(from)) this.#begin(from, envelope);
    if (envelope.isAsked && envelope.id.origin === from) this.incoming.ask(envelope.id, from);
    this.incoming.inspect(from, envelope, now);
    if (this.#isDuePending) return;
    this.#isDuePending = true;
    this.node.clock.defer(this.#tellDue);
  }

  /**
   * Calls `dueBy` once for all messages of a tick. That is early enough, because no timer fires
   * before the tick is over.
   */
  readonly #tellDue = (): void => {
    this.#isDuePending = false;
    this.node.dueBy(this.due);
  };

  /**
   * Begins a new life of a restarted publisher, when the first message comes directly from it. If
   * messages are signed, the peer must have proven its id, because anybody may have kept a signed
   * message and may send it again.
   */
  #begin(from: string, { id }: Envelope): void {
    const { node } = this;
    // In a tree, anybody could silence a publisher for this node by connecting under its id. On a
    // full mesh without signatures this is accepted, even if that passes messages on (`hops`),
    // because otherwise the first message of a restarted node would be dropped.
    const mustProve = node.signatures.areRequired || node.overlay.name !== 'fullMesh';
    if (mustProve && !node.isProven(from)) return;
    this.life.began(from);
    const now = this.node.clock.now();
    if (this.lifeOf(from) !== undefined) this.differences.introduce(from, now);
    // The number of the new life may be lower than that of the last one, if the publisher's clock
    // went back and it has no store.
    this.#seen.begin(id);
  }

  /**
   * Handles a message from a relay, which may ask for a receipt in the name of the publisher.
   * Returns false if this node only publishes, or if the message was refused at once, so that the
   * true message under its id may still come.
   */
  relayed(from: string, envelope: Envelope, now: number): boolean {
    if (!this.isMember) return false;
    if (envelope.isAsked) this.incoming.ask(envelope.id, from);
    const isTaken = this.incoming.inspect(from, envelope, now, true);
    this.node.dueBy(this.due);
    return isTaken;
  }

  look(id: MessageId, now: number, from?: string): SeenVerdict | 'own' {
    if (id.origin !== this.node.self) return this.#seen.look(id, now, from);
    return this.publisher.hasPublished(id) ? 'seen' : 'own';
  }

  note(id: MessageId, now: number, from: string): SeenVerdict | 'own' {
    if (id.origin !== this.node.self) return this.#seen.note(id, now, from);
    if (this.publisher.hasPublished(id)) return 'seen';
    // Another node sends messages in the name of this node. The peer may have been deceived.
    if (id.epoch >= this.life.epoch) this.misbehaved(from, 'impostor', false);
    return 'own';
  }

  unsent(reason: Unsent, { id, size }: Pick<Push<Body>, 'id' | 'size'>, to: string): void {
    const failure = { nodeId: to, error: this.notSent(reason, to, size) };
    if (this.#handing?.id === id) this.#handing.failed.push(failure);
    else this.publisher.unsent(id, failure);
    this.incoming.count(reason, id, { to });
  }

  notSent(reason: Unsent, to: string, size: number): TransportError {
    return notSent(reason, to, size, this.differences.limitOf(to));
  }

  misbehaved(nodeId: string, what: string, isToBlame = true): void {
    this.node.events.tell({ type: 'misbehaved', topic: this.key.name, nodeId, what });
    if (what === 'origin-flood') this.node.cut(nodeId, 'it sent messages of too many publishers');
    else if (isToBlame) this.node.misbehaved(nodeId);
  }

  failed(error: unknown): void {
    this.node.events.tell({ type: 'failed', topic: this.key.name, error });
  }

  // Time.

  /**
   * Time at which `wake` has something to do. Methods that may make it earlier call `node.dueBy`,
   * except `handle`, whose callers do, and `wake`, after which the driver reads it.
   */
  get due(): number {
    return Math.min(
      this.overlay?.wakeAt ?? Number.POSITIVE_INFINITY,
      this.#seen.due + GRAIN,
      this.incoming.validation.due,
      this.publisher.due,
    );
  }

  wake(now: number): void {
    if (this.overlay !== undefined && now >= this.overlay.wakeAt)
      this.handle(now, { type: 'wake' });
    if (now >= this.#seen.due + GRAIN) this.#seen.expire(now);
    this.incoming.validation.wake(now);
    this.publisher.wake(now);
  }

  snapshot(): TopicSnapshot {
    const { overlay } = this;
    const { readers, delivered, duplicates, dropped, validation } = this.incoming;
    return {
      topic: this.key.name,
      key: this.key.hex,
      overlay: this.node.overlay.name,
      life: this.life.epoch,
      neighbors: overlay?.neighbors() ?? [],
      interested: this.interested.length,
      handles: this.handles,
      readers: readers.map((reader) => reader.state),
      validating: validation.size,
      toValidate: validation.waiting,
      published: this.publisher.published,
      delivered,
      duplicates,
      dropped: { ...dropped },
      details: overlay && { ...(overlay.snapshot() as object), ...this.#seen.size },
    };
  }
}

/**
 * Additional time, in milliseconds, for which expired entries are kept, so that they are removed
 * together, about once a second, rather than one by one.
 */
const GRAIN = 1_000;
/** Default maximum size of a message in bytes. */
const LIMIT = 1024 * 1024;
const NOBODY: readonly string[] = [];
