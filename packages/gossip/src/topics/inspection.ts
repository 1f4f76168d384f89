// Checks messages of others before they are delivered or passed on: whether they are new, their
// audience, signature and size, the codec, and the topic's validator.

import { dropOldest } from '@trunkline/peers/internal';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { SizedQueue } from '../messages/sized-queue.ts';
import type { TopicConfig } from '../options.ts';
import { type Body, isFor, type OverlayInput } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { MessageDropReason, MessageVerdict } from '../types.ts';
import type { Envelope } from '../wire/frame.ts';
import type { Deliveries } from './deliveries.ts';
import type { TopicContext, TopicNode } from './topic-context.ts';

/**
 * The sender of one copy of a message under validation. Only the first copy is validated; without
 * signatures, the content of the others may differ.
 */
interface Copy {
  readonly from: string;
  readonly hops: number;
}

/** A message under validation, and further copies that have arrived in the meantime. */
interface Held {
  readonly first: Body;
  readonly copies: Copy[];
}

/** The inspection of all incoming messages of one topic. */
export class Inspection {
  readonly #topic: TopicContext;
  readonly #deliveries: Deliveries;
  readonly #feed: (now: number, input: OverlayInput) => void;
  readonly #validate: TopicConfig['validate'];
  readonly validation: Validation;
  /**
   * True if the overlay or a relay may still send the payload after a reader got the decoded
   * message. The codec then gets a copy, because the decoded message may lie in the same memory.
   */
  readonly #isShared: boolean;
  /** Messages under validation. */
  readonly #held = new Map<string, Held>();
  /**
   * Messages that were not accepted → the reason, the oldest first. These messages are not
   * validated again.
   */
  readonly #refused = new Map<string, MessageDropReason>();

  /** @param feed gives the overlay an input */
  constructor(
    topic: TopicContext,
    deliveries: Deliveries,
    feed: (now: number, input: OverlayInput) => void,
    {
      validate,
      validateTimeout: timeout = 1_000,
      validateAtOnce: atOnce = 256,
      validateQueue,
    }: TopicConfig,
  ) {
    const { node, codec } = topic;
    this.#topic = topic;
    this.#deliveries = deliveries;
    this.#feed = feed;
    this.#validate = validate;
    this.#isShared = node.isKept && codec.name !== 'json';
    const { messages = QUEUED, bytes = QUEUED_BYTES } = validateQueue;
    this.validation = new Validation({ timeout, atOnce, messages, bytes }, node);
  }

  close(): void {
    this.validation.clear();
    this.#held.clear();
  }

