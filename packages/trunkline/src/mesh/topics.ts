// Opens the topics of a node from their definitions.

import type { Gossip, MessageMeta, TopicOptions } from '@trunkline/gossip';
import type { Codec } from '@trunkline/transport-core';
import { NodeTopic, type NodeTopics } from './node-topic.ts';
import type { OpenParts } from './open-parts.ts';

/** A topic: its codec, and the options of `gossip.topic`. */
export interface TopicDefinition<T> extends TopicOptions<T> {
  /** The codec of the messages, such as `json(schema)`. */
  readonly codec: Codec<T, any>;
  /**
   * Called with each message, one at a time. If it returns a promise, further messages wait for it
   * in the queue of the topic. Without it, messages wait in the queue until the program reads them
   * with `for await`.
   */
  readonly onMessage?: ((message: T, meta: MessageMeta) => unknown) | undefined;
  /**
   * Called with each error of `onMessage`, which is also reported by a `failed` event of gossip.
   * Without `onMessage`, `createNode` rejects with a TypeError.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The codec of a topic that needs no options, or its definition, seen from a publisher. */
export type TopicCodec<In> =
  | Pick<Codec<unknown, In>, 'encode'>
  | { readonly codec: Pick<Codec<unknown, In>, 'encode'> };

/** The definitions of topics, by name. */
export type TopicDefinitions = Readonly<Record<string, Codec<any> | TopicDefinition<any>>>;

/**
 * Joins the topics. Each that is not `publishOnly` has a reader from now on, so the program misses
 * no message that its queue can hold. `gossip.close()` closes the topics.
 */
export async function openTopics(
  gossip: Gossip,
  definitions: TopicDefinitions,
  open: Pick<OpenParts, 'attempt'>,
): Promise<NodeTopics<any, any>> {
  const topics: [name: string, topic: NodeTopic<unknown>][] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const openOne = () => openTopic(gossip, name, definition);
    topics.push([name, await open.attempt(`gossip.topics.${name}`, openOne)]);
  }
  return Object.fromEntries(topics);
}

function openTopic(
  gossip: Gossip,
  name: string,
  definition: Codec<any> | TopicDefinition<any>,
): NodeTopic<unknown> {
  const isCodec = 'encode' in Object(definition);
  const { codec, onMessage, onError, ...options } = (
    isCodec ? { codec: definition } : Object(definition)
  ) as TopicDefinition<unknown>;
  if (onMessage === undefined && onError !== undefined)
    throw new TypeError('gossip.topic: onError: reports errors of onMessage, which is missing');
  const topic = gossip.topic(name, codec, options);
  if (onMessage !== undefined) topic.subscribe(onMessage, { onError });
  const isRead = onMessage === undefined && options.publishOnly !== true;
  return new NodeTopic(topic, isRead ? topic.messages() : undefined);
}
