// Checks messages of others before they are delivered or passed on: their audience, signature and
// size, the codec, and the topic's validator.

import { type MessageId, messageKey } from '../messages/message-id.ts';
import { dropOldest } from '../messages/oldest-first.ts';
import type { TopicConfig } from '../options.ts';
import { type Audience, type Body, isFor, type Screening } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { MessageDropReason } from '../types.ts';
import type { Envelope } from '../wire/frame.ts';
import type { OverlayDriver } from './overlay-driver.ts';
import type { TopicContext } from './topic-context.ts';
import { type Check, type Finding, Validation } from './validation.ts';

/**
 * The sender of one copy of a message under validation. Only the first copy is validated; the
 * content of the others may differ.
 */
interface Copy {
  readonly from: string;
  readonly hops: number;
}

/** The inspection of all incoming messages of one topic. */
export class Inspection {
  readonly #topic: TopicContext;
  readonly #overlayFor: (audience: Audience) => OverlayDriver;
  readonly #validate: TopicConfig['validate'];
  readonly #validation: Validation;
  /**
   * True if the overlay or a relay may still send the payload after a reader got the decoded
   * message. The codec then gets a copy, because the decoded message may lie in the same memory.
   */
  readonly #isShared: boolean;
  /** Messages under validation → further copies that have arrived in the meantime. */
  readonly #copies = new Map<string, Copy[]>();
  /**
   * Messages that were not accepted → the reason, the oldest first. These messages are not
   * validated again.
   */
  readonly #refused = new Map<string, MessageDropReason>();

