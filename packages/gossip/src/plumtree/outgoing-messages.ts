// Sends messages and notices to the neighbors, and keeps the recent messages for those that ask. A
// message is pushed if there is room, and announced by a notice otherwise; notices are gathered for
// a moment.

import { messageKey } from '../messages/message-id.ts';
import { OldestFirst } from '../messages/oldest-first.ts';
import type { Notice, Push, PushOutput } from './message.ts';
import type { PlumtreeOptions } from './options.ts';
import type { Neighbor, Tree } from './tree.ts';

/**
 * Outputs count as sent as soon as they are queued. If there was no room for an output,
 * `pushUnsent` or `noticesUnsent` corrects that.
 */
export class OutgoingMessages<P> {
  /** Time at which the next notices are to be sent; Infinity if there are none. */
  due = Number.POSITIVE_INFINITY;
  readonly #tree: Tree<P>;
  readonly #cache: MessageCache<P>;
  /** Neighbors with notices to send. */
  readonly #waiting = new Set<Neighbor>();
  /** Neighbors that have room again, and may be owed messages. */
  readonly #writable = new Set<Neighbor>();
  /** The owed message that was output last. It remains owed until there is room for it. */
  #leaving: { readonly neighbor: Neighbor; readonly output: PushOutput<P> } | undefined;

  constructor(tree: Tree<P>, cache: MessageCache<P>) {
    this.#tree = tree;
    this.#cache = cache;
  }

  /**
   * Pushes the message. If there is no room, gives notice of it instead and remembers that the
   * neighbor is owed the message.
   */
  push(neighbor: Neighbor, key: string, push: Push<P>, now: number): void {
    if (neighbor.blocked) return this.#owe(neighbor, key, push, now);
    this.#tree.outputs.add(outputOf(neighbor, push, false));
    this.#tree.sent(neighbor, now);
  }

