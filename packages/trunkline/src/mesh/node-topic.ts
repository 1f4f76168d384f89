// A topic of a node: publishes messages, and keeps those that arrive until the program reads them.

import type { PublishOptions, PublishResult, ReceivedMessage, Topic } from '@trunkline/gossip';

/** The topics of a node, by name. */
export type NodeTopics<Out, In> = {
  readonly [K in keyof Out]: NodeTopic<Out[K], K extends keyof In ? In[K] : Out[K]>;
};

/**
 * A topic that the node is on until it is closed. `node.gossip.topic(name, codec)` gives another
 * handle on it, with more readers.
 */
export class NodeTopic<T, In = T> implements AsyncIterable<ReceivedMessage<T>> {
  readonly #topic: Topic<T, In>;
  /** The reader from the start of the node, until a loop takes it; undefined if there is none. */
  #first:
    | (AsyncIterator<ReceivedMessage<T>, undefined> & AsyncIterableIterator<ReceivedMessage<T>>)
    | undefined;

  /** @internal */
  constructor(
    topic: Topic<T, In>,
    first:
      | (AsyncIterator<ReceivedMessage<T>, undefined> & AsyncIterableIterator<ReceivedMessage<T>>)
      | undefined,
  ) {
    this.#topic = topic;
    this.#first = first;
  }

  /** The name of the topic. */
  get name(): string {
    return this.#topic.name;
  }

  /** The connected nodes with which this node exchanges messages of the topic. */
  get neighbors(): readonly string[] {
    return this.#topic.neighbors;
  }

  /** Sends a message to all other nodes on the topic, as `publish` of a topic of gossip does. */
  publish(message: In, options?: PublishOptions): Promise<PublishResult> {
    return this.#topic.publish(message, options);
  }

  /**
   * Iterates over the messages. Without `onMessage`, the first loop begins with the messages that
   * have arrived since the node started, as far as the queue of the topic holds them. Any other
   * loop begins with the next message. Leaving a loop closes its reader, and the loop ends when the
   * node is closed. Throws a TypeError on a topic that is `publishOnly`.
   */
  [Symbol.asyncIterator](): AsyncIterator<ReceivedMessage<T>, undefined> &
    AsyncIterableIterator<ReceivedMessage<T>> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#topic.messages();
  }
}
