// Messages that others gave notice of and that haven't come: whom to ask for them, and when (the paper's `missing` and its timers).

import type { MessageId } from '../messages/message-id.ts';
import type { Advertiser } from './advertiser.ts';
import { DelayQueue } from './delay-queue.ts';
import { InHand } from './in-hand.ts';
import { Lateness } from './lateness.ts';

export interface MissingMessage {
  readonly id: MessageId;
  readonly key: string;
  /** When the first gave notice of it. */
  readonly since: number;
  /** In the order of their notices. */
  readonly advertisers: Advertiser[];
}

export interface MissingMessagesOptions {
  readonly graftDelay: number;
  readonly nextGraftDelay: number;
  readonly againDelay: number;
  readonly attempts: number;
  readonly outstanding: number;
}

/**
 * The first peer that gave notice is asked after `graftDelay`, each next one `nextGraftDelay` later, and all so much later as messages come late by the tree. When all were asked it begins anew after
 * `againDelay`, up to `attempts` times; then the message is given up until somebody gives notice again. Bounded by `outstanding` a peer.
 */
export class MissingMessages {
  readonly #options: MissingMessagesOptions;
  readonly #messages = new Map<string, MissingMessage>();
  readonly #first: DelayQueue<MissingMessage>;
  readonly #next: DelayQueue<MissingMessage>;
  readonly #again: DelayQueue<MissingMessage>;
  /** Due at once: whoever was asked doesn't have it. */
  readonly #now = new DelayQueue<MissingMessage>(0);
  /** Peer → of how many messages it is an advertiser. */
  readonly #outstanding = new Map<string, number>();
  readonly #inHand = new InHand();
  readonly #lateness = new Lateness();

  constructor(options: MissingMessagesOptions) {
    this.#options = options;
    this.#first = new DelayQueue(options.graftDelay);
    this.#next = new DelayQueue(options.nextGraftDelay);
    this.#again = new DelayQueue(options.againDelay);
  }

  get size(): number {
    return this.#messages.size;
  }

  /** When `ask` has something to do; Infinity: never. */
  get due(): number {
    return this.#messages.size === 0 ? Number.POSITIVE_INFINITY : Math.min(this.#now.due, this.#first.due, this.#next.due, this.#again.due);
  }

  /** The peer has it. False: the peer has too many outstanding. */
  advertise(id: MessageId, key: string, peer: string, hops: number, now: number): boolean {
    if (this.#inHand.advertise(key, peer, hops)) return true;
    let message = this.#messages.get(key);
    if (message?.advertisers.some((advertiser) => advertiser.peer === peer)) return true;
    const outstanding = this.#outstanding.get(peer) ?? 0;
    if (outstanding >= this.#options.outstanding) return false;
    if (message === undefined) {
      message = { id, key, since: now, advertisers: [] };
      this.#messages.set(key, message);
      this.#first.set(key, message, now + this.#lateness.allowance);
    } else if (this.#again.delete(key)) {
      this.#next.set(key, message, now);
    }
    message.advertisers.push({ peer, hops, asked: 0 });
    this.#outstanding.set(peer, outstanding + 1);
    return true;
  }

  /** That peer sent it: how late was it, if it was not asked? */
  arrived(key: string, peer: string, now: number): void {
    const message = this.#messages.get(key);
    if (message === undefined) this.#lateness.observe(0);
    else if (message.advertisers.every((advertiser) => advertiser.peer !== peer || advertiser.asked === 0)) this.#lateness.observe(now - message.since);
  }

  /** It came: no longer missing. Who gave notice of it, in that order; empty: nobody. */
  take(key: string): readonly Advertiser[] {
    return this.#inHand.take(key) ?? this.#take(key);
  }

  /** It came and is looked at: until it is taken or refused nobody is asked. */
  hold(key: string): void {
    if (!this.#inHand.isHeld(key)) this.#inHand.hold(key, this.#take(key));
  }

  isHeld(key: string): boolean {
    return this.#inHand.isHeld(key);
  }

  /** It came and is not accepted: nobody is asked, whoever gives notice of it. */
  refuse(key: string): void {
    this.#take(key);
    this.#inHand.refuse(key);
  }

  /**
   * Whom to ask for what, now. @param isTrusted peers of which it doesn't hold are asked after the others.
   * @param onLost is told of what is given up.
   */
  ask(
    now: number,
    isTrusted: (peer: string) => boolean,
    onLost: (message: MissingMessage) => void,
  ): { readonly peer: string; readonly message: MissingMessage }[] {
    const asks: { readonly peer: string; readonly message: MissingMessage }[] = [];
    for (const queue of [this.#now, this.#first, this.#next, this.#again]) {
      for (let message = queue.take(now); message !== undefined; message = queue.take(now)) {
        const peer = this.#choose(message, now, isTrusted);
        if (peer !== undefined) {
          asks.push({ peer, message });
        } else {
          this.#remove(message);
          onLost(message);
        }
      }
    }
    return asks;
  }

  /** The peer doesn't have it after all: the next one is due at once, if there is one. */
  withdraw(key: string, peer: string, now: number): void {
    const message = this.#messages.get(key);
    if (message === undefined || !this.#dismiss(message, peer)) return;
    if (message.advertisers.length === 0) return this.#remove(message);
    // Where nobody was asked yet, its time stays.
    if (this.#next.delete(key) || this.#again.delete(key)) this.#now.set(key, message, now);
  }

  /** The peer is gone. */
  forget(peer: string): void {
    if (!this.#outstanding.has(peer)) return;
    for (const message of this.#messages.values()) {
      if (this.#dismiss(message, peer) && message.advertisers.length === 0) this.#remove(message);
    }
    this.#outstanding.delete(peer);
  }

  #take(key: string): readonly Advertiser[] {
    const message = this.#messages.get(key);
    if (message === undefined) return [];
    this.#remove(message);
    return message.advertisers;
  }

  #choose(message: MissingMessage, now: number, isTrusted: (peer: string) => boolean): string | undefined {
    const round = message.advertisers.reduce((least, { asked }) => Math.min(least, asked), this.#options.attempts);
    if (round >= this.#options.attempts) return undefined;
    const left = message.advertisers.filter(({ asked }) => asked === round);
    const chosen = left.find(({ peer }) => isTrusted(peer)) ?? left[0]!;
    chosen.asked++;
    // What was asked for comes as late as what is pushed.
    (left.length > 1 ? this.#next : this.#again).set(message.key, message, now + this.#lateness.allowance);
    return chosen.peer;
  }

  #dismiss(message: MissingMessage, peer: string): boolean {
    const index = message.advertisers.findIndex((advertiser) => advertiser.peer === peer);
    if (index < 0) return false;
    message.advertisers.splice(index, 1);
    this.#release(peer);
    return true;
  }

  #remove({ key, advertisers }: MissingMessage): void {
    this.#messages.delete(key);
    this.#now.delete(key);
    this.#first.delete(key);
    this.#next.delete(key);
    this.#again.delete(key);
    for (const { peer } of advertisers) this.#release(peer);
  }

  #release(peer: string): void {
    const left = this.#outstanding.get(peer)! - 1;
    if (left > 0) this.#outstanding.set(peer, left);
    else this.#outstanding.delete(peer);
  }
}
