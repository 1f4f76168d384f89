// All peers that a node knows: neighbors, passive peers, peers lost recently, and contacts known
// from elsewhere.

import type { Random } from '@trunkline/transport-core';
import { ActiveView } from './active-view.ts';
import { sample } from './chance.ts';
import { Contacts, MANY } from './contacts.ts';
import { isPeerId } from './message.ts';
import type { PartialViewConfig } from './options.ts';
import { PassiveView } from './passive-view.ts';
import { RecentLosses } from './recent-losses.ts';

/**
 * The peers that a node knows, in several lists. No peer is on two of the first three lists, and
 * the node itself is on none of them. `remember` ensures this for passive peers. Callers that
 * change `active` or `losses` remove the peer from the other lists.
 */
export class Views {
  readonly active: ActiveView;
  readonly passive: PassiveView;
  readonly losses: RecentLosses;
  readonly contacts: Contacts;
  readonly isDistrusted: (peer: string) => boolean;
  readonly #self: string;
  readonly #random: Random;
  /** Number of peers in a shuffle. */
  readonly #sampleSize: number;

  constructor(
    self: string,
    config: PartialViewConfig,
    random: Random,
    isDistrusted: (peer: string) => boolean,
  ) {
    this.#self = self;
    this.isDistrusted = isDistrusted;
    this.#random = random;
    this.#sampleSize = config.shuffleActive + config.shufflePassive;
    this.active = new ActiveView(config, isDistrusted);
    this.passive = new PassiveView(config.passive, random);
    this.losses = new RecentLosses(config.denyWindow);
    this.contacts = new Contacts(config.contacts, random);
  }

  /**
   * Adds peers to the passive view. If it is full, they replace the peers that this node sent in
   * the same shuffle (`told`).
   */
  remember(peers: readonly string[], told: readonly string[], now: number): void {
    for (const peer of peers) {
      if (peer !== this.#self && !this.active.has(peer) && !this.losses.has(peer, now))
        this.passive.add(peer, told);
    }
  }

  /**
   * Adds peers while there is room. Peers that are merely named by a node that refuses or ends a
   * link don't replace others.
   */
  note(peers: readonly string[], now: number): void {
    for (const peer of peers) if (!this.passive.isFull) this.remember([peer], [], now);
  }

  /** Returns up to `count` peers that `to` may ask for a link: passive ones, then neighbors. */
  some(to: string, count = this.#sampleSize): string[] {
    const some = this.passive.sample(count);
    if (some.length < count)
      some.push(...sample(this.active.peers(), count - some.length, this.#random));
    return some.filter((peer) => peer !== to);
  }

  /**
   * Adds contacts; see `Contacts.add`. Returns true if at least one of them is in no view and was
   * not a contact before.
   */
  know(contacts: readonly string[], isChosen: boolean): boolean {
    const others = contacts.filter((peer) => isPeerId(peer) && peer !== this.#self);
    const isNews = others.some(
      (peer) => !this.contacts.remembers(peer) && !this.active.has(peer) && !this.passive.has(peer),
    );
    this.contacts.add(others, isChosen);
    return isNews;
  }

  /**
   * Returns a peer that fits, for a free place: a passive peer, or a contact if one is wanted or
   * nobody else is left. Distrusted peers come last.
   */
  candidate(
    wantsContact: boolean,
    isFit: (peer: string) => boolean,
  ): { readonly peer: string | undefined; readonly isPassive: boolean } {
    const trusted = this.#candidate(
      wantsContact,
      (peer) => isFit(peer) && !this.isDistrusted(peer),
    );
    return trusted.peer === undefined ? this.#candidate(wantsContact, isFit) : trusted;
  }

  #candidate(
    wantsContact: boolean,
    isFit: (peer: string) => boolean,
  ): { readonly peer: string | undefined; readonly isPassive: boolean } {
    const contact = wantsContact ? this.contacts.random(isFit) : undefined;
    if (contact !== undefined) return { peer: contact, isPassive: false };
    const passive = this.passive.random(isFit);
    return { peer: passive ?? this.contacts.random(isFit), isPassive: passive !== undefined };
  }

  /**
   * Returns a peer that fits (`isFit` must exclude neighbors), preferably a contact that is not
   * passive. With few contacts, such as a single bootstrap node, this prefers passive peers most of
   * the time, because these few contacts could not serve every node.
   */
  outsider(isFit: (peer: string) => boolean): string | undefined {
    const { contacts, passive } = this;
    const outside = contacts.random((peer) => isFit(peer) && !passive.has(peer));
    return (this.drawsContact() ? outside : undefined) ?? passive.random(isFit) ?? outside;
  }

  /**
   * Returns true if there are many contacts. Otherwise the result is random: it is true with the
   * probability that a draw from contacts and passive peers together yields a contact.
   */
  drawsContact(): boolean {
    const { size } = this.contacts;
    return size >= MANY || this.#random() * (size + this.passive.size) < size;
  }
}
