// Runs the overlay of one topic: gives it inputs, and carries out its outputs. It receives all
// events that concern the overlay, and calls the topic's session and the driver of gossip.

import type { TransportError } from '@trunkline/transport-core';
import type { Body, Overlay, OverlayInput, OverlayOutput, OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { NeighborDownCause } from '../types.ts';
import type { TopicContext } from './topic-context.ts';

export class OverlayDriver {
  readonly overlay: Overlay;
  readonly #topic: TopicContext;
  #isBusy = false;
  /**
   * The neighbors to which the last own message was handed, and those to which it could not be
   * sent.
   */
  #handed: readonly string[] = NOBODY;
  #failed: string[] = [];

  constructor(overlay: Overlay, topic: TopicContext) {
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
   * Carries out the pending outputs. Calls may be nested, because a new neighbor is offered the
   * messages that wait for one.
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
        if (!output.mayRelay || !this.#relay(output.push, output.to))
          this.#send(output.push, output.to);
        return;
      case 'handed':
        this.#handed =
          this.#failed.length === 0
            ? output.to
            : output.to.filter((peer) => !this.#failed.includes(peer));
        return;
      case 'send-view':
        return topic.node.view(output.to, topic, output.message);
      case 'neighbor-up':
        return this.#neighborUp(output.peer);
      case 'neighbor-down':
        return this.#neighborDown(output.peer, output.cause, output.error);
      case 'grafted':
      case 'pruned': {
        const { type, peer: nodeId } = output;
        return topic.node.events.tell({ type, topic: topic.key.name, nodeId });
      }
      case 'showed':
        return topic.compare(now, output);
      case 'misbehaved':
        return topic.misbehaved(output.peer, output.what);
    }
  }

  /**
   * Has relays bring a message to the peers that accept messages of its size. Returns false if it
   * must be sent directly.
   */
  #relay(push: Push<Body>, to: readonly string[]): boolean {
    const { node, key, differences } = this.#topic;
    const takers = differences.isAny
      ? to.filter((nodeId) => this.#topic.takes(nodeId, push.size))
      : to;
    return node.relay(key, push, takers);
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

  #neighborUp(nodeId: string): void {
    const { node, key } = this.#topic;
    node.neighbor(nodeId, true);
    node.events.tell({ type: 'neighborUp', topic: key.name, nodeId });
    this.#topic.neighborUp(nodeId);
  }

  #neighborDown(nodeId: string, given: NeighborDownCause, error: TransportError | undefined): void {
    const { node, key, differences } = this.#topic;
    node.neighbor(nodeId, false);
    const cause = differences.isApart(nodeId) ? 'differs' : given;
    const event = { type: 'neighborDown', topic: key.name, nodeId, cause } as const;
    node.events.tell(error === undefined ? event : { ...event, error });
  }
}

const NOBODY: readonly string[] = [];
