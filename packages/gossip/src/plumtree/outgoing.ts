// Sends messages and notices to the neighbors. A message is pushed if there is room, and announced
// by a notice otherwise; notices are gathered for a moment.

import type { PlumtreeCounters } from './counters.ts';
import type { PlumtreeHost } from './host.ts';
import { type Control, type IHave, NOTICE_BYTES, type Notice, type Push } from './message.ts';
import type { MessageCache } from './message-cache.ts';
import type { Neighbour } from './neighbour.ts';
import type { PlumtreeOptions } from './options.ts';

export interface OutgoingInit<P> {
  readonly host: PlumtreeHost<P>;
  readonly options: PlumtreeOptions;
  readonly counters: PlumtreeCounters;
  readonly cache: MessageCache<P>;
  /** Called for each neighbor that got notices, or a message that it did not ask for. */
  readonly onTold: (neighbour: Neighbour, now: number) => void;
}

export class Outgoing<P> {
  readonly #host: PlumtreeHost<P>;
  readonly #options: PlumtreeOptions;
  readonly #counters: PlumtreeCounters;
  readonly #cache: MessageCache<P>;
  readonly #onTold: (neighbour: Neighbour, now: number) => void;
  readonly #noticesEach: number;
  /** Neighbors with notices to send. */
  readonly #waiting = new Set<Neighbour>();
  #due = Number.POSITIVE_INFINITY;

  constructor({ host, options, counters, cache, onTold }: OutgoingInit<P>) {
    this.#host = host;
    this.#options = options;
    this.#counters = counters;
    this.#cache = cache;
    this.#onTold = onTold;
    this.#noticesEach = Math.floor(options.controlSize / NOTICE_BYTES);
  }

  /** When the next notices are to be sent; Infinity: there are none. */
  get due(): number {
    return this.#due;
  }

  /** Number of ids that fit into one control message. */
  get idsEach(): number {
    return this.#noticesEach;
  }

  /**
   * Pushes the message. If there is no room, gives notice of it instead and remembers that the
   * neighbor is owed the message.
   * @returns whether the message was pushed.
   */
  push(neighbour: Neighbour, key: string, push: Push<P>, now: number): boolean {
    if (this.#trySend(neighbour, push)) {
      neighbour.take(now);
      this.#onTold(neighbour, now);
      return true;
    }
    neighbour.owe(key, false, this.#options.backlog);
    this.notice(neighbour, push, now);
    return false;
  }

  /** Sends the neighbor a message that it asked for, now or when it is writable. */
  serve(neighbour: Neighbour, key: string, push: Push<P>): void {
    this.#counters.served++;
    if (!this.#trySend(neighbour, push)) neighbour.owe(key, true, this.#options.backlog);
  }

  /** Adds a notice of a message to those that go out next. */
  notice(neighbour: Neighbour, { id, hops }: Notice, now: number): void {
    neighbour.notices.push({ id, hops });
    if (neighbour.notices.length > this.#options.backlog) {
      neighbour.notices.shift();
      this.#counters.noticesDropped++;
    }
    this.#waiting.add(neighbour);
    if (!neighbour.stuck) this.#due = Math.min(this.#due, now + this.#options.noticeDelay);
  }

  /** Sends a control message. Returns false if there is no room. */
  control(neighbour: Neighbour, control: Control): boolean {
    if (!this.#host.send(neighbour.id, control)) return false;
    this.#counters.controlSent++;
    return true;
  }

  /** Sends the notices that are due. */
  flush(now: number): void {
    if (now < this.#due) return;
    this.#due = Number.POSITIVE_INFINITY;
    for (const neighbour of [...this.#waiting]) {
      if (!neighbour.stuck) this.#sendNotices(neighbour, now);
    }
  }

  /**
   * The neighbor has room again. Sends notices that had no room first, then the messages that the
   * neighbor is owed.
   */
  writable(neighbour: Neighbour, now: number): void {
    const wasStuck = neighbour.stuck;
    neighbour.blocked = neighbour.stuck = false;
    if (wasStuck) this.#sendNotices(neighbour, now);
    for (const [key, isAsked] of neighbour.owed ?? []) {
      const push = isAsked || neighbour.eager ? this.#cache.get(key)?.push : undefined;
      if (push !== undefined && !this.#trySend(neighbour, push)) return;
      neighbour.owed!.delete(key);
    }
  }

  /** The peer is no longer a neighbor. */
  forget(neighbour: Neighbour): void {
    this.#waiting.delete(neighbour);
  }

  #trySend(neighbour: Neighbour, push: Push<P>): boolean {
    if (neighbour.blocked || !this.#host.trySend(neighbour.id, push)) {
      neighbour.blocked = true;
      this.#counters.refused++;
      return false;
    }
    this.#counters.pushed++;
    neighbour.account.pushed++;
    return true;
  }

  #sendNotices(neighbour: Neighbour, now: number): void {
    const { notices } = neighbour;
    let sent = 0;
    while (sent < notices.length) {
      const chunk = sent === 0 && notices.length <= this.#noticesEach ? notices : notices.slice(sent, sent + this.#noticesEach);
      const ihave: IHave = { kind: 'ihave', notices: chunk };
      if (!this.control(neighbour, ihave)) {
        neighbour.stuck = true;
        break;
      }
      sent += chunk.length;
    }
    if (sent === 0) return;
    neighbour.notices = notices.slice(sent);
    if (neighbour.notices.length === 0) this.#waiting.delete(neighbour);
    this.#counters.noticesSent += sent;
    neighbour.tell(sent, now);
    this.#onTold(neighbour, now);
  }
}
