// Shuffles keep the passive views fresh: two nodes at the ends of a random walk send each other
// some of their peers.

import { Allowance } from './allowance.ts';
import type { MessageOf } from './message.ts';
import { jittered, type OverlayLink, sample, type Views } from './views.ts';

export class Shuffles {
  readonly #views: Views;
  /** Rate limit of other nodes' shuffles that change the passive view. */
  readonly #exchanges: Allowance;
  /** The shuffle under way: its number, and the peers that were sent. */
  #current: { readonly id: number; readonly told: readonly string[] } | undefined;
  #next: number;
  #due: number;

  constructor(views: Views, now: number) {
    const { random, config } = views;
    this.#views = views;
    this.#exchanges = new Allowance(EXCHANGES, config.shuffleInterval / EXCHANGES, now);
    this.#next = Math.floor(random() * 0x4000_0000);
    this.#due = now + random() * config.shuffleInterval;
  }

  /** Time at which the next shuffle begins. */
  get due(): number {
    return this.#due;
  }

  /** Begins a shuffle if one is due. Returns true if one was due. */
  begin(now: number): boolean {
    if (now < this.#due) return false;
    const views = this.#views;
    const { self: origin, random, config } = views;
    this.#due = now + jittered(config.shuffleInterval, random);
    const target = views.active.next();
    if (target === undefined) return true;
    const others = views.active.peers().filter((peer) => peer !== target);
    const told = [
      ...sample(others, config.shuffleActive, random),
      ...views.passive.sample(config.shufflePassive),
    ];
    const id = this.#next++;
    this.#current = { id, told };
    views.send(target, { type: 'shuffle', origin, id, ttl: config.shuffleWalk, peers: told });
    return true;
  }

  /**
   * Informs a passive peer that this node exists. If the peer's view is short, it asks for a link.
   * If the peer is gone, it will be reported as lost.
   */
  greet(peer: string): void {
    const { self: origin } = this.#views;
    this.#views.send(peer, { type: 'shuffle', origin, id: this.#next++, ttl: 1, peers: [] });
  }

  /** Handles a walk that arrived over a link: passes it on, or ends it here. */
  received(link: OverlayLink, { origin, id, ttl, peers }: MessageOf<'shuffle'>, now: number): void {
    if (!link.shuffles.take(now)) return;
    const views = this.#views;
    if (ttl > 1 && views.active.size > 1) {
      const isFit = (peer: string) => peer !== link.peer && peer !== origin;
      const next = views.active.random(views.random, isFit);
      if (next !== undefined)
        return views.send(next, { type: 'shuffle', origin, id, ttl: ttl - 1, peers });
    }
    if (!this.#exchanges.take(now)) return;
    const told = views.some(origin, peers.length + 1);
    views.send(origin, { type: 'shuffle-reply', id, peers: told });
    views.remember([origin, ...peers], told, now);
  }

  /** Handles a reply. Returns true if it answers the shuffle under way. */
  replied({ id, peers }: MessageOf<'shuffle-reply'>, now: number): boolean {
    if (this.#current?.id !== id) return false;
    this.#views.remember(peers, this.#current.told, now);
    this.#current = undefined;
    return true;
  }
}

/**
 * Maximum number of shuffles that may change the passive view in one interval. On average, 1
 * shuffle ends here; more than 8 arrive only in one of 10^6 intervals.
 */
const EXCHANGES = 8;
