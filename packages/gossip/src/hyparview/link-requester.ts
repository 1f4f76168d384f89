// Asks nodes for links while the view is short. It owns the phase of this node's membership, and
// decides which node to ask next, for which purpose and with which priority.

import type { OutputQueue } from '@trunkline/peers/internal';
import type { FavorLimiter } from './favor-limiter.ts';
import type { PartialViewOutput } from './interface.ts';
import type { PartialViewConfig } from './options.ts';
import type { Purpose, Requests } from './requests.ts';
import type { Search } from './search.ts';
import type { Views } from './views.ts';

export interface LinkRequesterInit {
  readonly config: PartialViewConfig;
  readonly views: Views;
  readonly requests: Requests;
  readonly search: Search;
  readonly favorLimiter: FavorLimiter;
  readonly outputs: OutputQueue<PartialViewOutput>;
}

export class LinkRequester {
  readonly #init: LinkRequesterInit;
  /** A newcomer becomes a member when a peer accepts it. */
  #phase: 'newcomer' | 'member' | 'leaving' = 'newcomer';
  /** Time until which a newcomer waits for requests from the nodes that it was introduced to. */
  #settledAt = Number.NEGATIVE_INFINITY;
  #isHungry = false;

  constructor(init: LinkRequesterInit) {
    this.#init = init;
  }

  get isLeaving(): boolean {
    return this.#phase === 'leaving';
  }

  /** True if the view is short and nobody is left to ask, so more `known` nodes would help. */
  get isHungry(): boolean {
    return this.#isHungry && this.isShort;
  }

  /** True if this node wants more links than it has. */
  get isShort(): boolean {
    const { views, config } = this.#init;
    return !this.isLeaving && views.active.size < config.active;
  }

  join(): void {
    this.#phase = this.#init.views.active.size > 0 ? 'member' : 'newcomer';
  }

  leave(): void {
    this.#phase = 'leaving';
  }

  /** A peer has accepted this node's request, which was sent for `purpose`. */
  accepted(purpose: Purpose, now: number): void {
    this.#phase = 'member';
    if (purpose === 'join') this.#settledAt = now + this.#init.config.neighborTimeout;
  }

  /**
   * Asks a node for each place that is free or taken by a distrusted peer, which only a trusted one
   * replaces: passive peers first, then contacts. A node without links asks
   * two nodes with high priority. A newcomer asks one node, preferably a contact, to introduce it.
   */
  fill(now: number): void {
    const { config, views, requests, search, favorLimiter } = this.#init;
    if (this.isLeaving || now < this.#settledAt) return;
    const isMember = this.#phase === 'member';
    const spare = config.active - views.active.size;
    const wanted = spare + views.active.distrusted;
    for (let asked = requests.filling; asked < wanted; asked++) {
      const isAlone = views.active.size === 0;
      if (isAlone && asked >= (isMember ? 2 : 1)) return;
      const isFew = 2 * views.active.size <= config.active;
      if (!isFew && search.refusals >= LEISURELY) return;
      // Known nodes are preferred for the first links of this node's own choice, and for all links
      // while many nodes request links, because the passive view holds only nodes that others
      // named.
      const isOwn = isMember && (views.active.chosen < config.own || favorLimiter.isScarce(now));
      const { peer, isPassive } = views.candidate(
        !isMember || (isOwn && views.drawsContact()),
        (other) => this.#mayAsk(other, now) && (asked < spare || !views.isDistrusted(other)),
      );
      this.#isHungry = peer === undefined;
      if (peer === undefined) return;
      search.asked(peer);
      // The view is small and nobody has room for this node: it may be part of an island.
      const isStuck = isFew && search.failures > 0 && asked === 0;
      const purpose = isAlone && (!isPassive || !isMember) ? 'join' : 'fill';
      this.ask(peer, purpose, isAlone || isStuck, now);
    }
    this.#isHungry = false;
  }

  /**
   * Asks a peer that was suggested because it has room. A node that evicts a neighbor knows such a
   * peer, so views stay full without searches through the overlay.
   */
  turnTo(peer: string | undefined, now: number): void {
    const { config, views, requests, search } = this.#init;
    if (
      peer === undefined ||
      this.#phase !== 'member' ||
      views.active.size + requests.filling >= config.active ||
      !this.#mayAsk(peer, now)
    )
      return;
    search.asked(peer);
    this.ask(peer, 'suggested', views.active.size === 0, now);
  }

  /**
   * Asks a node outside both views for a link, or a passive peer if few contacts are known (see
   * `Views.outsider`). After a network has split, both parts may have full views. Only a link to a
   * node outside the views can join the parts again.
   */
  seek(purpose: 'merge' | 'replace', now: number): void {
    const { views, requests } = this.#init;
    const peer = views.outsider(
      (other) =>
        !views.active.has(other) && !requests.isWaiting(other) && !views.losses.has(other, now),
    );
    if (peer !== undefined) this.ask(peer, purpose, true, now);
  }

  ask(peer: string, purpose: Purpose, high: boolean, now: number): void {
    const { config, views, requests, outputs } = this.#init;
    const request = requests.add(peer, purpose, now);
    outputs.add({
      type: 'send',
      to: peer,
      message:
        purpose === 'join'
          ? { type: 'join', request }
          : { type: 'neighbor', request, high, full: views.active.size >= config.active },
    });
  }

  #mayAsk(peer: string, now: number): boolean {
    const { views, requests, search } = this.#init;
    return (
      search.mayAsk(peer) &&
      !views.active.has(peer) &&
      !requests.has(peer) &&
      !views.losses.has(peer, now)
    );
  }
}

/**
 * Number of refusals after which a view that is more than half full asks nobody until the next
 * round, because it does not urgently need links.
 */
const LEISURELY = 8;
