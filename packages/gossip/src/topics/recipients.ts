// Sends messages to a list of nodes, directly to each, whether it is a neighbor or not. Failing
// recipients don't affect the others.

import { TransportError } from '@trunkline/transport-core';
import { pick } from '../hyparview/views.ts';
import type { Body, OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { PublishFailure, PublishResult } from '../types.ts';
import { notOnTopic } from './errors.ts';
import { Publication } from './publications.ts';
import type { TopicContext } from './topic-context.ts';

/** A topic's publisher, as it is used to send to a list of nodes. */
export interface DirectSender {
  readonly isOver: boolean;
  /**
   * Resolves to true if that node, or any node if no id is given, turns out to be on the topic
   * while the topic is new here.
   */
  arrival(nodeId?: string): Promise<boolean>;
  /** Informs the publication about receipts, lost peers and the time until it is over. */
  track(publication: Publication, message: OwnMessage): void;
  /** Checks whether the publication is over, after something has happened to it. */
  look(publication: Publication): void;
}

/** Number of receivers that must confirm a message, and the timeout in milliseconds. */
export interface Wanted {
  readonly min: number;
  readonly timeout: number;
}

/**
 * Resolves when the message has been queued for each listed node if possible, and `min` of them
 * have confirmed it.
 */
export function sendTo(
  topic: TopicContext,
  sender: DirectSender,
  message: OwnMessage,
  wanted: Wanted,
): Promise<PublishResult> {
  const { node, key } = topic;
  const { nodes } = message.body;
  const push = pushOf(message);
  const publication = publicationOf(topic, wanted);
  sender.track(publication, message);
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
      if (isOn || (await sender.arrival(nodeId))) {
        // A message that was reported as not sent must not leave later.
        if (!sender.isOver && !publication.isOver) hand(nodeId);
      } else publication.failed({ nodeId, error: notOnTopic(nodeId, key.name) });
    } catch (error) {
      publication.failed({ nodeId, error: asTransportError(error, nodeId) });
    }
    publication.known(dial);
    sender.look(publication);
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
  sender.look(publication);
  return publication.promise;
}

/**
 * Sends a message to `count` nodes on the topic, chosen at random one after the other; those whose
 * score is 0 are chosen last. A node whose connection is lost before the message has left, or that
 * does not confirm it, is replaced by another one (FISCO-BCOS tries the next node on an error).
 * Each node gets a separate message with its own id.
 */
export function sendToAny(
  topic: TopicContext,
  sender: DirectSender,
  make: (nodes: readonly string[]) => OwnMessage,
  count: number,
  wanted: Wanted,
): Promise<PublishResult> {
  const { node, key } = topic;
  const tried = new Set<string>();
  const replaced = new Set<string>();
  const publication = publicationOf(topic, wanted, (nodeId) => replace(nodeId));
  const handOne = (): boolean => {
    const rest = node.members.interested(key.hex).filter((nodeId) => !tried.has(nodeId));
    while (rest.length > 0 && !sender.isOver) {
      const nodeId = (pick(rest, node.random, (one) => !node.isDistrusted(one)) ??
        pick(rest, node.random, () => true))!;
      rest.splice(rest.indexOf(nodeId), 1);
      tried.add(nodeId);
      const message = make([nodeId]);
      const push = pushOf(message);
      sender.track(publication, message);
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
  };
  const fill = async () => {
    let left = count;
    publication.wait(CHOSEN);
    // If no node took the message, tries again each time that a node turns out to be on the topic.
    do {
      while (left > 0 && handOne()) left--;
    } while (left === count && (await sender.arrival()));
    publication.known(CHOSEN);
  };
  // Signing a message may throw.
  void fill()
    .catch((error) => publication.fail(error))
    .then(() => sender.look(publication));
  return publication.promise;
}

function pushOf({ id, body }: OwnMessage): Push<Body> {
  return { kind: 'push', id, hops: 1, payload: body, size: body.payload.length };
}

function publicationOf(
  { node }: TopicContext,
  { min, timeout }: Wanted,
  missed?: (nodeId: string) => void,
): Publication {
  return new Publication({
    min,
    timeout,
    due: min === 0 ? Number.POSITIVE_INFINITY : node.clock.now() + timeout,
    missed,
  });
}

function asTransportError(error: unknown, nodeId: string): PublishFailure['error'] {
  return error instanceof TransportError
    ? error
    : new TransportError('unavailable', String(error), { target: nodeId, cause: error });
}

/** The name under which a publication waits for the nodes that are chosen. */
const CHOSEN = 'chosen';