  /**
   * Checks a message. If it is accepted, delivers it and passes it to the overlay, now or after
   * validation. Returns false if it was refused before validation.
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
      this.#feed(now, { type: 'reject', peer: from });
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
      this.#tell(envelope, now, { type: 'refused', id });
      this.#deliveries.drop('refused', id, from, refused);
      return false;
    }
    const held = this.#held.size > 0 ? this.#held.get(messageKey(id)) : undefined;
    // Forgeries are not remembered, neither here nor by the overlay, because the true message may
    // still come. Forgeries that a relay passed on without reading them are counted separately from
    // those that it sent in its own name; otherwise a forger could make this node refuse the
    // relay's own messages.
    const finding =
      signature === undefined || (held !== undefined && isCopyOf(held.first, envelope))
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
    if (held !== undefined) {
      if (held.copies.length < COPIES) held.copies.push({ from, hops });
      return true;
    }
    if (payload.length > topic.limit) {
      // The sender has another limit. This node announces its own limit, and does not blame the
      // sender.
      topic.differences.introduce(from, now);
      return this.#refuse('too-large', envelope, from, false);
    }
    if (!this.#decode(envelope)) return this.#refuse('undecodable', envelope, from, isRead);
    if (this.#validate === undefined) return this.#take(from, push, now);
    this.#check({ from, hops }, push, isRead, now);
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
   */
  #take(from: string, push: Push<Body>, now: number): boolean {
    const topic = this.#topic;
    const { id, payload } = push;
    const verdict = topic.note(id, now, from);
    if (verdict === 'seen') {
      this.#tell(payload, now, { type: 'repeated', from, id });
      this.#deliveries.repeated(id, from);
      return true;
    }
    if (verdict === 'new') {
      this.#tell(payload, now, { type: 'received', from, message: push });
      this.#deliveries.deliver(push, messageKey(id), from);
      return true;
    }
    const reason = verdict === 'flood' ? 'full' : verdict;
    // If there is no room for the origins that this peer introduces, another peer may still send
    // the message.
    const mayCome = reason === 'full' && topic.look(id, now) === 'new';
    this.#tell(payload, now, { type: 'dropped', from, id, mayCome });
    if (reason === 'old' && id.origin === from && topic.lifeOf(from) !== undefined)
      topic.differences.introduce(from, now);
    this.#drop(reason, id, from);
    // On a mesh with one hop, the sender may be a relay, which passes messages on unread.
    if (verdict === 'flood' && topic.overlay!.passesOn) topic.misbehaved(from, 'origin-flood');
    return false;
  }

  /** Tells the overlay about a message, unless the message is for a list of nodes. */
  #tell({ audience }: Pick<Body, 'audience'>, now: number, input: OverlayInput): void {
    if (audience !== 'to') this.#feed(now, input);
  }

  /** @param isToBlame true if the sender is to blame for a message that the validator rejects */
  #check(
    first: Copy,
    push: Push<Body>,
    isToBlame: boolean,
    now: number,
    copies: Copy[] = [],
  ): void {
    const { id, payload, size } = push;
    const { audience } = payload;
    const { from, hops } = first;
    const key = messageKey(id);
    const signed = payload.signature !== undefined;
    const meta = { id: key, origin: id.origin, signed, from, hops, missed: 0 };
    const held = { first: payload, copies };
    this.#held.set(key, held);
    const check: Check = {
      from,
      size,
      begin: () => this.#validate!(payload.message as never, meta as never),
      settled: (finding, error) => {
        this.#held.delete(key);
        const { node } = this.#topic;
        const next = finding === 'overloaded' ? copies.shift() : undefined;
        if (next !== undefined) {
          // The first sender has too many waiting messages; the next one may have room. Its copy
          // may have had another content.
          this.#refuse('overloaded', { id, audience }, from, false);
          this.#check(next, push, false, node.clock.now(), copies);
        } else if (finding === 'accept')
          for (const copy of [first, ...copies])
            this.#take(copy.from, { ...push, hops: copy.hops }, node.clock.now());
        else {
          if (finding === 'failed') this.#topic.failed(error);
          const reason = REASONS[finding];
          this.#refuse(reason, { id, audience }, from, finding === 'reject' && isToBlame);
          for (const copy of copies) this.#refuse(reason, { id, audience }, copy.from, false);
        }
        node.dueBy(this.#topic.due);
      },
    };
    this.validation.run(check, now);
    if (this.#held.get(key) === held) this.#tell(payload, now, { type: 'held', id });
  }

  #drop(reason: MessageDropReason, id: MessageId, from: string, isToBlame = false): false {
    this.#deliveries.drop(reason, id, from);
    if (isToBlame) this.#topic.misbehaved(from, reason);
    return false;
  }

  #refuse(
    reason: MessageDropReason,
    message: Pick<Envelope, 'id' | 'audience'>,
    from: string,
    isToBlame: boolean,
  ): false {
    const { id } = message;
    const isOverloaded = reason === 'overloaded';
    if (!isOverloaded) {
      this.#refused.set(messageKey(id), reason);
      dropOldest(this.#refused, REFUSED);
    }
    // An overloaded validator did not check the message, so another copy may still be accepted.
    this.#tell(message, this.#topic.node.clock.now(), {
      type: isOverloaded ? 'released' : 'refused',
      id,
    });
    return this.#drop(reason, id, from, isToBlame);
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
/** Default limits of the messages that wait for a validator, and of their bytes. */
const QUEUED = 4_096;
const QUEUED_BYTES = 16 * 1024 * 1024;
/** Maximum number of messages that are remembered as not accepted. */
const REFUSED = 4_096;

// Runs validators: a limited number at a time, each with a timeout. Further messages wait in a
// bounded queue, in which the peers that sent them take turns.

/** The outcome of a validation. */
type Finding = MessageVerdict | 'timeout' | 'overloaded' | 'failed';

/** Limits of the validation. */
interface ValidationOptions {
  /** Time limit of each validator, in milliseconds from its start. */
  readonly timeout: number;
  /** Maximum number of validators that run at a time. */
  readonly atOnce: number;
  /** Maximum number of messages that wait. */
  readonly messages: number;
  /** Maximum size in bytes of all waiting messages. A single message may always wait. */
  readonly bytes: number;
}

/** A message to validate. */
interface Check {
  /** The peer that sent it. */
  readonly from: string;
  readonly size: number;
  begin(): MessageVerdict | Promise<MessageVerdict>;
  /** Called once, either synchronously or later. */
  settled(finding: Finding, error?: unknown): void;
}

