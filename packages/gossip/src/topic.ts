// One user's handle on a topic.

import { type Codec, parseOptions, TransportError } from '@trunkline/transport-core';
import { type PublishConfig, publishOptions, subscribeOptions } from './options.ts';
import { topicClosed } from './topics/errors.ts';
import { CallbackReader, LoopReader, type ReaderHost, type ReaderOptions } from './topics/reader.ts';
import type { Session } from './topics/session.ts';
import type { MessageMeta, PublishOptions, PublishResult, QueueOptions, Received, SubscribeOptions, Subscription } from './types.ts';

/**
 * A handle on a topic that this node is on: `gossip.topic`. The node leaves the topic when the last handle and the last reader of it are
 * closed. Order: messages of one publisher that fit one packet come in the order published where they take one path: on a full mesh. Over a
 * tree that changes, and for longer ones, they may not.
 */
export class Topic<T, In = T> implements AsyncIterable<Received<T>> {
  readonly #session: Session;
  readonly #codec: Codec<T, In>;
  readonly #queue: ReaderOptions;
  #isClosed = false;

  /** @internal */
  constructor(session: Session, codec: Codec<T, In>, queue: QueueOptions) {
    this.#session = session;
    this.#codec = codec;
    this.#queue = { size: queue.size ?? SIZE, bytes: queue.bytes ?? BYTES, policy: queue.policy ?? 'drop-oldest' };
    session.handles++;
  }

  /** The name, or the 32 bytes in hex. */
  get name(): string {
    return this.#session.key.name;
  }

  /** Connected nodes that messages are exchanged with. */
  get neighbors(): readonly string[] {
    return this.#session.overlay?.neighbors() ?? [];
  }

  /**
   * Sends a message to everyone on the topic but this node, or to those that `options` names. It resolves once the message is queued for, or
   * announced to, the peers that are known to be on the topic; with `min`, once so many have confirmed it. It waits for `start`, for a first peer while
   * the topic is new, and for peers that have just come to say which topics they are on, 1 s at most each. It rejects with `resource_exhausted`
   * (`too_large`) above the limit, `invalid_argument` for what the codec refuses, `shutdown`, and, with `min`, `deadline_exceeded`, or `unavailable` if
   * too few recipients are left. At most 1,024 messages of a topic wait for their recipients or to be confirmed; one more is `resource_exhausted`.
   */
  async publish(message: In, options?: PublishOptions): Promise<PublishResult> {
    const config = options === undefined ? TO_ALL : configOf(options);
    if (this.#isClosed) throw topicClosed(this.name);
    return this.#session.publish(this.#codec.encode(message), config);
  }

  /**
   * Calls a function with each message that comes from now on, one after the other: where it gives a promise the next waits for it, in a queue
   * of its own. What it throws is told to `onError` and as an event, and the next comes.
   */
  subscribe(callback: (message: T, meta: MessageMeta) => unknown, options: SubscribeOptions = {}): Subscription {
    if (typeof callback !== 'function') throw new TypeError(`topic.subscribe: takes a function, got ${typeof callback}`);
    const { queue, onError } = parseOptions(subscribeOptions, options, 'topic.subscribe');
    const reader = new CallbackReader(callback as (message: unknown, meta: MessageMeta) => unknown, onError, this.#options(queue), this.#host());
    this.#session.addReader(reader);
    return { close: () => reader.close() };
  }

  /** Each message that comes from now on. Leaving the loop closes it; it ends when gossip is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Received<T>, undefined> {
    return this.messages();
  }

  /** The same, with a queue of its own. */
  messages({ queue = {} }: { readonly queue?: QueueOptions | undefined } = {}): AsyncIterableIterator<Received<T>, undefined> {
    const parsed = parseOptions(subscribeOptions, { queue }, 'topic.messages');
    const reader = new LoopReader(this.#options(parsed.queue), this.#host());
    this.#session.addReader(reader);
    return reader as AsyncIterableIterator<Received<T>, undefined>;
  }

  /** Gives the handle back. Its readers go on until they are closed. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.handles--;
    this.#session.release();
  }

  #options({ size, bytes, policy }: QueueOptions): ReaderOptions {
    return { size: size ?? this.#queue.size, bytes: bytes ?? this.#queue.bytes, policy: policy ?? this.#queue.policy };
  }

  #host(): ReaderHost {
    const session = this.#session;
    if (this.#isClosed || session.isOver) throw new TransportError('shutdown', `topic ${this.name} was closed here`);
    const topic = this.name;
    return {
      topic,
      codec: this.#codec,
      clock: session.host.clock,
      lagged: (missed) => session.host.events.tell({ type: 'lagged', topic, missed }),
      failed: (error) => session.failed(error),
      gone: (reader) => {
        session.removeReader(reader);
        session.release();
      },
    };
  }
}

function configOf(options: PublishOptions): PublishConfig {
  const config = parseOptions(publishOptions, options, 'topic.publish');
  if ([config.to, config.except, config.any].filter((given) => given !== undefined).length > 1) {
    throw new TypeError("topic.publish: 'to', 'except' and 'any' exclude each other");
  }
  return config;
}

/** Checked once: most messages are published so. */
const TO_ALL = parseOptions(publishOptions, {}, 'topic.publish');
/** Messages that wait for one reader by default, and their bytes. */
const SIZE = 4_096;
const BYTES = 16 * 1024 * 1024;