  /** @param overlayFor returns the overlay of messages with that audience */
  constructor(
    topic: TopicContext,
    overlayFor: (audience: Audience) => OverlayDriver,
    {
      validate,
      validateTimeout: timeout = 1_000,
      validateAtOnce: atOnce = 256,
      validateQueue,
    }: TopicConfig,
  ) {
    const { node, codec } = topic;
    this.#topic = topic;
    this.#overlayFor = overlayFor;
    this.#validate = validate;
    this.#isShared = node.isKept && codec.name !== 'json';
    const { messages = QUEUED, bytes = QUEUED_BYTES } = validateQueue;
    this.#validation = new Validation({ timeout, atOnce, messages, bytes }, node.clock, (time) =>
      node.dueBy(time),
    );
  }

  get validating(): number {
    return this.#validation.size;
  }

  get toValidate(): number {
    return this.#validation.waiting;
  }

  get due(): number {
    return this.#validation.due;
  }

  wake(now: number): void {
    this.#validation.wake(now);
  }

  close(): void {
    this.#validation.clear();
    this.#copies.clear();
  }

  /**
   * Checks a message and passes it to the overlay, now or after validation, if it is accepted.
   * Returns false if it was refused before validation.
   * @param isRelayed true if the sender relays the message in the name of its origin. A relay
   * passes a message on while it receives it, without reading it.
   */
  inspect(from: string, envelope: Envelope, now: number, isRelayed = false): boolean {
    if (isRelayed || !this.#isPlain(envelope)) return this.#inspect(from, envelope, now, isRelayed);
    const { id } = envelope;
    const overlay = this.#overlayFor('all');
    const screening = overlay.overlay.screen(from, id, now);
    if (screening !== 'new') return this.#screened(screening, from, envelope, now, true);
    overlay.feed(now, { type: 'arrived', from, id });
    if (!this.#decode(envelope)) return this.#refuse('undecodable', id, overlay, from, true);
    overlay.feed(now, { type: 'received', from, message: pushOf(envelope) });
    return true;
  }

  /**
   * Returns true for the most common kind of message: it is for all, unsigned, and there are no
   * earlier messages to compare it with.
   */
  #isPlain({ audience, signature, payload }: Envelope): boolean {
    if (
      this.#validate !== undefined ||
      audience !== 'all' ||
      signature !== undefined ||
      this.#topic.node.signatures.areRequired
    )
      return false;
    return (
      this.#refused.size === 0 && this.#copies.size === 0 && payload.length <= this.#topic.limit
    );
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

  /** Handles a message that is not `new`. */
  #screened(
    screening: Screening,
    from: string,
    envelope: Envelope,
    now: number,
    isRead: boolean,
  ): boolean {
    const { id } = envelope;
    const overlay = this.#overlayFor(envelope.audience);
    if (screening === 'stranger') {
      overlay.feed(now, { type: 'reject', peer: from });
      return this.#drop('stranger', id, from);
    }
    if (screening === 'forged') return this.#drop('forged', id, from, isRead);
    overlay.feed(now, { type: 'received', from, message: pushOf(envelope) });
    return screening === 'known';
  }

  #inspect(from: string, envelope: Envelope, now: number, isRelayed: boolean): boolean {
    const topic = this.#topic;
    const overlay = this.#overlayFor(envelope.audience);
    const { id, hops, payload, signature } = envelope;
    // A relay passes messages on unread, and is not to blame for their flaws.
    const isRead = !isRelayed || from === id.origin;
    if (envelope.audience === 'to' && !isFor(envelope, topic.node.self))
      return this.#drop('not-addressed', id, from);
    const screening = overlay.overlay.screen(isRelayed ? id.origin : from, id, now);
    if (screening !== 'new') return this.#screened(screening, from, envelope, now, isRead);
    const { signatures } = topic.node;
    if (signature === undefined && signatures.areRequired)
      return this.#drop('unsigned', id, from, isRead);
    overlay.feed(now, { type: 'arrived', from, id });
    // Most messages need no comparison with earlier ones.
    const refused = this.#refused.size > 0 ? this.#refused.get(messageKey(id)) : undefined;
    if (refused !== undefined) {
      overlay.feed(now, { type: 'refused', id });
      topic.drop('refused', id, from, refused);
      return false;
    }
    const copies = this.#copies.size > 0 ? this.#copies.get(messageKey(id)) : undefined;
    if (copies !== undefined) {
      if (copies.length < COPIES) copies.push({ from, hops });
      return true;
    }
    // Forgeries are not remembered, neither here nor by the overlay, because the true message may
    // still come. Forgeries that a relay passed on without reading them are counted separately from
    // those that it sent in its own name; otherwise a forger could make this node refuse the
    // relay's own messages.
    const finding =
      signature === undefined
        ? 'true'
        : signatures.examine(
            isRead ? from : `${from} relays`,
            topic.key.bytes,
            envelope,
            signature,
            now,
          );
    if (finding === 'forged') return this.#drop('forged', id, from, isRead);
    if (finding !== 'true') return this.#drop(finding, id, from);
    if (payload.length > topic.limit) {
      // The sender has another limit. This node announces its own limit, and does not blame the
      // sender.
      topic.compare(now, { type: 'introduce', peer: from });
      return this.#refuse('too-large', id, overlay, from, false);
    }
    if (!this.#decode(envelope)) return this.#refuse('undecodable', id, overlay, from, isRead);
    const push = pushOf(envelope);
    if (this.#validate === undefined) overlay.feed(now, { type: 'received', from, message: push });
    else this.#check(overlay, { from, hops }, push, isRead, now);
    return true;
  }

  /** @param isToBlame true if the sender is to blame for a message that the validator rejects */
  #check(
    overlay: OverlayDriver,
    first: Copy,
    push: Push<Body>,
    isToBlame: boolean,
    now: number,
    copies: Copy[] = [],
  ): void {
    const { id, payload, size } = push;
    const { from, hops } = first;
    const key = messageKey(id);
    const signed = payload.signature !== undefined;
    const meta = { id: key, origin: id.origin, signed, from, hops, missed: 0 };
    this.#copies.set(key, copies);
    const check: Check = {
      from,
      size,
      begin: () => this.#validate!(payload.message as never, meta as never),
      settled: (finding, error) => {
        this.#copies.delete(key);
        const { node } = this.#topic;
        const next = finding === 'overloaded' ? copies.shift() : undefined;
        if (next !== undefined) {
          // The first sender has too many waiting messages; the next one may have room. Its copy
          // may have had another content.
          this.#refuse('overloaded', id, overlay, from, false);
          this.#check(overlay, next, push, false, node.clock.now(), copies);
        } else if (finding === 'accept')
          for (const copy of [first, ...copies]) {
            const message = { ...push, hops: copy.hops };
            overlay.feed(node.clock.now(), { type: 'received', from: copy.from, message });
          }
        else {
          if (finding === 'failed') this.#topic.failed(error);
          const reason = REASONS[finding];
          this.#refuse(reason, id, overlay, from, finding === 'reject' && isToBlame);
          for (const copy of copies) this.#refuse(reason, id, overlay, copy.from, false);
        }
        node.dueBy(this.#topic.due);
      },
    };
    this.#validation.run(check, now);
    if (this.#copies.get(key) === copies) overlay.feed(now, { type: 'held', id });
  }

  #drop(reason: MessageDropReason, id: MessageId, from: string, isToBlame = false): false {
    this.#topic.drop(reason, id, from);
    if (isToBlame) this.#topic.misbehaved(from, reason);
    return false;
  }

  #refuse(
    reason: MessageDropReason,
    id: MessageId,
    overlay: OverlayDriver,
    from: string,
    isToBlame: boolean,
  ): false {
    // An overloaded validator did not check the message, so another copy may still be accepted.
    if (reason !== 'overloaded') {
      this.#refused.set(messageKey(id), reason);
      dropOldest(this.#refused, REFUSED);
      overlay.feed(this.#topic.node.clock.now(), { type: 'refused', id });
    }
    return this.#drop(reason, id, from, isToBlame);
  }
}

function pushOf(envelope: Envelope): Push<Body> {
  return {
    kind: 'push',
    id: envelope.id,
    hops: envelope.hops,
    payload: envelope,
    size: envelope.payload.length,
  };
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
/** Default limits of the messages that wait for a validator, and of their bytes. */
const QUEUED = 4_096;
const QUEUED_BYTES = 16 * 1024 * 1024;
/** Maximum number of messages that are remembered as not accepted. */
const REFUSED = 4_096;
