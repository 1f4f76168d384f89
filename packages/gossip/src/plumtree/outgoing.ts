// What goes out to the neighbours: messages as long as there is room, notices where there is none, gathered for a moment.

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
  /** Told of each neighbour that got notices, or a message that it did not ask for. */
  readonly onTold: (neighbour: Neighbour, now: number) => void;
}

export class Outgoing<P> {
  readonly #host: PlumtreeHost<P>;
  readonly #options: PlumtreeOptions;
  readonly #counters: PlumtreeCounters;
  readonly #cache: MessageCache<P>;
  readonly #onTold: (neighbour: Neighbour, now: number) => void;
  readonly #noticesEach: number;
  /** Neighbours with notices to send. */
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

  /** When notices are to go; Infinity: there are none. */
  get due(): number {
    return this.#due;
  }

  /** Ids that fit into one control message. */
  get idsEach(): number {
    return this.#noticesEach;
  }

  /** Pushes the message, or gives notice of it and keeps in mind that the neighbour is owed it. @returns whether it was pushed. */
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

  /** Pushes the message that the neighbour asked for, at the latest when it is writable. */
  serve(neighbour: Neighbour, key: string, push: Push<P>): void {
    this.#counters.served++;
    if (!this.#trySend(neighbour, push)) neighbour.owe(key, true, this.#options.backlog);
  }

  /** Gives notice of a message with the next lot. */
  notice(neighbour: Neighbour, { id, hops }: Notice, now: number): void {
    neighbour.notices.push({ id, hops });
    if (neighbour.notices.length > this.#options.backlog) {
      neighbour.notices.shift();
      this.#counters.noticesDropped++;
    }
    this.#waiting.add(neighbour);
    if (!neighbour.stuck) this.#due = Math.min(this.#due, now + this.#options.noticeDelay);
  }

  /** False: there is no room. */
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

  /** There is room again: first for notices that had none, then for the messages that it is owed. */
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

  /** It is gone. */
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
