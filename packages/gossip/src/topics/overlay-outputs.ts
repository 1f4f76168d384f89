// Carries out those outputs of a topic's overlay that are more than a send: deliveries, neighbors,
// misbehavior, and messages that could not be sent.

import type { TransportError } from '@trunkline/transport-core';
import type { PartialViewMessage } from '../hyparview/message.ts';
import type { MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/body.ts';
import type { Push } from '../plumtree/message.ts';
import type { DropReason, NeighborDownCause, Unsent } from '../types.ts';
import type { Deliveries } from './deliveries.ts';
import type { Differences } from './differences.ts';
import type { OverlayTopic } from './overlay-driver.ts';
import type { TopicSessionHost, ViewSession } from './session-host.ts';
import type { TopicKey } from './topic-key.ts';

/** The parts of the topic that outputs concern. */
export interface OverlayOutputsTopic extends ViewSession {
  readonly host: TopicSessionHost;
  push(to: string, push: Push<Body>): Unsent | undefined;
  takes(nodeId: string, size: number): boolean;
  unsent(reason: Unsent, push: Push<Body>, to: string): void;
  misbehaved(nodeId: string, what: string, isToBlame: boolean): void;
  /** A peer became a neighbor, so messages that wait for one are offered to it. */
  offerTo(nodeId: string): void;
}

export class OverlayOutputs implements OverlayTopic {
  readonly key: TopicKey;
  readonly host: TopicSessionHost;
  readonly #topic: OverlayOutputsTopic;
  readonly #differences: Differences;
  readonly #deliveries: Deliveries;

  constructor(topic: OverlayOutputsTopic, differences: Differences, deliveries: Deliveries) {
    this.key = topic.key;
    this.host = topic.host;
    this.#topic = topic;
    this.#differences = differences;
    this.#deliveries = deliveries;
  }

  push(to: string, push: Push<Body>): Unsent | undefined {
    return this.#topic.push(to, push);
  }

  takes(nodeId: string, size: number): boolean {
    return this.#topic.takes(nodeId, size);
  }

  unsent(reason: Unsent, push: Push<Body>, to: string): void {
    this.#topic.unsent(reason, push, to);
  }

  /** Has relays bring a message to those peers that take messages of its size. */
  relay(push: Push<Body>, to: readonly string[]): boolean {
    const takers = this.#differences.isAny
      ? to.filter((nodeId) => this.takes(nodeId, push.size))
      : to;
    return this.host.relay(this.key, push, takers);
  }

  view(to: string, message: PartialViewMessage): void {
    this.host.view(to, this.#topic, message);
  }

  deliver(push: Push<Body>, key: string, from: string, hops: number): void {
    this.#deliveries.deliver(push, key, from, hops);
  }

  repeated(id: MessageId, from: string): void {
    this.#deliveries.repeated(id, from);
  }

  refused(reason: DropReason, id: MessageId, from: string): void {
    this.#deliveries.drop(reason, id, from);
    if (reason === 'old' && id.origin === from && this.#topic.lifeOf(from) !== undefined)
      this.#differences.tell(from);
  }

  speaks(nodeId: string, overlay: string): void {
    this.#differences.speaks(nodeId, overlay);
  }

  misbehaved(nodeId: string, what: string, isToBlame: boolean): void {
    this.#topic.misbehaved(nodeId, what, isToBlame);
  }

  neighborUp(nodeId: string): void {
    this.host.neighbor(nodeId, true);
    this.host.events.tell({ type: 'neighborUp', topic: this.key.name, nodeId });
    this.#topic.offerTo(nodeId);
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
}
