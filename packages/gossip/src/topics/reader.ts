// The readers of a topic: callbacks and loops. Each has a queue, a policy for a full queue, and a
// count of missed messages. A Topic makes them; Incoming holds them and offers them the messages.

import { type ClockTimer, type Codec, TransportError } from '@trunkline/transport-core';
import { SizedQueue } from '../messages/sized-queue.ts';
import type { MessageMeta, QueuePolicy, ReceivedMessage, TopicQueueOptions } from '../types.ts';
import type { TopicContext } from './topic-context.ts';

/** The topic that a reader reads. */
export interface ReaderTopic extends Pick<TopicContext, 'key' | 'node' | 'failed'> {
  readonly incoming: { removeReader(reader: TopicReader): void };
}

/**
 * A queue of messages, and the code that takes them: a callback or a loop. One read of a socket can
 * bring more messages than the queue holds before any code of the reader runs. So a timer of 0 ms
 * shortens an excessively long queue only after the reader has had its turn.
 */
export abstract class TopicReader {
  isOver = false;
  /** The codec for the messages of this reader: that of the handle that made it. */
  readonly codec: Codec<unknown, any>;
  readonly #policy: QueuePolicy;
  readonly #topic: ReaderTopic;
  readonly #waiting = new SizedQueue<Entry>();
  /** Number of messages missed after the last waiting one. */
  #missed = 0;
  /** Limits of the messages that may wait once the reader has had its turn. */
  readonly #most: { readonly messages: number; readonly bytes: number };
  #cutTimer: ClockTimer | undefined = undefined;
  #missedInAll = 0;

