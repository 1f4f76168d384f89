// Sends messages and notices to the neighbors. A message is pushed if there is room, and announced
// by a notice otherwise; notices are gathered for a moment.

import type { PlumtreeCounters } from './counters.ts';
import type { PlumtreeHost } from './host.ts';
import { type Control, type IHave, NOTICE_BYTES, type Notice, type Push } from './message.ts';
import type { MessageCache } from './message-cache.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeOptions } from './options.ts';

export interface OutgoingInit<P> {
  readonly host: PlumtreeHost<P>;
  readonly options: PlumtreeOptions;
  readonly counters: PlumtreeCounters;
  readonly cache: MessageCache<P>;
  /** Called for each neighbor that got notices, or a message that it did not ask for. */
  readonly onTold: (neighbor: Neighbor, now: number) => void;
}

export class Outgoing<P> {
  readonly #host: PlumtreeHost<P>;
  readonly #options: PlumtreeOptions;
  readonly #counters: PlumtreeCounters;
  readonly #cache: MessageCache<P>;
  readonly #onTold: (neighbor: Neighbor, now: number) => void;
  readonly #noticesEach: number;
  /** Neighbors with notices to send. */
  readonly #waiting = new Set<Neighbor>();
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
  push(neighbor: Neighbor, key: string, push: Push<P>, now: number): boolean {
    if (this.#trySend(neighbor, push)) {
      neighbor.take(now);
      this.#onTold(neighbor, now);
      return true;
    }
    neighbor.owe(key, false, this.#options.backlog);
    this.notice(neighbor, push, now);
    return false;
  }

  /** Sends the neighbor a message that it asked for, now or when it is writable. */
  serve(neighbor: Neighbor, key: string, push: Push<P>): void {
    this.#counters.served++;
    if (!this.#trySend(neighbor, push)) neighbor.owe(key, true, this.#options.backlog);
  }

  /** Adds a notice of a message to those that go out next. */
  notice(neighbor: Neighbor, { id, hops }: Notice, now: number): void {
    neighbor.notices.push({ id, hops });
    if (neighbor.notices.length > this.#options.backlog) {
      neighbor.notices.shift();
      this.#counters.noticesDropped++;
    }
    this.#waiting.add(neighbor);
    if (!neighbor.stuck) this.#due = Math.min(this.#due, now + this.#options.noticeDelay);
  }

  /** Sends a control message. Returns false if there is no room. */
  control(neighbor: Neighbor, control: Control): boolean {
    if (!this.#host.send(neighbor.id, control)) return false;
    this.#counters.controlSent++;
    return true;
  }

  /** Sends the notices that are due. */
  flush(now: number): void {
    if (now < this.#due) return;
    this.#due = Number.POSITIVE_INFINITY;
    for (const neighbor of [...this.#waiting]) {
      if (!neighbor.stuck) this.#sendNotices(neighbor, now);
    }
  }

  /**
   * The neighbor has room again. Sends notices that had no room first, then the messages that the
   * neighbor is owed.
   */
  writable(neighbor: Neighbor, now: number): void {
    const wasStuck = neighbor.stuck;
    neighbor.blocked = neighbor.stuck = false;
    if (wasStuck) this.#sendNotices(neighbor, now);
    for (const [key, isAsked] of neighbor.owed ?? []) {
      const push = isAsked || neighbor.eager ? this.#cache.get(key)?.push : undefined;
      if (push !== undefined && !this.#trySend(neighbor, push)) return;
      neighbor.owed!.delete(key);
    }
  }

  /** The peer is no longer a neighbor. */
  forget(neighbor: Neighbor): void {
    this.#waiting.delete(neighbor);
  }

  #trySend(neighbor: Neighbor, push: Push<P>): boolean {
    if (neighbor.blocked || !this.#host.trySend(neighbor.id, push)) {
      neighbor.blocked = true;
      this.#counters.refused++;
      return false;
    }
    this.#counters.pushed++;
    neighbor.account.pushed++;
    return true;
  }

  #sendNotices(neighbor: Neighbor, now: number): void {
    const { notices } = neighbor;
    let sent = 0;
    while (sent < notices.length) {
      const chunk =
        sent === 0 && notices.length <= this.#noticesEach
          ? notices
          : notices.slice(sent, sent + this.#noticesEach);
      const ihave: IHave = { kind: 'ihave', notices: chunk };
      if (!this.control(neighbor, ihave)) {
        neighbor.stuck = true;
        break;
      }
      sent += chunk.length;
    }
    if (sent === 0) return;
    neighbor.notices = notices.slice(sent);
    if (neighbor.notices.length === 0) this.#waiting.delete(neighbor);
    this.#counters.noticesSent += sent;
    neighbor.tell(sent, now);
    this.#onTold(neighbor, now);
  }
}
