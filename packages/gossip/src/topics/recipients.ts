// Messages to a list of nodes: each directly, whether it is a neighbour or not. A bad recipient does not spoil the rest.

import { type Random, TransportError } from '@trunkline/transport-core';
import type { Body } from '../overlay/body.ts';
import type { OwnMessage } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { PublishFailure, PublishResult, Unsent } from '../types.ts';
import { resultOf } from './publication.ts';
import type { TopicKey } from './topic-key.ts';

/** What it asks of the topic. */
export interface Sender {
  readonly key: TopicKey;
  readonly isOver: boolean;
  readonly host: {
    readonly self: string;
    readonly random: Random;
    interested(topic: string): string[];
    isOn(nodeId: string, topic: string): boolean | undefined;
    reach(nodeId: string, topic: string, timeout: number): Promise<boolean>;
    relay(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean;
  };
  push(to: string, push: Push<Body>, lost?: () => void): Unsent | undefined;
  /** Does the peer take messages of that size on the topic, as far as is known? */
  takes(nodeId: string, size: number): boolean;
  /** The error that a failure tells. */
  notSent(reason: Unsent, to: string, size: number): TransportError;
  unsent(reason: Unsent, push: Pick<Push<Body>, 'id' | 'size'>, to: string): void;
}

/** Resolves when each of the list was handed the message, or could not be. */
export async function sendTo(
  session: Sender,
  { id, body }: OwnMessage,
  { min, timeout }: { readonly min: number; readonly timeout: number },
): Promise<PublishResult> {
  const { host, key } = session;
  const push: Push<Body> = { kind: 'push', id, hops: 1, payload: body, size: body.payload.length };
  const failed: PublishFailure[] = [];
  let handed = 0;
  const hand = (nodeId: string, isOn: boolean) => {
    if (!isOn) {
      const error = new TransportError('not_found', `node ${nodeId} is not on topic ${key.name}`, { target: nodeId, sent: false });
      failed.push({ nodeId, error });
      return;
    }
    const reason = session.push(nodeId, push);
    if (reason === undefined) {
      handed++;
    } else {
      session.unsent(reason, push, nodeId);
      failed.push({ nodeId, error: session.notSent(reason, nodeId, push.size) });
    }
  };
  const reach = async (nodeId: string) => {
    try {
      hand(nodeId, await host.reach(nodeId, key.hex, timeout));
    } catch (error) {
      failed.push({
        nodeId,
        error: error instanceof TransportError ? error : new TransportError('unavailable', String(error), { target: nodeId, cause: error }),
      });
    }
  };
  const absent: Promise<void>[] = [];
  const here = body.nodes.filter((nodeId) => nodeId !== host.self && host.isOn(nodeId, key.hex) === true && session.takes(nodeId, push.size));
  const relayed = new Set(host.relay(key, push, here) ? here : []);
  handed += relayed.size;
  for (const nodeId of body.nodes) {
    if (nodeId === host.self || relayed.has(nodeId)) continue;
    const isOn = host.isOn(nodeId, key.hex);
    if (isOn === undefined) absent.push(reach(nodeId));
    else hand(nodeId, isOn);
  }
  if (absent.length > 0) await Promise.all(absent);
  if (handed >= min) return resultOf(handed, failed);
  throw new TransportError('unavailable', `publish: it was handed to ${handed} of ${min} peers`, { sent: handed > 0, cause: failed[0]?.error });
}

/**
 * Hands it to so many nodes on the topic, chosen at random: to one after the other until there are enough, and to another one for each whose
 * connection is lost before the message has left (FISCO-BCOS tries the next on an error). Each is a message of its own.
 */
export async function sendToAny(session: Sender, make: (nodes: readonly string[]) => OwnMessage, count: number, min: number): Promise<PublishResult> {
  const { host, key } = session;
  const rest = host.interested(key.hex);
  const failed: PublishFailure[] = [];
  const handOne = (): boolean => {
    while (rest.length > 0 && !session.isOver) {
      const [nodeId] = rest.splice(Math.floor(host.random() * rest.length), 1) as [string];
      const { id, body } = make([nodeId]);
      const push: Push<Body> = { kind: 'push', id, hops: 1, payload: body, size: body.payload.length };
      const reason = session.push(nodeId, push, () => void handOne());
      if (reason === undefined) return true;
      failed.push({ nodeId, error: session.notSent(reason, nodeId, push.size) });
    }
    return false;
  };
  let handed = 0;
  while (handed < count && handOne()) handed++;
  if (handed >= min) return resultOf(handed, failed.slice());
  throw new TransportError('unavailable', `publish: it was handed to ${handed} of ${min} peers`, { sent: handed > 0, cause: failed[0]?.error });
}
