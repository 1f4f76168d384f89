// HyParView (Leitão, Pereira, Rodrigues, DSN 2007): each of thousands of nodes keeps a few
// symmetric links, and remembers some peers to replace lost ones. This module owns the views of one
// node on one topic. Its inputs are messages, lost links and the time; its outputs are messages to
// send and changes of neighbors. It uses no timers, no sockets and no randomness but the given one;
// overlay/partial-view calls it. Its parts: views.ts holds the lists of peers, requests.ts decides
// whom to ask, message.ts explains the inputs, outputs and messages, options.ts has the bounds.

import type { Machine } from '@trunkline/peers/internal';
import type { TransportError } from '@trunkline/transport-core';
import {
  type DownCause,
  isPeerId,
  type MessageOf,
  type PartialViewInput,
  type PartialViewMessage,
  type PartialViewOutput,
  type PartialViewSetup,
  tidyMessage,
} from './message.ts';
import type { PartialViewConfig } from './options.ts';
import {
  isFilling,
  isOwnChoice,
  LinkRequester,
  Merges,
  mayEvict,
  type Requests,
} from './requests.ts';
import {
  type ActiveView,
  type PassiveView,
  type RecentLosses,
  Shuffles,
  Views,
} from './views.ts';

/**
 * One node's view of one topic. It accepts links from the start; the inputs `join` and `found` name
 * the nodes to ask for links.
 */
export class PartialView implements Machine<PartialViewInput, PartialViewOutput> {
  readonly #config: PartialViewConfig;
  readonly #views: Views;
  readonly #active: ActiveView;
  readonly #passive: PassiveView;
  readonly #losses: RecentLosses;
  readonly #requester: LinkRequester;
  readonly #requests: Requests;
  readonly #shuffles: Shuffles;
  readonly #merges: Merges;
  /**
   * The last peer with room that was refused a link, without newcomers. The next peer that is refused
   * is told of it.
   */
  #refused: string | undefined;
  /** Time at which the passive peers were last greeted; see `#greetPassive`. */
  #greetedAt = Number.NEGATIVE_INFINITY;

