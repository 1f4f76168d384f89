/// <reference lib="esnext.disposable" preserve="true" />
// The face of gossip: what a user holds.

import { type Codec, parseOptions, TransportError } from '@trunkline/transport-core';
import { Driver } from './driver/driver.ts';
import { formatGossip } from './driver/format-snapshot.ts';
import { closeOptions, type GossipOptions, gossipConfig, type TopicConfig, topicOptions } from './options.ts';
import { Topic } from './topic.ts';
import type { Session } from './topics/session.ts';
import { topicKey } from './topics/topic-key.ts';
import type { CloseResult, GossipEvent, GossipSnapshot, TopicOptions } from './types.ts';

/** Topics above a transport and its peers. Wrong options are a TypeError naming their path. */
export function createGossip(options: GossipOptions): Gossip {
  return new Gossip(options);
}

/** What `createGossip` makes. */
export class Gossip implements AsyncDisposable {
  /** This node's id. */
  readonly nodeId: string;
  readonly #driver: Driver;

  constructor(options: GossipOptions) {
    this.#driver = new Driver(gossipConfig(options));
    this.nodeId = this.#driver.self;
  }

  /** Begins to speak. What was published before goes out now. Twice is `failed_precondition`; a second gossip on one transport a TypeError. */
  async start(): Promise<void> {
    await this.#driver.start();
  }

  /**
   * Joins a topic: any well-formed string, or 32 bytes. A string's key is the SHA-256 of its UTF-8, as it is: 'é' as one code point and as two are
   * two topics, so normalize what people type. The same topic again is the same membership: `limit` and the
   * validator of the first hold, and another limit or validator is a TypeError, as is a limit that does not fit the transport's
   * `limits.message`. Each handle has the codec that it was given, which encodes what it publishes and decodes what its readers get.
   * All of a topic have one name ('json', 'bytes' …), otherwise it is a TypeError. What the codec of the first refuses no reader
   * gets; what that of another refuses its own readers don't get, and a `failed` event tells. Above 1,024 topics `resource_exhausted`.
   */
  topic<T, In = T>(name: string | Uint8Array, codec: Codec<T, In>, options: TopicOptions<T> = {}): Topic<T, In> {
    const config = parseOptions(topicOptions, options, 'gossip.topic');
    if (typeof (codec as Partial<Codec<T, In>> | undefined)?.encode !== 'function' || typeof codec.decode !== 'function') {
      throw new TypeError('gossip.topic: codec: must be a codec: bytes, json(schema), protobuf(type)');
    }
    const key = topicKey(name);
    checkLimit(config, this.#driver.longest);
    if (this.#driver.isClosed) throw new TransportError('shutdown', 'gossip.topic: this gossip was closed');
    const known = this.#driver.sessions.get(key.hex);
    if (known !== undefined) checkSame(known, codec, config);
    return new Topic<T, In>(known ?? this.#driver.open(key, codec, config), codec, config.queue);
  }

  /** What happens on topics; first those that this node is on, and their neighbours. It ends with `close`. A reader that lags misses the oldest, and is told how many. */
  events(): AsyncIterableIterator<GossipEvent> {
    const first: GossipEvent[] = [];
    for (const { key, overlay } of this.#driver.sessions.values()) {
      if (overlay === undefined) continue;
      first.push({ type: 'joined', topic: key.name });
      for (const nodeId of overlay.neighbors()) first.push({ type: 'neighborUp', topic: key.name, nodeId });
    }
    return this.#driver.events.follow(first);
  }

  /** Topics and peers as plain data; `formatGossip` prints it. */
  snapshot(): GossipSnapshot {
    return this.#driver.snapshot();
  }

  /**
   * Sends what `publish` has resolved for, then leaves all topics: readers end, and neighbors are told. From the call on publishing is `shutdown`, and so
   * is what waits to be confirmed. `grace` is the time in milliseconds that sending may take, default 5,000; with nothing to send no time passes.
   * The result tells which peers could not be sent everything. Peers and the transport go on; close the transport after it. Idempotent.
   */
  async close(options: { readonly grace?: number | undefined } = {}): Promise<CloseResult> {
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

/** Longer messages would be lost on their way to this node. */
function checkLimit({ limit = 1 }: TopicConfig, longest: number): void {
  if (limit <= longest) return;
  throw new TypeError(
    `gossip.topic: limit: messages of ${limit} bytes do not fit limits.message of this node's transport, which leaves room for ${longest}; lower it, or raise limits.message`,
  );
}

function checkSame(session: Session, codec: Codec<any, any>, { limit, validate }: TopicConfig): void {
  const { name } = session.key;
  if (session.codec.name !== codec.name) {
    throw new TypeError(`gossip.topic: codec: topic ${name} is open with '${session.codec.name}', got '${codec.name}': its messages have one encoding`);
  }
  if (limit !== undefined && limit !== session.limit) throw new TypeError(`gossip.topic: limit: topic ${name} is open with ${session.limit}, got ${limit}`);
  if (validate !== undefined && validate !== session.validate) throw new TypeError(`gossip.topic: validate: topic ${name} is open with another one, or none`);
}
