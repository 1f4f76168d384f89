// Runs an overlay of one topic: gives it inputs, and carries out its outputs. It receives all
// events that concern the overlay, and calls the topic's session and the driver of gossip.

import type { TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from '../hyparview/message.ts';
import type { Body, Overlay, OverlayInput, OverlayOutput, OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { NeighborDownCause, Unsent } from '../types.ts';
import type { TopicContext, TopicNode } from './topic-context.ts';
import type { TopicKey } from './topic-key.ts';

export class OverlayDriver {
  readonly overlay: Overlay;
  readonly #topic: OverlayOutputs;
  #isBusy = false;
  /**
   * The neighbors to which the last own message was handed, and those to which it could not be
   * sent.
   */
  #handed: readonly string[] = NOBODY;
  #failed: string[] = [];

  constructor(overlay: Overlay, topic: OverlayOutputs) {
    this.overlay = overlay;
    this.#topic = topic;
  }

  /** Gives the overlay an input, and carries out its outputs. */
  feed(now: number, input: OverlayInput): void {
    this.overlay.handle(now, input);
    this.#carryOut(now);
  }

  /**
   * Called when a node could not be reached. If this happens while an output is being carried out,
   * the loop that carries out outputs also handles the failure, so that many simultaneous failures
   * don't deepen the stack.
   */
  unreachable(now: number, peer: string, error: TransportError): void {
    this.overlay.handle(now, { type: 'unreachable', peer, error });
    if (!this.#isBusy) this.#carryOut(now);
  }

  /** Publishes a message. Returns the neighbors to which it was handed. */
  publish(now: number, message: OwnMessage, receipts: number): readonly string[] {
    return this.#hand(now, { type: 'publish', message, receipts });
  }

  /** Offers a message to a neighbor. Returns true if it was handed to the neighbor. */
  offer(now: number, peer: string, message: OwnMessage): boolean {
    return this.#hand(now, { type: 'offer', peer, message }).includes(peer);
  }

  #hand(now: number, input: OverlayInput): readonly string[] {
    this.#handed = NOBODY;
    this.#failed = [];
    this.feed(now, input);
    return this.#handed;
  }

  /**
   * Carries out the pending outputs. Calls may be nested, because a reader may publish while a
   * message is delivered to it.
   */
  #carryOut(now: number): void {
    const { overlay } = this;
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    try {
      for (let output = overlay.poll(); output !== undefined; output = overlay.poll())
        this.#carryOutOne(output, now);
    } finally {
      this.#isBusy = wasBusy;
    }
  }

  #carryOutOne(output: OverlayOutput, now: number): void {
    const topic = this.#topic;
    switch (output.type) {
      case 'push':
        if (!this.#tryPush(output.to, output.push))
          this.overlay.handle(now, { type: 'no-room', output });
        return;
      case 'send-control':
        if (!topic.node.members.control(output.to, topic.key, output.control))
          this.overlay.handle(now, { type: 'no-room', output });
        return;
      case 'send':
        if (!output.mayRelay || !topic.relay(output.push, output.to))
          this.#send(output.push, output.to);
        return;
      case 'handed':
        this.#handed =
          this.#failed.length === 0
            ? output.to
            : output.to.filter((peer) => !this.#failed.includes(peer));
        return;
      case 'send-view':
        return topic.view(output.to, output.message);
      case 'neighbor-up':
        return topic.neighborUp(output.peer);
      case 'neighbor-down':
        return topic.neighborDown(output.peer, output.cause, output.error);
      case 'grafted':
      case 'pruned': {
        const { type, peer: nodeId } = output;
        return topic.node.events.tell({ type, topic: topic.key.name, nodeId });
      }
      case 'showed':
        return topic.showed(output.peer, output.overlay);
      case 'misbehaved':
        return topic.misbehaved(output.peer, output.what);
    }
  }

  #send(push: Push<Body>, to: readonly string[]): void {
    for (const peer of to) {
      const reason = this.#topic.push(peer, push);
      if (reason === undefined) continue;
      this.#failed.push(peer);
      this.#topic.unsent(reason, push, peer);
    }
  }

  /**
   * Tries to send a message. Returns false if there is no room. A message that is too large can
   * never be sent.
   */
  #tryPush(to: string, push: Push<Body>): boolean {
    const topic = this.#topic;
    const reason = topic.takes(to, push.size)
      ? topic.node.members.tryPush(to, topic.key, push)
      : 'too-large';
    if (reason !== 'too-large') return reason === undefined;
    topic.unsent(reason, push, to);
    // The peer may have asked for the message after a notice.
    topic.node.members.control(to, topic.key, { kind: 'absent', ids: [push.id] });
    return true;
  }
}

const NOBODY: readonly string[] = [];

// Carries out those outputs of a topic's overlay that require more than a send: neighbors,
// misbehavior, and messages that could not be sent.

export class OverlayOutputs {
  readonly key: TopicKey;
  readonly node: TopicNode;
  readonly #topic: TopicContext;

  constructor(topic: TopicContext) {
    this.key = topic.key;
    this.node = topic.node;
    this.#topic = topic;
  }

  /** Sends or queues a message. Returns undefined, or the reason if neither was possible. */
  push(to: string, push: Push<Body>): Unsent | undefined {
    return this.#topic.push(to, push);
  }

  /** Returns true if the peer accepts messages of that size on the topic, as far as is known. */
  takes(nodeId: string, size: number): boolean {
    return this.#topic.takes(nodeId, size);
  }

  /** Called when a message could not be sent to a peer. */
  unsent(reason: Unsent, push: Push<Body>, to: string): void {
    this.#topic.unsent(reason, push, to);
  }

  /**
   * Has relays bring a message to the peers that accept messages of its size. Returns false if it
   * must be sent directly.
   */
  relay(push: Push<Body>, to: readonly string[]): boolean {
    const takers = this.#topic.differences.isAny
      ? to.filter((nodeId) => this.takes(nodeId, push.size))
      : to;
    return this.node.relay(this.key, push, takers);
  }

  view(to: string, message: PartialViewMessage): void {
    this.node.view(to, this.#topic, message);
  }

  /** Called when a peer has shown which overlay it uses. */
  showed(nodeId: string, overlay: string): void {
    this.#topic.compare(this.node.clock.now(), { type: 'showed', peer: nodeId, overlay });
  }

  misbehaved(nodeId: string, what: string): void {
    this.#topic.misbehaved(nodeId, what);
  }

  neighborUp(nodeId: string): void {
    this.node.neighbor(nodeId, true);
    this.node.events.tell({ type: 'neighborUp', topic: this.key.name, nodeId });
    this.#topic.offerTo(nodeId);
  }

  neighborDown(nodeId: string, given: NeighborDownCause, error: TransportError | undefined): void {
    this.node.neighbor(nodeId, false);
    const cause = this.#topic.differences.isApart(nodeId) ? 'differs' : given;
    this.node.events.tell({
      type: 'neighborDown',
      topic: this.key.name,
      nodeId,
      cause,
      ...(error === undefined ? {} : { error }),
    });
  }
}