  constructor({ self, random, now, config, isDistrusted = () => false }: PartialViewSetup) {
    this.#config = config;
    this.#views = new Views(self, config, random, isDistrusted);
    ({ active: this.#active, passive: this.#passive, losses: this.#losses } = this.#views);
    this.#requester = new LinkRequester(this.#views);
    this.#requests = this.#requester.requests;
    this.#shuffles = new Shuffles(this.#views, now);
    this.#merges = new Merges(config.mergeInterval, random, now);
  }

  handle(now: number, input: PartialViewInput): void {
    // `gave` comes with each message, and does not concern the search.
    if (input.type === 'gave') {
      const link = this.#active.get(input.peer);
      if (link !== undefined) link.gave = true;
      return;
    }
    this.#take(now, input);
    this.#requester.search.update(this.#requester.isShort, now);
  }

  poll(): PartialViewOutput | undefined {
    return this.#views.outputs.poll();
  }

  get wakeAt(): number {
    return this.#requester.isLeaving
      ? Number.POSITIVE_INFINITY
      : Math.min(
          this.#requests.due,
          this.#shuffles.due,
          this.#merges.due,
          this.#requester.search.due,
        );
  }

  /** The neighbors. */
  active(): string[] {
    return this.#active.peers();
  }

  passive(): string[] {
    return this.#passive.peers();
  }

  isNeighbor(peer: string): boolean {
    return this.#active.has(peer);
  }

  /**
   * True if all links may belong to one attacker: others chose all of them, or many nodes request
   * links while this node chose at most `own`.
   */
  isPressed(now: number): boolean {
    const { chosen, size } = this.#active;
    return (
      (chosen <= this.#config.own && this.#requester.isFlooded(now)) || (chosen === 0 && size > 0)
    );
  }

  /**
   * True if this node has too few links to trusted peers and nobody is left to ask, so that more
   * contacts would help.
   */
  get isHungry(): boolean {
    return this.#requester.isHungry;
  }

  #take(now: number, input: Exclude<PartialViewInput, { readonly type: 'gave' }>): void {
    switch (input.type) {
      case 'join':
        this.#requester.join();
        this.#requester.search.restart();
        this.#views.know(input.contacts, true);
        return this.#requester.fill(now);
      case 'found':
        if (this.#views.know(input.nodes, input.isChosen)) this.#merges.noteReason(now);
        return this.#requester.fill(now);
      case 'received':
        return this.#receive(input.from, input.message, now);
      case 'lost':
        return this.#lose(input.peer, input.error, now);
      case 'reject':
        return this.#tellStranger(input.peer);
      case 'dismiss':
        return this.#dismiss(input.peer, now);
      case 'distrusted':
        return this.#requester.fill(now);
      case 'seek':
        if (this.#merges.isOn && !this.#requester.isLeaving) this.#requester.seek('merge', now);
        return;
      case 'leave':
        return this.#leave(now);
      case 'wake':
        return this.#wake(now);
    }
  }

  #dismiss(peer: string, now: number): void {
    if (!this.#active.has(peer)) return;
    // First, so that `#drop` does not put the peer into the passive view.
    this.#losses.add(peer, now);
    this.#drop(peer, 'evicted', undefined, now);
    this.#lostPlace();
    this.#requester.seek('replace', now);
    this.#requester.fill(now);
  }

  #leave(now: number): void {
    this.#requester.leave();
    this.#requests.clear();
    for (const peer of this.#active.peers()) this.#drop(peer, 'closed', undefined, now);
  }

  #receive(from: string, given: PartialViewMessage, now: number): void {
    const { self } = this.#views;
    const message = tidyMessage(given, self, this.#config);
    if (message === undefined || from === self || !isPeerId(from)) return;
    switch (message.type) {
      case 'join':
      case 'neighbor':
        return this.#onAsked(from, message, now);
      case 'accept':
        return this.#onAccept(from, message, now);
      case 'refuse':
        return this.#onRefuse(from, message, now);
      case 'forward-join':
        return this.#onForwardJoin(from, message, now);
      case 'shuffle':
        return this.#onShuffle(from, message, now);
      case 'shuffle-reply':
        if (this.#shuffles.replied(message, now)) this.#requester.fill(now);
        return;
      case 'disconnect':
        return this.#onDisconnect(from, message, now);
    }
  }

  /**
   * Handles a request for a link. Newcomers and requests with high priority are accepted even if
   * another link must be evicted, but only at a limited rate. Any trusted node takes the place of a
   * distrusted one, and a distrusted node takes no other node's place.
   */
  #onAsked(from: string, asked: MessageOf<'join' | 'neighbor'>, now: number): void {
    const { request } = asked;
    if (this.#requester.isLeaving) return this.#tellStranger(from);
    this.#losses.delete(from);
    const isNewcomer = asked.type === 'join';
    if (this.#active.has(from)) {
      // Either this node's answer was lost, or the newcomer has restarted and forgotten the link.
      // In the second case it must be introduced again.
      this.#views.send(from, { type: 'accept', request, free: undefined });
      if (isNewcomer && this.#requester.takeFavor(from, now)) this.#introduce(from);
      return;
    }
    const purpose = this.#requests.get(from)?.purpose;
    const isFull = this.#active.size >= this.#config.active;
    const isBarred = isFull && this.#views.isDistrusted(from);
    const replacesDistrusted = isFull && this.#active.distrusted > 0;
    const needsFavor = isNewcomer || (isFull && asked.high);
    const isWelcome =
      !isBarred &&
      (replacesDistrusted || (needsFavor ? this.#requester.takeFavor(from, now) : !isFull));
    if (!isWelcome) {
      // The node refused last usually still has room, so two nodes that search find each other.
      const free = this.#refused === from ? undefined : this.#refused;
      if (!isNewcomer && !asked.full) this.#refused = from;
      this.#views.send(from, { type: 'refuse', request, free, peers: this.#views.some(from) });
      return;
    }
    this.#requests.delete(from);
    const hasRoom = isNewcomer || !asked.full;
    const evicted = isFull ? this.#evict(hasRoom ? from : undefined, now) : undefined;
    // While this node has chosen few links, a contact that asks for a link is treated like a node
    // that was asked.
    const isLikeOwn = this.#active.chosen < this.#config.own && this.#views.contacts.has(from);
    this.#link(from, isLikeOwn || (purpose !== undefined && isOwnChoice(purpose)), now);
    this.#views.send(from, { type: 'accept', request, free: evicted });
    if (isNewcomer) this.#introduce(from);
  }

  #introduce(newcomer: string): void {
    const ttl = this.#config.joinWalk;
    for (const peer of this.#active.peers()) {
      if (peer !== newcomer) this.#views.send(peer, { type: 'forward-join', peer: newcomer, ttl });
    }
  }

  #onAccept(from: string, { request, free }: MessageOf<'accept'>, now: number): void {
    const purpose = this.#requests.answered(from, request);
    if (this.#active.has(from)) return;
    if (purpose === undefined || this.#requester.isLeaving) return this.#tellStranger(from);
    if (this.#active.size >= this.#config.active) {
      const isBetter = this.#active.distrusted > 0 && !this.#views.isDistrusted(from);
      const isOwn = isOwnChoice(purpose) && this.#active.chosen < this.#config.own;
      if (!mayEvict(purpose) && !isOwn && !isBetter) {
        this.#disconnect(from, true, undefined, this.#views.some(from));
        return this.#views.remember([from], [], now);
      }
      // The evicted peer is told who has room for it: a newcomer that was introduced, or otherwise
      // the peer that the other end evicted for this link (`free`).
      this.#evict(purpose === 'introduced' ? from : free, now);
    }
    if (purpose === 'merge') this.#merges.succeeded(now);
    this.#requester.accepted(purpose, now);
    this.#link(from, isOwnChoice(purpose), now);
    this.#requester.fill(now);
  }

  #onRefuse(from: string, refusal: MessageOf<'refuse'>, now: number): void {
    const purpose = this.#requests.answered(from, refusal.request);
    if (purpose === undefined || !isFilling(purpose)) return;
    this.#requester.search.refused();
    this.#views.remember([from], [], now);
    this.#requester.follow(refusal, now);
  }

  #onForwardJoin(from: string, message: MessageOf<'forward-join'>, now: number): void {
    const { peer: newcomer, ttl } = message;
    const link = this.#active.get(from);
    if (link === undefined) return this.#tellStranger(from);
    if (!link.introductions.tryTake(now) || newcomer === from || this.#active.has(newcomer)) return;
    if (ttl > 0 && this.#active.size > 1) {
      if (ttl === this.#config.passiveWalk) this.#views.remember([newcomer], [], now);
      const isFit = (peer: string) => peer !== from && peer !== newcomer;
      const next = this.#active.random(this.#views.random, isFit);
      if (next !== undefined)
        return this.#views.send(next, { type: 'forward-join', peer: newcomer, ttl: ttl - 1 });
    }
    // The newcomer is asked before it is added, because it may not be reachable from here.
    if (this.#requests.isWaiting(newcomer) || this.#losses.has(newcomer, now)) return;
    const mayFit = this.#active.size + this.#requests.waiting < this.#config.active;
    if (mayFit || this.#requester.takeFavor(newcomer, now))
      this.#requester.ask(newcomer, 'introduced', false, now);
    else this.#views.remember([newcomer], [], now);
  }

  #onShuffle(from: string, shuffle: MessageOf<'shuffle'>, now: number): void {
    const link = this.#active.get(from);
    if (link !== undefined) this.#shuffles.received(link, shuffle, now);
    // A greeting: the sender is alive and knows this node.
    else if (this.#requester.isShort) this.#views.remember([from], [], now);
    this.#requester.fill(now);
    if (link === undefined) this.#tellStranger(from);
  }

  #onDisconnect(from: string, message: MessageOf<'disconnect'>, now: number): void {
    const { alive } = message;
    const wasAsked = this.#requests.delete(from);
    if (this.#active.remove(from)) {
      this.#down(from, alive ? 'disconnected' : 'left');
      this.#lostPlace();
    } else if (!wasAsked) return;
    if (alive) {
      this.#requester.search.asked(from);
      this.#views.remember([from], [], now);
    } else {
      this.#losses.add(from, now);
      this.#passive.remove(from);
    }
    this.#requester.follow(message, now);
  }

  #lose(peer: string, error: TransportError | undefined, now: number): void {
    const wasAsked = this.#requests.delete(peer);
    const wasNeighbor = this.#active.remove(peer);
    if (wasAsked || wasNeighbor || this.#passive.has(peer)) this.#losses.add(peer, now);
    this.#passive.remove(peer);
    if (wasNeighbor) {
      this.#merges.noteReason(now);
      this.#down(peer, 'lost', error);
      this.#lostPlace();
    }
    this.#requester.fill(now);
  }

  /**
   * Called after a neighbor was lost. A full view may have asked all nodes already, for the place
   * of a distrusted neighbor; a free place must not wait for their next round.
   */
  #lostPlace(): void {
    if (this.#active.size === this.#config.active - 1) this.#requester.search.restart();
  }

  #wake(now: number): void {
    if (this.#requester.isLeaving) return;
    const { changed, silent } = this.#requests.expire(now);
    for (const peer of silent) this.#passive.remove(peer);
    const isShuffle = this.#shuffles.begin(now);
    // If all links may belong to one attacker, this node asks for a link of its own choice at once.
    if (now >= this.#merges.due || (isShuffle && this.#merges.isOn && this.isPressed(now))) {
      this.#merges.begin(now);
      this.#requester.seek('merge', now);
    }
    if (this.#requester.search.begin(now) || changed) this.#requester.fill(now);
  }

  #link(peer: string, chosen: boolean, now: number): void {
    this.#passive.remove(peer);
    this.#active.add(peer, chosen);
    this.#views.outputs.add({ type: 'neighbor-up', peer });
    this.#greetPassive(now);
  }

  /**
   * Called after a link was added. If the view is full again after at least as many losses as it
   * has links, greets all passive peers, at most once in a `denyWindow`: after many simultaneous
   * failures, some of them may have no neighbors left, and may be known only to this node.
   */
  #greetPassive(now: number): void {
    const { active, denyWindow } = this.#config;
    const isFull = this.#active.size === active;
    if (!isFull || now < this.#greetedAt + denyWindow || this.#losses.count(now) < active) return;
    this.#greetedAt = now;
    for (const peer of this.#passive.peers())
      if (!this.#requests.has(peer)) this.#shuffles.greet(peer);
  }

  /** Makes room for a link. Returns the evicted peer, which is informed that `free` has room. */
  #evict(free: string | undefined, now: number): string | undefined {
    const victim = this.#active.victim();
    if (victim !== undefined) this.#drop(victim, 'evicted', free, now);
    return victim;
  }

  #drop(peer: string, cause: 'evicted' | 'closed', free: string | undefined, now: number): void {
    this.#active.remove(peer);
    this.#views.remember([peer], [], now);
    this.#disconnect(peer, cause === 'evicted', free, this.#views.some(peer));
    this.#down(peer, cause);
  }

  /**
   * Informs a peer that this node is not its neighbor: the peer assumes a link that doesn't exist,
   * or asks a node that is leaving. A peer that is being asked for a link learns this from that
   * request.
   */
  #tellStranger(peer: string): void {
    if (this.#active.has(peer) || this.#requests.isWaiting(peer)) return;
    this.#disconnect(peer, !this.#requester.isLeaving, undefined, []);
  }

  #disconnect(
    to: string,
    alive: boolean,
    free: string | undefined,
    peers: readonly string[],
  ): void {
    this.#views.send(to, { type: 'disconnect', alive, free, peers });
  }

  #down(peer: string, cause: DownCause, error?: TransportError): void {
    this.#views.outputs.add({ type: 'neighbor-down', peer, cause, error });
  }
}
