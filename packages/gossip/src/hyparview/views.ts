// Whom a node knows: its neighbours, the passive peers, those that it just lost, and nodes that it knows from elsewhere.

import type { Random } from '@trunkline/transport-core';
import { ActiveView } from './active-view.ts';
import { sample } from './chance.ts';
import { Contacts, MANY } from './contacts.ts';
import { isPeerId } from './message.ts';
import type { PartialViewConfig } from './options.ts';
import { PassiveView } from './passive-view.ts';
import { RecentLosses } from './recent-losses.ts';

/** Nobody is in two of the first three; the node itself is in none. */
export class Views {
  readonly active: ActiveView;
  readonly passive: PassiveView;
  readonly losses: RecentLosses;
  readonly contacts: Contacts;
  readonly #self: string;
  readonly #random: Random;
  readonly #told: number;

  constructor(self: string, config: PartialViewConfig, random: Random) {
    this.#self = self;
    this.#random = random;
    this.#told = config.shuffleActive + config.shufflePassive;
    this.active = new ActiveView(config);
    this.passive = new PassiveView(config.passive, random);
    this.losses = new RecentLosses(config.denyWindow);
    this.contacts = new Contacts(config.contacts, random);
  }

  /** Takes peers into the passive view, in place of those that the other end of a shuffle was `told`. */
  remember(peers: readonly string[], told: readonly string[], now: number): void {
    for (const peer of peers) {
      if (peer !== this.#self && !this.active.has(peer) && !this.losses.has(peer, now)) this.passive.add(peer, told);
    }
  }

  /** Takes peers as far as there is room: what an answer happens to name pushes nobody out. */
  note(peers: readonly string[], now: number): void {
    for (const peer of peers) if (!this.passive.isFull) this.remember([peer], [], now);
  }

  /** Peers that `to` may turn to: passive ones, then neighbours. */
  some(to: string, count = this.#told): string[] {
    const some = this.passive.sample(count);
    if (some.length < count) some.push(...sample(this.active.peers(), count - some.length, this.#random));
    return some.filter((peer) => peer !== to);
  }

  /** Takes contacts. True: somebody among them was not known. */
  know(contacts: readonly string[], isChosen: boolean): boolean {
    const others = contacts.filter((peer) => isPeerId(peer) && peer !== this.#self);
    const isNews = others.some((peer) => !this.contacts.remembers(peer) && !this.active.has(peer) && !this.passive.has(peer));
    this.contacts.add(others, isChosen);
    return isNews;
  }

  /** Somebody who fits, for a free place: a passive peer, or a contact where that is wanted, or nobody else is left. */
  candidate(wantsContact: boolean, isFit: (peer: string) => boolean): { readonly peer: string | undefined; readonly isPassive: boolean } {
    const contact = wantsContact ? this.contacts.random(isFit) : undefined;
    if (contact !== undefined) return { peer: contact, isPassive: false };
    const passive = this.passive.random(isFit);
    return { peer: passive ?? this.contacts.random(isFit), isPassive: passive !== undefined };
  }

  /** Somebody who fits: a contact outside the views if possible. But where few are known, a bootstrap node perhaps, not everybody may turn to them. */
  outsider(isFit: (peer: string) => boolean): string | undefined {
    const { contacts, passive } = this;
    const outside = contacts.random((peer) => isFit(peer) && !passive.has(peer));
    return (this.drawsContact() ? outside : undefined) ?? passive.random(isFit) ?? outside;
  }

  /** True where there are many contacts; else as often as it would be if contacts and passive peers were one list. */
  drawsContact(): boolean {
    const { size } = this.contacts;
    return size >= MANY || this.#random() * (size + this.passive.size) < size;
  }
}
