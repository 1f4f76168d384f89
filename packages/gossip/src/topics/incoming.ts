// Checks messages of others before they are delivered or passed on: whether they are new, their
// audience, signature and size, the codec, and the topic's validator. Hands accepted messages to
// the readers, counts the others, and sends the receipts that publishers request. Owned by
// TopicSession; `PlumtreeInput` lists the inputs that the overlay gets for each message. Also
// tested in ../validation.test.ts, ../forged-origins.test.ts and ../receipts.test.ts.

import { dropOldest } from '@trunkline/peers/internal';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { type Body, isFor, type OverlayInput } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { MessageDropReason, MessageMeta } from '../types.ts';
import { type DeliveryOutcome, type Envelope, encodeReceipt } from '../wire/frame.ts';
import type { TopicConfig } from './options.ts';
import type { TopicReader } from './reader.ts';
import type { TopicContext } from './topic-context.ts';
import { type Check, type Finding, Validation } from './validation.ts';

/**
 * The sender of one copy of a message under validation. Only the first copy is validated; without
 * signatures, the content of the others may differ.
 */
interface Copy {
  readonly from: string;
  readonly hops: number;
}

/** A message under validation. */
interface Held {
  readonly push: Push<Body>;
  /** The copy that is validated, and further ones that have arrived in the meantime. */
  readonly copies: Copy[];
}

/** The messages of others on one topic, from their arrival to the readers. */
export class Incoming {
  /**
   * The readers. When a reader is added or removed, the list is replaced rather than changed, so
   * that it can be iterated over in the meantime.
   */
  readers: readonly TopicReader[] = [];
  delivered = 0;
  duplicates = 0;
  /** Messages dropped on their way in, and those that could not be sent to a peer; see `count`. */
  readonly dropped: Partial<Record<MessageDropReason, number>> = {};
  readonly validation: Validation;
  readonly #topic: TopicContext;
  readonly #validate: TopicConfig['validate'];
  /**
   * True if the overlay or a relay may still send the payload after a reader got the decoded
   * message. The codec then gets a copy, because the decoded message may lie in the same memory;
   * messages of the codec `json` never do.
   */
  readonly #isShared: boolean;
  /** Messages under validation, by their keys; `validation` bounds them. */
  readonly #held = new Map<string, Held>();
  /**
   * Messages that were too large, or that the codec or the validator did not accept → the reason,
   * the oldest first. These messages are not validated again.
   */
  readonly #refused = new Map<string, MessageDropReason>();
  /** Keys of the messages for which a receipt is requested → the peers that brought them. */
  readonly #asked = new Map<string, string>();

  constructor(topic: TopicContext, config: TopicConfig) {
    const { node, codec } = topic;
    this.#topic = topic;
    this.#validate = config.validate;
    this.#isShared = node.isKept && codec.name !== 'json';
    this.validation = new Validation(config, node);
  }

  addReader(reader: TopicReader): void {
    this.readers = [...this.readers, reader];
  }

  /** Called when a reader has ended. */
  removeReader(reader: TopicReader): void {
    this.readers = this.readers.filter((other) => other !== reader);
    this.#topic.review();
  }

  /**
   * Ends all readers, because the topic is closed. No more receipts are sent. Called when the
   * session `isOver`, so that `review` does nothing.
   */
  end(): void {
    for (const reader of this.readers) reader.close();
    this.#asked.clear();
    this.validation.clear();
    this.#held.clear();
  }

