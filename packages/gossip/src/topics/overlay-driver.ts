// Runs an overlay of one topic: gives it inputs, and carries out its outputs. It receives all
// events that concern the overlay, and calls the topic's session and the driver of gossip.

import type { TransportError } from '@trunkline/transport-core';
import type { Body } from '../overlay/body.ts';
import type { Overlay, OverlayInput, OverlayOutput, OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { OverlayOutputs } from './overlay-outputs.ts';

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
      case 'deliver':
        return topic.deliver(output.push, output.key, output.from, output.hops);
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
      case 'repeated':
        return topic.repeated(output.id, output.from);
      case 'dropped':
        return topic.refused(output.reason, output.id, output.from);
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
        return topic.misbehaved(output.peer, output.what, output.isToBlame);
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
