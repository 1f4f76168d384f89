// Carries out those outputs of a topic's overlay that require more than a send: deliveries,
// neighbors, misbehavior, and messages that could not be sent.

import type { TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from '../hyparview/message.ts';
import type { MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/body.ts';
import type { Push } from '../plumtree/message.ts';
import type { MessageDropReason, NeighborDownCause, Unsent } from '../types.ts';
import type { Deliveries } from './deliveries.ts';
import type { TopicContext } from './topic-context.ts';
import type { TopicKey } from './topic-key.ts';
import type { TopicNode } from './topic-node.ts';

export class OverlayOutputs {
  readonly key: TopicKey;
  readonly node: TopicNode;
  readonly #topic: TopicContext;
  readonly #deliveries: Deliveries;

  constructor(topic: TopicContext, deliveries: Deliveries) {
    this.key = topic.key;
    this.node = topic.node;
    this.#topic = topic;
    this.#deliveries = deliveries;
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

  deliver(push: Push<Body>, key: string, from: string, hops: number): void {
    this.#deliveries.deliver(push, key, from, hops);
  }

  /** A known message arrived again. */
  repeated(id: MessageId, from: string): void {
    this.#deliveries.repeated(id, from);
  }

  /** The overlay refused a message. */
  refused(reason: MessageDropReason, id: MessageId, from: string): void {
    this.#deliveries.drop(reason, id, from);
    if (reason === 'old' && id.origin === from && this.#topic.lifeOf(from) !== undefined)
      this.#topic.compare(this.node.clock.now(), { type: 'introduce', peer: from });
  }

  /** Called when a peer has shown which overlay it uses. */
  showed(nodeId: string, overlay: string): void {
    this.#topic.compare(this.node.clock.now(), { type: 'showed', peer: nodeId, overlay });
  }

  misbehaved(nodeId: string, what: string, isToBlame: boolean): void {
    this.#topic.misbehaved(nodeId, what, isToBlame);
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