  /**
   * Records that the publisher of a message asks for a receipt, which is sent once, as soon as the
   * outcome is known; `from` is the peer that sent the message.
   */
  ask(id: MessageId, from: string): void {
    this.#asked.set(messageKey(id), from);
    dropOldest(this.#asked, ASKED);
  }

  /** Returns true if an earlier copy of the message was not accepted. */
  hasRefused(id: MessageId): boolean {
    return this.#refused.size > 0 && this.#refused.has(messageKey(id));
  }

  /**
   * Checks a message. If it is accepted, passes it to the overlay and delivers it, now or after
   * validation. Returns false if it was refused before validation. The order matters: checks that
   * cost little come first, and no verdict is remembered before the signature was verified.
   * @param isRelayed true if the sender relays the message in the name of its origin. A relay
   * passes a message on while it receives it, without reading it.
   */
  inspect(from: string, envelope: Envelope, now: number, isRelayed = false): boolean {
    const topic = this.#topic;
    const { id, audience, payload, signature } = envelope;
    // A message that comes directly from its publisher has traveled one link, no matter what it
    // claims.
    const hops = id.origin === from ? 1 : envelope.hops;
    // A relay passes messages on unread, and is not to blame for their flaws.
    const isRead = !isRelayed || from === id.origin;
    if (audience === 'to' && !isFor(envelope, topic.node.self))
      return this.#drop('not-addressed', id, from);
    // Messages to a list of nodes come directly from their publisher, over any overlay.
    if (!isRelayed && from !== id.origin && (audience === 'to' || !topic.overlay!.passesOn))
      return this.#drop('forged', id, from, isRead);
    if (audience !== 'to' && !topic.overlay!.takesFrom(from, id.origin)) {
      topic.handle(now, { type: 'reject', peer: from });
      return this.#drop('stranger', id, from);
    }
    const push: Push<Body> = { kind: 'push', id, hops, payload: envelope, size: payload.length };
    if (topic.look(id, now, from) !== 'new') return this.#take(from, push, now);
    const { signatures } = topic.node;
    if (signature === undefined && signatures.areRequired)
      return this.#drop('unsigned', id, from, isRead);
    this.#tell(envelope, now, { type: 'arrived', from, id });
    // Most messages need no comparison with earlier ones.
    const refused = this.#refused.size > 0 ? this.#refused.get(messageKey(id)) : undefined;
    if (refused !== undefined) {
      this.#tell(envelope, now, { type: 'dropped', from, id, mayCome: false });
      return this.#drop('refused', id, from, false, refused);
    }
    const held = this.#held.size > 0 ? this.#held.get(messageKey(id)) : undefined;
    // Forgeries are not remembered, neither here nor by the overlay, because the true message may
    // still come. Forgeries that a relay passed on without reading them are counted separately from
    // those that it sent in its own name; otherwise a forger could make this node refuse the
    // relay's own messages.
    const finding =
      signature === undefined || (held !== undefined && isCopyOf(held.push.payload, envelope))
        ? 'true'
        : signatures.examine(isRead ? from : `${from} relays`, topic.key.bytes, envelope, now);
    if (finding === 'forged') return this.#drop('forged', id, from, isRead);
    if (finding !== 'true') return this.#drop(finding, id, from);
    if (held !== undefined) {
      if (held.copies.length <= COPIES) held.copies.push({ from, hops });
      return true;
    }
    if (payload.length > topic.limit) {
      // The sender has another limit. This node announces its own limit, and does not blame the
      // sender.
      topic.differences.introduce(from, now);
      return this.#refuse('too-large', push, from, false);
    }
    if (!this.#decode(envelope)) return this.#refuse('undecodable', push, from, isRead);
    if (this.#validate === undefined) return this.#take(from, push, now);
    this.#check({ push, copies: [{ from, hops }] }, isRead, now);
    return true;
  }

  #decode(envelope: Envelope): boolean {
    try {
      const { payload } = envelope;
      envelope.message = this.#topic.codec.decode(this.#isShared ? payload.slice() : payload);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Remembers and delivers a message that was accepted, and counts one that is not new. Returns
   * false if it was refused.
   * @param isLast false if another copy follows at once, for which there may be room if there is
   * none for this one. Until then, the overlay still holds the message.
   */
  #take(from: string, push: Push<Body>, now: number, isLast = true): boolean {
    const topic = this.#topic;
    const { id, payload } = push;
    const verdict = topic.note(id, now, from);
    if (verdict === 'seen') {
      this.#tell(payload, now, { type: 'repeated', from, id });
      this.#repeated(id, from);
      return true;
    }
    if (verdict === 'new') {
      this.#tell(payload, now, { type: 'received', from, message: push });
      this.#deliver(push, from);
      return true;
    }
    const reason = verdict === 'flood' ? 'full' : verdict;
    // If there is no room for the origins that this peer introduces, another peer may still send
    // the message.
    const mayCome = reason === 'full' && topic.look(id, now) === 'new';
    if (isLast || !mayCome) this.#tell(payload, now, { type: 'dropped', from, id, mayCome });
    if (reason === 'old' && id.origin === from && topic.lifeOf(from) !== undefined)
      topic.differences.introduce(from, now);
    this.#drop(reason, id, from);
    // On a mesh with one hop, the sender may be a relay, which passes messages on unread.
    if (verdict === 'flood' && topic.overlay!.passesOn) topic.misbehaved(from, 'origin-flood');
    return false;
  }

  /** Tells the overlay about a message, unless the message is for a list of nodes. */
  #tell({ audience }: Pick<Body, 'audience'>, now: number, input: OverlayInput): void {
    if (audience !== 'to') this.#topic.handle(now, input);
  }

  /**
   * Validates the first copy of a message. The outcome may come at once; the overlay then never
   * learns that the message was held.
   * @param isToBlame true if its sender is to blame for a message that the validator rejects
   */
  #check(held: Held, isToBlame: boolean, now: number): void {
    const { push, copies } = held;
    const { id, payload, size } = push;
    const { from, hops } = copies[0]!;
    const key = messageKey(id);
    const signed = payload.signature !== undefined;
    const meta = { id: key, origin: id.origin, signed, from, hops, missed: 0 };
    this.#held.set(key, held);
    const check: Check = {
      from,
      size,
      begin: () => this.#validate!(payload.message as never, meta as never),
      settled: (finding, error) => {
        // A validator may have closed the topic.
        if (!this.#held.delete(key)) return;
        const time = this.#topic.node.clock.now();
        if (finding === 'accept')
          for (const copy of copies)
            this.#take(copy.from, { ...push, hops: copy.hops }, time, copy === copies.at(-1));
        else {
          if (finding === 'failed') this.#topic.failed(error);
          // If the first sender has too many waiting messages, the next one may have room. Its copy
          // may have had another content.
          const isOverloaded = finding === 'overloaded';
          for (const copy of isOverloaded ? copies.splice(0, 1) : copies) {
            const isBlamed = finding === 'reject' && isToBlame && copy === copies[0];
            this.#refuse(REASONS[finding], push, copy.from, isBlamed);
          }
          if (isOverloaded && copies.length > 0) this.#check({ push, copies }, false, time);
        }
        this.#topic.node.dueBy(this.#topic.due);
      },
    };
    this.validation.run(check, now);
    if (this.#held.get(key) === held) this.#tell(payload, now, { type: 'held', id });
  }

  /** Drops a copy whose content was refused, or for whose validation there was no room. */
  #refuse(
    reason: MessageDropReason,
    { id, payload }: Push<Body>,
    from: string,
    isToBlame: boolean,
  ): false {
    const isOverloaded = reason === 'overloaded';
    if (!isOverloaded) {
      this.#refused.set(messageKey(id), reason);
      dropOldest(this.#refused, REFUSED);
    }
    // An overloaded validator did not check the message, so another copy may still be accepted.
    const input: OverlayInput = isOverloaded
      ? { type: 'released', id }
      : { type: 'dropped', from, id, mayCome: false };
    this.#tell(payload, this.#topic.node.clock.now(), input);
    return this.#drop(reason, id, from, isToBlame);
  }

  /**
   * Counts and reports a dropped message. Returns false, for `inspect`.
   * @param first the reason why an earlier copy was dropped, if that is the cause of this drop
   */
  #drop(
    reason: MessageDropReason,
    id: MessageId,
    from: string,
    isToBlame = false,
    first = reason,
  ): false {
    this.#answer(id, from, first);
    this.count(reason, id, { from });
    if (isToBlame) this.#topic.misbehaved(from, reason);
    return false;
  }

  /** Handles an accepted message that arrived for the first time. */
  #deliver({ payload: body, id, hops, size }: Push<Body>, from: string): void {
    const { codec, node, key: topic } = this.#topic;
    const key = messageKey(id);
    if (body.audience === 'except' && body.nodes.includes(node.self))
      return void this.#drop('excluded', id, from);
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
    else if (list.length > 0) this.#handOut(body, meta);
    // The message is passed on as its payload, so the decoded one isn't cached with it.
    body.message = undefined;
  }

  /**
   * Hands a message to several readers, or to one reader with another codec. Each gets a separate
   * message, which is decoded again if it could be changed, so that no reader sees changes that
   * another one makes. A reader whose codec refuses the message does not get it.
   */
  #handOut(body: Body, meta: MessageMeta): void {
    const { codec } = this.#topic;
    const isPlain = Object(body.message) !== body.message;
    let isTaken = false;
    // Decoded before the first reader runs, because it may lie in the memory of the payload.
    const given: { readonly reader: TopicReader; readonly message: unknown }[] = [];
    for (const reader of this.readers) {
      const takes: boolean = reader.codec === codec && (isPlain || !isTaken);
      isTaken ||= takes;
      try {
        const message = takes ? body.message : reader.codec.decode(body.payload.slice());
        given.push({ reader, message });
      } catch (error) {
        this.#topic.failed(error);
      }
    }
    for (const { reader, message } of given)
      reader.offer(message, { ...meta }, body.payload.length);
  }

