// The handle on a topic through which the user publishes and subscribes. It checks the options and
// encodes the messages; TopicSession does the rest. Tested in gossip.test.ts and most other tests.

import { type Codec, TransportError } from '@trunkline/transport-core';
import { parseOptions } from '@trunkline/transport-core/backend';
import { topicClosed } from './topics/errors.ts';
import {
  loopOptions,
  type PublishConfig,
  publishOptions,
  subscribeOptions,
  type TopicConfig,
} from './topics/options.ts';
import { CallbackReader, LoopReader } from './topics/reader.ts';
import type { TopicSession } from './topics/topic-session.ts';
import type {
  MessageMeta,
  PublishOptions,
  PublishResult,
  ReceivedMessage,
  SubscribeOptions,
  TopicQueueOptions,
  TopicSubscription,
} from './types.ts';

/**
 * A handle on a topic that this node is on, returned by `gossip.topic`. The node leaves the topic
 * when the last handle and the last reader of the topic are closed.
 *
 * Order: messages of one publisher that fit in one packet arrive in the order in which they were
 * published as long as they take the same path, as on a full mesh. Paths over a tree change, so
 * messages may arrive in another order there. Messages longer than a packet may also arrive in
 * another order.
 */
export class Topic<T, In = T> implements AsyncIterable<ReceivedMessage<T>> {
  readonly #session: TopicSession;
  readonly #codec: Codec<T, In>;
  readonly #config: TopicConfig;
  #isClosed = false;

  /** @internal */
  constructor(session: TopicSession, codec: Codec<T, In>, config: TopicConfig) {
    this.#session = session;
    this.#codec = codec;
    this.#config = config;
    session.count(1, config.publishOnly);
  }

  /** The name of the topic, or its 32 bytes in hex. */
  get name(): string {
    return this.#session.key.name;
  }

  /** The connected nodes with which this node exchanges messages of the topic. */
  get neighbors(): readonly string[] {
    return this.#session.overlay?.neighbors() ?? [];
  }

  /**
   * Sends a message to all other nodes on the topic, or to those that `options` selects. Without
   * `min`, it resolves when the message is queued for, or announced to, the peers that are known to
   * be on the topic; with `min`, when that many peers have confirmed it.
   *
   * It first waits for `start`. It then waits at most 1 s for a first peer while the topic is new,
   * and for newly connected peers to report their topics; and at most 2 s if peers are on the topic
   * but none is a neighbor yet.
   *
   * It rejects with `resource_exhausted` (`too_large`) if the message is above the limit, with the
   * error of the codec (usually `invalid_argument`) if the codec rejects the message, and with
   * `shutdown` after closing. It rejects with a TypeError for invalid options, with
   * `failed_precondition` if this node has `signatures.verify` but no identity, and with the error
   * of the signer if that throws. With `min` it also rejects with `deadline_exceeded`, or with
   * `unavailable` if too few recipients are left. At most 1,024 messages of a topic can wait for
   * recipients or confirmation, and 128 for the start; one more rejects with `resource_exhausted`.
   */
  async publish(message: In, options?: PublishOptions): Promise<PublishResult> {
    const config = options === undefined ? TO_ALL : configOf(options);
    if (this.#isClosed) throw topicClosed(this.name);
    const encoded = this.#codec.encode(message);
    // The message is kept for nodes that ask for it later.
    const payload = this.#codec.owned === true ? encoded : new Uint8Array(encoded);
    const { reporter } = this.#session.node;
    if (!reporter.hearsPublications) return this.#session.publisher.publish(payload, config);
    return reporter.publish(this.name, payload.length, async () =>
      this.#session.publisher.publish(payload, config),
    );
  }

  /**
   * Calls a function with each message that is received after this call, one at a time. If the
   * function returns a promise, further messages wait for it in the queue of this reader. If it
   * throws or its promise rejects, `onError` is called, a `failed` event reports the error, and the
   * next message follows. Throws a TypeError for invalid arguments or if this handle is
   * `publishOnly`, and `shutdown` if it or gossip is closed.
   */
  subscribe(
    callback: (message: T, meta: MessageMeta) => unknown,
    options: SubscribeOptions = {},
  ): TopicSubscription {
    if (typeof callback !== 'function')
      throw new TypeError(`topic.subscribe: expected a function, got ${typeof callback}`);
    const { queue, onError } = parseOptions(subscribeOptions, options, 'topic.subscribe');
    const reader = new CallbackReader(
      callback as (message: unknown, meta: MessageMeta) => unknown,
      onError,
      { ...this.#config.queue, ...queue },
      this.#codec,
      this.#toRead('subscribe'),
    );
    this.#session.incoming.addReader(reader);
    return { close: () => reader.close() };
  }

  /**
   * Iterates over the messages that are received after this call. Leaving the loop closes the
   * reader; the loop ends when gossip is closed. Throws like `subscribe`. Under the policy `error`,
   * a loop that is too slow gets `resource_exhausted`.
   */
  [Symbol.asyncIterator](): AsyncIterator<ReceivedMessage<T>, undefined> &
    AsyncIterableIterator<ReceivedMessage<T>> {
    return this.messages();
  }

  /** Iterates like `for await (… of topic)`, with these queue options. Throws like `subscribe`. */
  messages(
    options: { readonly queue?: TopicQueueOptions | undefined } = {},
  ): AsyncIterator<ReceivedMessage<T>, undefined> & AsyncIterableIterator<ReceivedMessage<T>> {
    const { queue } = parseOptions(loopOptions, options, 'topic.messages');
    const session = this.#toRead('messages');
    const reader = new LoopReader({ ...this.#config.queue, ...queue }, this.#codec, session);
    session.incoming.addReader(reader);
    return reader as AsyncIterator<ReceivedMessage<T>, undefined> &
      AsyncIterableIterator<ReceivedMessage<T>>;
  }

  /** Releases the handle. Its readers keep running until they are closed. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.count(-1, this.#config.publishOnly);
  }

  /** Returns the session, or throws if this handle can't have another reader. */
  #toRead(method: string): TopicSession {
    const session = this.#session;
    const { name } = this;
    if (this.#config.publishOnly)
      throw new TypeError(
        `topic.${method}: this handle of topic ${name} only publishes; open the topic without publishOnly`,
      );
    if (this.#isClosed || session.isOver)
      throw new TransportError('shutdown', `topic ${name} was closed on this node`);
    return session;
  }
}

function configOf(options: PublishOptions): PublishConfig {
  const config = parseOptions(publishOptions, options, 'topic.publish');
  if ([config.to, config.except, config.any].filter((given) => given !== undefined).length > 1) {
    throw new TypeError("topic.publish: 'to', 'except' and 'any' exclude each other");
  }
  return config;
}

/**
 * The options of a message to all nodes. They are checked only once, because most messages are
 * published with them.
 */
const TO_ALL = parseOptions(publishOptions, {}, 'topic.publish');