  /** Sends the neighbor a message that it asked for, now or when it is writable. */
  serve(neighbor: Neighbor, key: string, push: Push<P>): void {
    if (neighbor.blocked) neighbor.owe(key, true, this.#tree.options.backlog);
    else this.#tree.outputs.add(outputOf(neighbor, push, true));
  }

  /** Called when no room was left for a message. */
  pushUnsent(neighbor: Neighbor, output: PushOutput<P>, now: number): void {
    neighbor.blocked = true;
    if (this.#leaving?.output === output) {
      this.#leaving = undefined;
      return;
    }
    const { push, isAsked } = output;
    const key = messageKey(push.id);
    if (isAsked) return neighbor.owe(key, true, this.#tree.options.backlog);
    neighbor.probe.unsent();
    this.#owe(neighbor, key, push, now);
  }

  /** Adds a notice of a message to those that go out next. */
  notice(neighbor: Neighbor, { id, hops }: Notice, now: number): void {
    neighbor.notices.push({ id, hops });
    if (neighbor.notices.length > this.#tree.options.backlog) {
      neighbor.notices.shift();
      this.#tree.counters.noticesDropped++;
    }
    this.#waiting.add(neighbor);
    if (!neighbor.stuck) this.due = Math.min(this.due, now + this.#tree.options.noticeDelay);
  }

  /**
   * Called when no room was left for these notices, which then wait until the neighbor is writable.
   */
  noticesUnsent(neighbor: Neighbor, notices: readonly Notice[]): void {
    const { stuck, notices: others } = neighbor;
    neighbor.stuck = true;
    // The oldest come first: the first notices that were not sent are older than those that wait,
    // and further ones of the same flush are newer than the first.
    neighbor.notices = stuck ? [...others, ...notices] : [...notices, ...others];
    this.#waiting.add(neighbor);
    this.#tree.counters.noticesSent -= notices.length;
    neighbor.probe.unsent(notices.length);
  }

  /** Sends the notices that are due. */
  flush(now: number): void {
    if (now < this.due) return;
    this.due = Number.POSITIVE_INFINITY;
    for (const neighbor of [...this.#waiting]) {
      if (!neighbor.stuck) this.#sendNotices(neighbor, now);
    }
  }

  /** Sends the notices at once if the options say that they are not gathered. */
  flushAtOnce(now: number): void {
    if (this.#tree.options.noticeDelay === 0) this.flush(now);
  }

  /**
   * Called when the neighbor has room again. Sends the notices for which there was no room; after
   * that, `nextOwed` returns the messages that are owed to the neighbor.
   */
  writable(neighbor: Neighbor, now: number): void {
    const wasStuck = neighbor.stuck;
    neighbor.blocked = neighbor.stuck = false;
    if (wasStuck) this.#sendNotices(neighbor, now);
    if (neighbor.owed?.size) this.#writable.add(neighbor);
  }

  /**
   * Returns the output for the next message that is owed to a writable neighbor; undefined if there
   * is none. Outputs are made one by one, because there may be room for only a few of them.
   */
  nextOwed(): PushOutput<P> | undefined {
    if (this.#leaving !== undefined) {
      const { neighbor, output } = this.#leaving;
      neighbor.owed?.delete(messageKey(output.push.id));
      this.#leaving = undefined;
    }
    if (this.#writable.size === 0) return undefined;
    for (const neighbor of this.#writable) {
      for (const [key, isAsked] of neighbor.blocked ? [] : neighbor.owed!) {
        const push = isAsked || neighbor.eager ? this.#cache.get(key)?.push : undefined;
        if (push !== undefined) {
          const output = outputOf(neighbor, push, isAsked);
          this.#leaving = { neighbor, output };
          return output;
        }
        neighbor.owed!.delete(key);
      }
      this.#writable.delete(neighbor);
    }
    return undefined;
  }

  /** Called when the peer is no longer a neighbor. */
  forget(neighbor: Neighbor): void {
    this.#waiting.delete(neighbor);
    this.#writable.delete(neighbor);
  }

  #owe(neighbor: Neighbor, key: string, push: Push<P>, now: number): void {
    neighbor.owe(key, false, this.#tree.options.backlog);
    this.notice(neighbor, push, now);
  }

  #sendNotices(neighbor: Neighbor, now: number): void {
    const { notices } = neighbor;
    const { idsEach } = this.#tree.options;
    if (notices.length === 0) return;
    for (let i = 0; i < notices.length; i += idsEach)
      this.#tree.send(neighbor, { kind: 'ihave', notices: notices.slice(i, i + idsEach) });
    neighbor.notices = [];
    this.#waiting.delete(neighbor);
    this.#tree.counters.noticesSent += notices.length;
    this.#tree.sent(neighbor, now, notices.length);
  }
}

function outputOf<P>({ id: to }: Neighbor, push: Push<P>, isAsked: boolean): PushOutput<P> {
  return { type: 'push', to, push, isAsked };
}

// The recent messages, kept for peers that ask for them.

/** A message in the cache. */
interface CachedMessage<P> {
  /** The message as it is passed on, with a hop count that is one higher than on arrival. */
  readonly push: Push<P>;
  /** The peer that brought the message first; undefined if this node published it. */
  readonly from: string | undefined;
  /** Time at which the message was added. */
  readonly at: number;
}

/**
 * A cache with limits for time, entries and bytes (the options `cacheTime`, `cacheMessages` and
 * `cacheBytes`). Beyond a limit the oldest message is evicted. The newest always stays, so that
 * peers can ask for a message that was just announced to them.
 */
export class MessageCache<P> {
  bytes = 0;
  /** Time at which to call `expire`, about once in an `evictInterval`; Infinity if never. */
  due = Number.POSITIVE_INFINITY;
  readonly #limits: PlumtreeOptions;
  readonly #messages = new OldestFirst<CachedMessage<P>>();

  constructor(limits: PlumtreeOptions) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#messages.size;
  }

  get(key: string): CachedMessage<P> | undefined {
    return this.#messages.get(key);
  }

  /** Returns the `count` newest messages, oldest first. */
  newest(count: number): CachedMessage<P>[] {
    const all = count === 0 ? [] : [...this.#messages.entries()];
    return all.slice(Math.max(0, all.length - count)).map(([, message]) => message);
  }

  /**
   * Adds a message. Returns the number of messages that were evicted before their time was over.
   */
  add(key: string, push: Push<P>, from: string | undefined, now: number): number {
    this.delete(key);
    this.#messages.set(key, { push, from, at: now });
    this.bytes += push.size;
    this.due = Math.min(this.due, now + this.#limits.cacheTime + this.#limits.evictInterval);
    let evicted = 0;
    while (
      this.#messages.size > 1 &&
      (this.#messages.size > this.#limits.cacheMessages || this.bytes > this.#limits.cacheBytes)
    ) {
      this.#remove(...this.#messages.oldest!);
      evicted++;
    }
    return evicted;
  }

  delete(key: string): void {
    const message = this.#messages.get(key);
    if (message !== undefined) this.#remove(key, message);
  }

  /** Removes the messages whose time is over, if that is due. */
  expire(now: number): void {
    if (now < this.due) return;
    const { cacheTime, evictInterval } = this.#limits;
    let { oldest } = this.#messages;
    for (; oldest !== undefined && now - oldest[1].at >= cacheTime; { oldest } = this.#messages)
      this.#remove(...oldest);
    const next = oldest === undefined ? Number.POSITIVE_INFINITY : oldest[1].at + cacheTime;
    this.due = Math.max(now, next) + evictInterval;
  }

  #remove(key: string, { push }: CachedMessage<P>): void {
    this.#messages.delete(key);
    this.bytes -= push.size;
  }
}
