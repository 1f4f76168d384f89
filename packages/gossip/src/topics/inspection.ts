// What is asked of a message of others before it is delivered or passed on: whom it is for, its size, its codec, its validator.

import type { Envelope } from '../driver/frame.ts';
import { contentDigest } from '../messages/content-digest.ts';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { TopicConfig } from '../options.ts';
import { type Body, isFor } from '../overlay/body.ts';
import type { Overlay } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { Signatures } from '../signatures/signatures.ts';
import type { DropReason } from '../types.ts';
import { type Finding, Validation } from './validation.ts';

export interface InspectionHost {
  readonly host: { readonly self: string; readonly clock: { now(): number }; readonly signatures: Signatures; dueBy(time: number): void };
  readonly key: { readonly bytes: Uint8Array };
  readonly due: number;
  readonly codec: { decode(bytes: Uint8Array): unknown };
  readonly limit: number;
  drop(reason: DropReason, id: MessageId, from: string): void;
  misbehaved(nodeId: string, what: string): void;
  failed(error: unknown): void;
}

/** A message under inspection. */
interface Given {
  /** Of its id and its content. */
  readonly key: string;
  readonly id: MessageId;
  readonly overlay: Overlay;
}

/** What is told of a further copy: its content is that of the first, which was verified. */
interface Copy {
  readonly from: string;
  readonly hops: number;
}

export class Inspection {
  readonly #host: InspectionHost;
  readonly #validate: TopicConfig['validate'];
  readonly #validation: Validation;
  /** Under validation: further copies, that came meanwhile. */
  readonly #copies = new Map<string, Copy[]>();
  /** What was not accepted, the oldest first: not asked again. */
  readonly #refused = new Set<string>();

  constructor(host: InspectionHost, { validate, validateTimeout: timeout = 1_000, validateAtOnce: atOnce = 256 }: TopicConfig) {
    this.#host = host;
    this.#validate = validate;
    this.#validation = new Validation({ timeout, atOnce });
  }

  get validating(): number {
    return this.#validation.size;
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

  /** Gives to the overlay what may pass, now or later. */
  inspect(from: string, envelope: Envelope, overlay: Overlay, now: number): void {
    const host = this.#host;
    const { id, hops, audience, nodes, payload, signature } = envelope;
    if (audience === 'to' && !isFor(envelope, host.host.self)) return host.drop('not-addressed', id, from);
    const screening = overlay.screen(from, id, now);
    const body: Body = { audience, nodes, payload, message: undefined, signature };
    const push: Push<Body> = { kind: 'push', id, hops, payload: body, size: payload.length };
    if (screening === 'known') return overlay.pushed(from, push, now);
    if (screening === 'stranger') return host.drop('stranger', id, from);
    if (screening === 'forged') return this.#blame('forged', id, from);
    const { signatures } = host.host;
    if (signature === undefined && signatures.isStrict) return this.#blame('unsigned', id, from);
    overlay.arrived(from, id);
    // With its content: or a forged message that is refused would have the true one refused.
    const key = `${messageKey(id)}/${contentDigest(payload)}/${signature === undefined ? 'unsigned' : 'signed'}`;
    const given: Given = { key, id, overlay };
    if (this.#refused.has(key)) {
      overlay.refused(id);
      return host.drop('refused', id, from);
    }
    const copies = this.#copies.get(key);
    if (copies !== undefined) {
      if (copies.length < COPIES) copies.push({ from, hops });
      return;
    }
    // Of a forgery nothing is remembered, neither here nor by the overlay: the true message may still come.
    const finding = signature === undefined ? 'true' : signatures.examine(from, host.key.bytes, envelope, signature, now);
    if (finding === 'forged') return this.#blame('forged', id, from);
    if (finding === 'refused') return host.drop('refused', id, from);
    if (payload.length > host.limit) return this.#refuse('too-large', given, from, true);
    let message: unknown;
    try {
      message = host.codec.decode(payload);
    } catch {
      return this.#refuse('undecodable', given, from, true);
    }
    const decoded: Push<Body> = { ...push, payload: { ...body, message } };
    if (this.#validate === undefined) return overlay.pushed(from, decoded, now);
    this.#check(this.#validate, given, from, decoded, now);
  }

  #check(validate: NonNullable<TopicConfig['validate']>, given: Given, from: string, push: Push<Body>, now: number): void {
    const { key, id, overlay } = given;
    const { hops, payload } = push;
    const meta = { id: messageKey(id), origin: id.origin, signed: payload.signature !== undefined, from, hops, missed: 0 };
    const copies: Copy[] = [];
    this.#copies.set(key, copies);
    this.#validation.run(
      () => validate(payload.message as never, meta as never),
      now,
      (finding, error) => {
        this.#copies.delete(key);
        const { host } = this.#host;
        if (finding === 'accept') for (const copy of [{ from, hops }, ...copies]) overlay.pushed(copy.from, { ...push, hops: copy.hops }, host.clock.now());
        else this.#found(finding, error, given, [from, ...copies.map((copy) => copy.from)]);
        host.dueBy(this.#host.due);
      },
    );
    if (this.#copies.get(key) === copies) overlay.held(id);
  }

  /** Whoever passed on what a validator rejects is to blame; for anything else we are. */
  #found(finding: Exclude<Finding, 'accept'>, error: unknown, given: Given, senders: readonly string[]): void {
    if (finding === 'failed') this.#host.failed(error);
    for (const from of senders) this.#refuse(REASONS[finding], given, from, finding === 'reject');
  }

  #blame(reason: 'forged' | 'unsigned', id: MessageId, from: string): void {
    this.#host.drop(reason, id, from);
    this.#host.misbehaved(from, reason);
  }

  #refuse(reason: DropReason, { key, id, overlay }: Given, from: string, isToBlame: boolean): void {
    // Of what found nobody to look at it, another copy may.
    if (reason !== 'overloaded') {
      this.#remember(key);
      overlay.refused(id);
    }
    this.#host.drop(reason, id, from);
    if (isToBlame) this.#host.misbehaved(from, reason);
  }

  #remember(key: string): void {
    this.#refused.add(key);
    if (this.#refused.size > REFUSED) {
      for (const oldest of this.#refused) {
        this.#refused.delete(oldest);
        break;
      }
    }
  }
}

const REASONS: Readonly<Record<Exclude<Finding, 'accept'>, DropReason>> = {
  reject: 'rejected',
  ignore: 'ignored',
  timeout: 'timeout',
  overloaded: 'overloaded',
  failed: 'ignored',
};
/** Copies of one message that wait for its verdict. */
const COPIES = 64;
/** Messages that are remembered as not accepted. */
const REFUSED = 4_096;
