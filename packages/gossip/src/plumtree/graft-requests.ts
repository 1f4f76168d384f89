// If a message doesn't arrive, asks the peers that gave notice of it. A notice is a promise to send
// the message when asked.

import { type MessageId, messageKey } from '../messages/message-id.ts';
import type { PlumtreeCounters } from './counters.ts';
import type { MissingMessages } from './missing-messages.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeOptions } from './options.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';
import { PendingGrafts } from './pending-grafts.ts';
import type { Reports } from './reports.ts';
import type { Tree } from './tree.ts';

export interface GraftRequestsInit<P> {
  readonly options: PlumtreeOptions;
  readonly counters: PlumtreeCounters;
  readonly missing: MissingMessages;
  readonly neighbors: ReadonlyMap<string, Neighbor>;
  readonly outgoing: OutgoingMessages<P>;
  readonly tree: Tree<P>;
  readonly reports: Reports<P>;
}

export class GraftRequests<P> {
  readonly #init: GraftRequestsInit<P>;
  readonly #pendingGrafts: PendingGrafts;
  /** Time before which no further messages are asked for. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(init: GraftRequestsInit<P>) {
    this.#init = init;
    this.#pendingGrafts = new PendingGrafts(init.options.promiseTime, init.options.outstanding);
  }

  get due(): number {
    return Math.min(this.#askDue, this.#pendingGrafts.due);
  }

  get #askDue(): number {
    return Math.max(this.#init.missing.due, this.#pausedUntil);
  }

  /** Number of open promises. */
  get pendingGrafts(): number {
    return this.#pendingGrafts.size;
  }

  wake(now: number): void {
    if (now >= this.#askDue) this.#ask(now);
    this.#blame(now);
  }

  /** Makes the link part of the tree at the other end, and asks for these messages. */
  graft(neighbor: Neighbor, ids: MessageId[]): void {
    this.#init.outgoing.control(neighbor, { kind: 'graft', ids });
    this.#init.counters.graftsSent++;
  }

  /**
   * Called when no room was left for a graft of these messages, so the peer has promised none of
   * them.
   */
  unsent(neighbor: Neighbor, ids: readonly MessageId[]): void {
    this.#init.counters.graftsSent--;
    for (const id of ids) this.excuse(neighbor.id, messageKey(id));
  }

  /** Called when the peer has sent the message. */
  kept(neighbor: Neighbor | undefined, key: string): void {
    if (neighbor === undefined || !this.#pendingGrafts.keep(neighbor.id, key)) return;
    neighbor.brokenInRow = 0;
    neighbor.account.kept++;
  }

  /** Called when the peer has reported that it no longer has the message. */
  excuse(peer: string, key: string): void {
    this.#pendingGrafts.keep(peer, key);
  }

  /** Called when the peer is no longer a neighbor. */
  forget(peer: string): void {
    this.#pendingGrafts.forget(peer);
  }

  #ask(now: number): void {
    const { missing, neighbors, outgoing, tree, counters } = this.#init;
    const isTrusted = (peer: string) => neighbors.get(peer)?.brokenInRow === 0;
    const lots = new Map<string, MessageId[]>();
    for (const { peer, message } of missing.ask(now, AT_ONCE, isTrusted, () => counters.lost++)) {
      this.#pendingGrafts.ask(peer, message.key, now);
      const ids = lots.get(peer);
      if (ids === undefined) lots.set(peer, [message.id]);
      else ids.push(message.id);
    }
    for (const [peer, ids] of lots) {
      const neighbor = neighbors.get(peer);
      if (neighbor === undefined) continue;
      tree.graft(neighbor);
      for (let i = 0; i < ids.length; i += outgoing.idsEach)
        this.graft(neighbor, ids.slice(i, i + outgoing.idsEach));
    }
    if (missing.due <= now) this.#pausedUntil = now + PAUSE;
  }

  #blame(now: number): void {
    const { neighbors, counters, reports } = this.#init;
    for (
      let peer = this.#pendingGrafts.broken(now);
      peer !== undefined;
      peer = this.#pendingGrafts.broken(now)
    ) {
      counters.brokenPromises++;
      const neighbor = neighbors.get(peer);
      if (neighbor === undefined) continue;
      neighbor.brokenInRow++;
      neighbor.account.broken++;
      reports.add(neighbor, 'broken-promise', now);
    }
  }
}

/**
 * Maximum number of missing messages that are asked for or given up at once, and the milliseconds
 * until the next ones are. A peer may give notice of thousands at once, so other work must come in
 * between. A timer without a delay would fire again before anything is read.
 */
const AT_ONCE = 256;
const PAUSE = 5;