  /** Counts and reports a known message that arrived again. */
  #repeated(id: MessageId, from: string): void {
    this.duplicates++;
    this.#answer(id, from, 'took');
    const { events } = this.#topic.node;
    if (events.isRead)
      events.tell({ type: 'duplicate', topic: this.#topic.key.name, id: messageKey(id), from });
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

  /**
   * Counts a message among the dropped ones, and reports it. The session also calls it for messages
   * that could not be sent, with `to`.
   */
  count(reason: MessageDropReason, id: MessageId, peer: { from: string } | { to: string }): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
    const { node, key } = this.#topic;
    if (!node.events.isRead) return;
    node.events.tell({ type: 'dropped', topic: key.name, reason, id: messageKey(id), ...peer });
  }
}

/**
 * Returns true if both are signed, and what is signed and its signature are equal, byte for byte.
 */
function isCopyOf(first: Body, other: Body): boolean {
  const [a, b] = [first.signature, other.signature];
  return (
    a !== undefined &&
    b !== undefined &&
    first.audience === other.audience &&
    first.nodes.join() === other.nodes.join() &&
    equalBytes(a.publicKey, b.publicKey) &&
    equalBytes(a.bytes, b.bytes) &&
    equalBytes(first.payload, other.payload)
  );
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

const REASONS: Readonly<Record<Exclude<Finding, 'accept'>, MessageDropReason>> = {
  reject: 'rejected',
  ignore: 'ignored',
  timeout: 'timeout',
  overloaded: 'overloaded',
  failed: 'ignored',
};
/** Maximum number of further copies of one message that wait for its verdict. */
const COPIES = 64;
/** Maximum number of messages that are remembered as not accepted. */
const REFUSED = 4_096;
/**
 * Maximum number of messages that await their receipt: twice the default number of messages that
 * may wait for a validator. Beyond that, the oldest request is not answered.
 */
const ASKED = 8_192;
