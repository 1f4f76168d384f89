/// <reference lib="esnext.disposable" preserve="true" />
// The public Gossip class, and the factory that creates it.

import { type Codec, TransportError } from '@trunkline/transport-core';
import { parseOptions } from '@trunkline/transport-core/backend';
import { GossipDriver } from './driver/gossip-driver.ts';
import { closeOptions, type GossipOptions, gossipConfig, hasMethods } from './options.ts';
import { topicKey } from './protocol.ts';
import { formatGossip, type GossipSnapshot } from './snapshots.ts';
import { Topic } from './topic.ts';
import { type TopicConfig, topicOptions } from './topics/options.ts';
import type { TopicSession } from './topics/topic-session.ts';
import type { GossipEvent, TopicOptions } from './types.ts';

/**
 * Creates gossip on a transport and its peers. Throws a TypeError that names the path of the wrong
 * option.
 */
export function createGossip(options: GossipOptions): Gossip {
  return new Gossip(options);
}

/** Publish and subscribe on topics; made by `createGossip`. */
export class Gossip implements AsyncDisposable {
  /** This node's id. */
  readonly nodeId: string;
  readonly #driver: GossipDriver;

  constructor(options: GossipOptions) {
    this.#driver = new GossipDriver(gossipConfig(options));
    this.nodeId = this.#driver.self;
  }

  /**
   * Starts to exchange messages, beginning with messages that were published before the start. A
   * second call, or a call after `close`, rejects with `failed_precondition`; starting a second
   * gossip on the same transport rejects with a TypeError. With a `store`, it rejects if the store
   * fails or holds a malformed number (`data_loss`), and may then be called again. It rejects with
   * `shutdown` if gossip is closed before the store answers.
   */
  async start(): Promise<void> {
    await this.#driver.start();
  }

  /**
   * Joins a topic. The name is any well-formed string, or 32 bytes. The key of a string is the
   * SHA-256 of its UTF-8 bytes without normalization: 'é' written with one code point and 'é'
   * written with two are different topics, so normalize names that people type.
   *
   * Joining the same topic again shares one membership. The `limit` and the validator of the first
   * handle apply, with its `validateTimeout`, `validateAtOnce` and `validateQueue`. Another limit
   * or validator throws a TypeError, as do invalid arguments, and a limit that does not fit the
   * `limits.message` of the transport.
   *
   * Each handle uses the codec passed to it to encode what it publishes and to decode what its
   * readers get. All codecs of a topic must have the same name ('json', 'bytes' …); otherwise
   * `topic` throws a TypeError. No reader gets a message that the codec of the first handle
   * rejects. If the codec of another handle rejects a message, the readers of that handle don't get
   * it, and a `failed` event reports the error. More than 1,024 topics throw `resource_exhausted`;
   * after `close`, `topic` throws `shutdown`.
   */
  topic<T, In = T>(
    name: string | Uint8Array,
    codec: Codec<T, In>,
    options: TopicOptions<T> = {},
  ): Topic<T, In> {
    const config = parseOptions(topicOptions, options, 'gossip.topic');
    if (!hasMethods(codec, 'encode decode')) {
      const text = 'gossip.topic: codec: must be a codec: bytes, json(schema), protobuf(type)';
      throw new TypeError(text);
    }
    const key = topicKey(name);
    const { longest } = this.#driver;
    // Longer messages would be lost on their way to this node.
    if (config.limit !== undefined && config.limit > longest)
      throw new TypeError(
        `gossip.topic: limit: messages of ${config.limit} bytes do not fit limits.message of the transport of this node, which leaves room for ${longest}; lower the limit, or raise limits.message`,
      );
    if (this.#driver.isClosed)
      throw new TransportError('shutdown', 'gossip.topic: this gossip was closed');
    const known = this.#driver.sessions.get(key.hex);
    if (known !== undefined) checkSame(known, codec, config);
    return new Topic<T, In>(known ?? this.#driver.open(key, codec, config), codec, config);
  }

  /**
   * Returns the events on topics, beginning with `joined` for the topics that this node is on, and
   * `neighborUp` for the present neighbors. The iterator ends with `close`. If it is read too
   * slowly, it misses the oldest events, and a `lagged` event reports how many.
   */
  events(): AsyncIterableIterator<GossipEvent> {
    const first: GossipEvent[] = [];
    for (const { key, overlay, isMember } of this.#driver.sessions.values()) {
      if (overlay === undefined) continue;
      if (isMember) first.push({ type: 'joined', topic: key.name });
      for (const nodeId of overlay.neighbors())
        first.push({ type: 'neighborUp', topic: key.name, nodeId });
    }
    return this.#driver.events.follow(first);
  }

  /** Returns the state of topics and peers as plain data; `formatGossip` prints it. */
  snapshot(): GossipSnapshot {
    return this.#driver.snapshot();
  }

  /**
   * Sends the messages for which `publish` has resolved, then leaves all topics: readers end, and
   * neighbors are informed. Once `close` has been called, publishing rejects with `shutdown`, and
   * so do publications that wait for confirmation. `grace` is the time limit for sending in
   * milliseconds, default 5,000; `Infinity` means no limit. If nothing is left to send, closing
   * does not wait. The result lists the peers to which not everything could be sent. Peers and the
   * transport keep running; close the transport afterwards. Idempotent: the `grace` of the first
   * call applies. Rejects with a TypeError for invalid options.
   */
  async close(options: { readonly grace?: number | undefined } = {}): Promise<{
    /**
     * The peers for which messages had not left this node when `grace` was over: for each, the
     * number of messages and their size in bytes. Empty if everything has left.
     */
    readonly unsent: readonly {
      readonly nodeId: string;
      readonly messages: number;
      readonly bytes: number;
    }[];
  }> {
    const { grace } = parseOptions(closeOptions, options, 'gossip.close');
    return this.#driver.close(grace);
  }

  toString(): string {
    return formatGossip(this.snapshot());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function checkSame(session: TopicSession, codec: Codec<any, any>, config: TopicConfig): void {
  const { limit, validate } = config;
  const wrong = (option: string, how: string) =>
    new TypeError(`gossip.topic: ${option}: topic ${session.key.name} is open with ${how}`);
  const known = session.codec.name;
  if (known !== codec.name)
    throw wrong('codec', `'${known}', got '${codec.name}': a topic has one codec`);
  if (limit !== undefined && limit !== session.limit)
    throw wrong('limit', `${session.limit}, got ${limit}`);
  if (validate !== undefined && validate !== session.validate)
    throw wrong('validate', 'another function, or with none');
}
