// Hands the incoming messages of one topic to the readers, counts dropped ones, and sends the
// receipts that publishers request.

import { dropOldest } from '@trunkline/peers/internal';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { Body } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { MessageDropReason, MessageMeta, Unsent } from '../types.ts';
import { type DeliveryOutcome, encodeReceipt } from '../wire/frame.ts';
import { handOut, type TopicReader } from './reader.ts';
import type { TopicContext } from './topic-context.ts';

export class Deliveries {
  /**
   * The readers. When a reader is added or removed, the list is replaced rather than changed, so
   * that it can be iterated over in the meantime.
   */
  readers: readonly TopicReader[] = [];
  delivered = 0;
  duplicates = 0;
  readonly dropped: Partial<Record<MessageDropReason, number>> = {};
  readonly #topic: TopicContext;
  /** Keys of the messages for which a receipt is requested → the peers that brought them. */
  readonly #asked = new Map<string, string>();

  constructor(topic: TopicContext) {
    this.#topic = topic;
  }

  addReader(reader: TopicReader): void {
    this.readers = [...this.readers, reader];
  }

  /** Called when a reader has ended. */
  removeReader(reader: TopicReader): void {
    this.readers = this.readers.filter((other) => other !== reader);
    this.#topic.review();
  }

  /** Ends all readers, because the topic is closed. No more receipts are sent. */
  end(): void {
    for (const reader of this.readers) reader.close();
    this.#asked.clear();
  }

  /**
   * Records that the publisher of a message asks for a receipt, which is sent once, as soon as the
   * outcome is known; `from` is the peer that sent the message.
   */
  ask(id: MessageId, from: string): void {
    this.#asked.set(messageKey(id), from);
    dropOldest(this.#asked, MOST);
  }

  /** Sends a receipt if one is due, unless the outcome belongs to a copy that another peer sent. */
  #answer(id: MessageId, from: string, verdict: DeliveryOutcome): void {
    if (this.#asked.size === 0) return;
    const key = messageKey(id);
    if (this.#asked.get(key) !== from) return;
    this.#asked.delete(key);
    const { node, key: topic } = this.#topic;
    node.members.acknowledge(id.origin, encodeReceipt({ topic: topic.hex, id, verdict }));
  }

  /** Handles a message that arrived for the first time. `key` is the `messageKey` of its id. */
  deliver({ payload: body, id, hops, size }: Push<Body>, key: string, from: string): void {
    const { codec, node, key: topic } = this.#topic;
    if (body.audience === 'except' && body.nodes.includes(node.self))
      return this.drop('excluded', id, from);
    this.delivered++;
    this.#answer(id, from, 'took');
    const { origin } = id;
    const signed = body.signature !== undefined;
    if (node.events.isRead) {
      const type = 'delivered';
      node.events.tell({ type, topic: topic.name, id: key, origin, signed, from, hops });
    }
    if (node.reporter.hearsDeliveries)
      node.reporter.delivered({ topic: topic.name, id: key, bytes: size, from, hops });
    const meta: MessageMeta = { id: key, origin, signed, from, hops, missed: 0 };
    // A reader that one of these readers adds gets only later messages.
    const list = this.readers;
    if (list.length === 1 && list[0]!.codec === codec) list[0]!.offer(body.message, meta, size);
    else if (list.length > 0)
      handOut(list, codec, body, meta, (error) => this.#topic.failed(error));
    // The message is passed on as its payload, so the decoded one isn't cached with it.
    body.message = undefined;
  }

  /** A known message arrived again. */
  repeated(id: MessageId, from: string): void {
    this.duplicates++;
    this.#answer(id, from, 'took');
    const { events } = this.#topic.node;
    if (events.isRead)
      events.tell({ type: 'duplicate', topic: this.#topic.key.name, id: messageKey(id), from });
  }

  /** @param first the reason why an earlier copy was dropped, if that is the cause of this drop */
  drop(reason: MessageDropReason, id: MessageId, from: string, first = reason): void {
    this.#answer(id, from, first);
    this.#dropped(reason, id, { from });
  }

  /** Called when a message could not be sent to a peer. */
  unsent(reason: Unsent, id: MessageId, to: string): void {
    this.#dropped(reason, id, { to });
  }

  #dropped(
    reason: MessageDropReason,
    id: MessageId,
    peer: { readonly from?: string; readonly to?: string },
  ): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
    const { node, key } = this.#topic;
    if (!node.events.isRead) return;
    node.events.tell({ type: 'dropped', topic: key.name, reason, id: messageKey(id), ...peer });
  }
}

/**
 * Maximum number of messages that await their receipt: twice the default number of messages that
 * wait for a validator. Beyond that, the oldest request is not answered.
 */
const MOST = 8_192;