/** The running validators of one topic, and the messages that wait for one. */
export class Validation {
  /** Number of waiting messages. */
  waiting = 0;
  readonly #options: ValidationOptions;
  readonly #node: Pick<TopicNode, 'clock' | 'dueBy'>;
  /**
   * Running validators, the oldest first. All have the same timeout, so they are sorted by their
   * deadlines.
   */
  readonly #pending = new Map<
    object,
    { readonly due: number; readonly settle: (finding: Finding, error?: unknown) => void }
  >();
  /** The peers that have waiting messages; the first one is served next. */
  readonly #lanes = new Map<string, SizedQueue<Check>>();
  #bytes = 0;
  #isDraining = false;

  constructor(options: ValidationOptions, node: Pick<TopicNode, 'clock' | 'dueBy'>) {
    this.#options = options;
    this.#node = node;
  }

  /** Number of running validators. */
  get size(): number {
    return this.#pending.size;
  }

  get due(): number {
    if (this.#pending.size === 0) return Number.POSITIVE_INFINITY;
    return this.#pending.values().next().value!.due;
  }

  /**
   * Validates a message, now or when it is the turn of its sender. If too many wait, the sender of
   * most of them loses its newest.
   */
  run(check: Check, now: number): void {
    if (this.waiting === 0 && this.#pending.size < this.#options.atOnce)
      return this.#begin(check, now);
    const { from, size } = check;
    const own = this.#lanes.get(from) ?? new SizedQueue<Check>();
    this.#lanes.set(from, own);
    own.push(check);
    this.waiting++;
    this.#bytes += size;
    const { messages, bytes } = this.#options;
    while (this.waiting > messages) this.#drop(own, 'length');
    while (this.waiting > 1 && this.#bytes > bytes) this.#drop(own, 'bytes');
  }

  /** Ends validations that took too long, with the finding `timeout`. */
  wake(now: number): void {
    for (const { due, settle } of [...this.#pending.values()]) {
      if (now < due) return;
      settle('timeout');
    }
  }

  /** Forgets all validations; their outcomes are no longer reported. */
  clear(): void {
    this.#pending.clear();
    this.#lanes.clear();
    this.waiting = this.#bytes = 0;
  }

  #begin(check: Check, now: number): void {
    let verdict: MessageVerdict | Promise<MessageVerdict>;
    try {
      verdict = check.begin();
    } catch (error) {
      return check.settled('failed', error);
    }
    if (typeof verdict === 'string') return check.settled(...known(verdict));
    const ticket = {};
    const settle = (finding: Finding, error?: unknown) => {
      if (!this.#pending.delete(ticket)) return;
      check.settled(finding, error);
      this.#drain();
    };
    this.#pending.set(ticket, { due: now + this.#options.timeout, settle });
    Promise.resolve(verdict).then(
      (given) => settle(...known(given)),
      (error) => settle('failed', error),
    );
  }

  /** Begins waiting validations while there is room. */
  #drain(): void {
    if (this.waiting === 0 || this.#isDraining) return;
    this.#isDraining = true;
    const now = this.#node.clock.now();
    while (this.waiting > 0 && this.#pending.size < this.#options.atOnce)
      this.#begin(this.#take(), now);
    this.#isDraining = false;
    this.#node.dueBy(this.due);
  }

  /** Removes the oldest message of the peer whose turn it is. */
  #take(): Check {
    const [from, lane] = this.#lanes.entries().next().value!;
    const check = lane.shift()!;
    this.#left(check);
    this.#lanes.delete(from);
    if (lane.length > 0) this.#lanes.set(from, lane);
    return check;
  }

  /** Drops the newest message of the peer that has most, or of `own` if none has more. */
  #drop(own: SizedQueue<Check>, measure: 'length' | 'bytes'): void {
    let most = own;
    for (const lane of this.#lanes.values()) if (lane[measure] > most[measure]) most = lane;
    const check = most.pop()!;
    this.#left(check);
    if (most.length === 0) this.#lanes.delete(check.from);
    check.settled('overloaded');
  }

  #left({ size }: Check): void {
    this.waiting--;
    this.#bytes -= size;
  }
}

function known(verdict: unknown): [Finding, unknown?] {
  if (verdict === 'accept' || verdict === 'reject' || verdict === 'ignore') return [verdict];
  return [
    'failed',
    new TypeError(`validate: must return 'accept', 'reject' or 'ignore', got ${String(verdict)}`),
  ];
}