  constructor(
    { messages = MESSAGES, bytes = BYTES, policy = 'drop-oldest' }: TopicQueueOptions,
    codec: Codec<unknown, any>,
    topic: ReaderTopic,
  ) {
    this.codec = codec;
    this.#policy = policy;
    this.#topic = topic;
    const isBlocking = policy === 'block';
    this.#most = {
      messages: isBlocking ? Math.max(BLOCKED * messages, BLOCKED_LEAST) : messages,
      bytes: isBlocking ? BLOCKED_BYTES * bytes : bytes,
    };
  }

  get state(): { readonly waiting: number; readonly bytes: number; readonly missed: number } {
    return { waiting: this.#waiting.length, bytes: this.#waiting.bytes, missed: this.#missedInAll };
  }

  /**
   * Offers a message whose `meta.missed` is 0. Never waits, and never throws.
   * @param size size of the message in bytes, as it arrived.
   */
  offer(message: unknown, meta: MessageMeta, size: number): void {
    if (this.isOver) return;
    const missed = this.#missed;
    this.#missed = 0;
    // The reader is usually idle, so most messages need no place in its queue. The queue of an idle
    // reader is empty.
    if (this.#waiting.length === 0 && this.takeNow(message, withMissed(meta, missed))) return;
    this.#waiting.push({ message, meta, size, missed });
    if (this.#isTooLong(0, 0)) {
      this.#cutTimer ??= this.#topic.node.clock.setTimeout(this.#hadItsTurn, 0);
      if (this.#isTooLong(TURN_MESSAGES, TURN_BYTES)) this.#shorten(TURN_MESSAGES, TURN_BYTES);
    }
  }

  /** Ends the reader: drops what waits, and may end the topic (`review` of TopicSession). */
  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#topic.node.clock.clearTimeout(this.#cutTimer);
    this.#waiting.clear();
    this.#topic.incoming.removeReader(this);
  }

  /** Removes and returns the next message; undefined if none waits. */
  protected take(): ReceivedMessage<unknown> | undefined {
    const entry = this.#waiting.shift();
    return entry && { message: entry.message, meta: withMissed(entry.meta, entry.missed) };
  }

  readonly #hadItsTurn = (): void => {
    this.#cutTimer = undefined;
    if (this.#isTooLong(0, 0)) this.#shorten(0, 0);
  };

  /**
   * Returns true if the queue exceeds its limits by more than these messages or bytes. A single
   * message may always wait.
   */
  #isTooLong(messages: number, bytes: number): boolean {
    const { length } = this.#waiting;
    return (
      length > this.#most.messages + messages ||
      (this.#waiting.bytes > this.#most.bytes + bytes && length > 1)
    );
  }

  #shorten(messages: number, bytes: number): void {
    const { name } = this.#topic.key;
    if (this.#policy === 'error') {
      const text = `a reader of topic ${name} was too slow: ${this.#waiting.length} messages of ${this.#waiting.bytes} bytes wait for it (queue)`;
      this.close();
      return this.failed(new TransportError('resource_exhausted', text));
    }
    while (this.#isTooLong(messages, bytes)) {
      const isOldest = this.#policy === 'drop-oldest';
      const gone = (isOldest ? this.#waiting.shift() : this.#waiting.pop())!;
      const next = isOldest ? this.#waiting.first : undefined;
      if (next === undefined) this.#missed += gone.missed + 1;
      else next.missed += gone.missed + 1;
      this.#missedInAll++;
      const missed = this.#missedInAll;
      // Reported at each power of two.
      if ((missed & (missed - 1)) === 0)
        this.#topic.node.events.tell({ type: 'lagged', topic: name, missed });
    }
  }

  /** Reports an error that the code of the reader threw, or that the reader was too slow. */
  protected failed(error: unknown): void {
    this.#topic.failed(error);
  }

  /**
   * Takes a message at once and returns true if the reader is idle; false makes it wait. Called
   * only while nothing waits. It must not throw.
   */
  protected abstract takeNow(message: unknown, meta: MessageMeta): boolean;
}

/**
 * Calls a function with one message after the other. If the function returns a promise, the next
 * message waits for it.
 */
export class CallbackReader extends TopicReader {
  readonly #callback: (message: unknown, meta: MessageMeta) => unknown;
  readonly #onError: ((error: unknown) => void) | undefined;
  #isBusy = false;

  constructor(
    callback: (message: unknown, meta: MessageMeta) => unknown,
    onError: ((error: unknown) => void) | undefined,
    options: TopicQueueOptions,
    codec: Codec<unknown, any>,
    topic: ReaderTopic,
  ) {
    super(options, codec, topic);
    this.#callback = callback;
    this.#onError = onError;
  }

  protected override takeNow(message: unknown, meta: MessageMeta): boolean {
    if (this.#isBusy) return false;
    this.#isBusy = true;
    if (this.#call(message, meta)) this.#drain();
    return true;
  }

  /** Calls the function with the messages that wait, until it returns a promise. */
  readonly #drain = (): void => {
    for (let next = this.take(); next !== undefined; next = this.take())
      if (!this.#call(next.message, next.meta)) return;
    this.#isBusy = false;
  };

  /** Calls the function. Returns false if it returned a promise. */
  #call(message: unknown, meta: MessageMeta): boolean {
    try {
      const answer = this.#callback(message, meta);
      if (!isThenable(answer)) return true;
      void Promise.resolve(answer).then(this.#drain, this.#threw);
      return false;
    } catch (error) {
      this.failed(error);
      return true;
    }
  }

  readonly #threw = (error: unknown): void => {
    this.failed(error);
    this.#drain();
  };

  protected override failed(error: unknown): void {
    super.failed(error);
    try {
      this.#onError?.(error);
    } catch {
      // An error of the error handler itself can't be reported to it.
    }
  }
}

/**
 * The reader of a loop: `for await (const { message, meta } of topic)`. Leaving the loop closes it.
 */
export class LoopReader
  extends TopicReader
  implements AsyncIterableIterator<ReceivedMessage<unknown>>
{
  readonly #askers: ((result: IteratorResult<ReceivedMessage<unknown>, undefined>) => void)[] = [];
  #error: unknown = undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ReceivedMessage<unknown>, undefined>> {
    const value = this.take();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) return Promise.reject(error);
    if (this.isOver) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#askers.push(resolve));
  }

  return(): Promise<IteratorResult<ReceivedMessage<unknown>, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  protected override takeNow(message: unknown, meta: MessageMeta): boolean {
    const asker = this.#askers.shift();
    asker?.({ value: { message, meta }, done: false });
    return asker !== undefined;
  }

  protected override failed(error: unknown): void {
    this.#error = error;
  }

  override close(): void {
    super.close();
    for (const resolve of this.#askers.splice(0)) resolve(DONE);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** The default limits of a reader's queue, in messages and in bytes. */
const MESSAGES = 4_096;
const BYTES = 16 * 1024 * 1024;
/**
 * Factors for the limits under the policy `block`: 16 times `messages` and 4 times `bytes` may
 * wait.
 */
const BLOCKED = 16;
const BLOCKED_BYTES = 4;
/** Minimum number of messages that may wait under the policy `block`. */
const BLOCKED_LEAST = 4_096;
/**
 * Numbers of additional messages and bytes that may wait until the reader has had its turn. They
 * are many times the amount that one read of a socket brings.
 */
const TURN_MESSAGES = 16_384;
const TURN_BYTES = 16 * 1024 * 1024;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

/** A waiting message, and the number of messages missed just before it. */
interface Entry {
  readonly message: unknown;
  readonly meta: MessageMeta;
  readonly size: number;
  missed: number;
}

/**
 * Returns `meta` with that number of missed messages. If none were missed, all readers share one
 * object. The fields are written out, because a spread would cost more than the rest of a delivery.
 */
function withMissed(meta: MessageMeta, missed: number): MessageMeta {
  if (missed === 0) return meta;
  const { id, origin, signed, from, hops } = meta;
  return { id, origin, signed, from, hops, missed };
}
