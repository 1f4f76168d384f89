// Decides which nodes to dial, and when: persistent peers first and forever, then peers whose
// connection was lost by chance, then nodes of the address book, then seeds.

import { isNodeId, parseTarget, type Random, type TransportError } from '@trunkline/transport-core';
import { AddressHistory } from './address-history.ts';
import { AddressKeys, addressKey, hostOf, keyOf } from './address-key.ts';
import type { BackOffOptions } from './back-off.ts';
import { BookSearch } from './book-search.ts';
import type {
  DialCandidate,
  DialKind,
  DialOrder,
  DialPlannerOptions,
  LostPeer,
  PlannerView,
} from './dial-order.ts';
import { DialRate } from './dial-rate.ts';
import type { DialTarget } from './dial-target.ts';
import { DialTargets } from './dial-targets.ts';
import { type Dial, DialsUnderWay } from './dials-under-way.ts';
import {
  LONGEST_ORDINARY,
  LONGEST_SPREAD,
  MOST_AGAIN,
  MOST_FAILURES,
  MOST_PERSISTENT,
  MOST_SEEDS,
  REST,
  SPARE_PERIOD,
  TEST_PERIOD,
  YOUNG,
} from './limits.ts';
import { isPointless, isTransient } from './lost-link.ts';
import { OwnAddresses } from './own-addresses.ts';
import { ReconnectList } from './reconnect-list.ts';
import type { TopologyDiff } from './topology.ts';

/**
 * Plans the dials of one node. Call `next` after every event (a call of this class, or a change of
 * the view), and at the time that `due` returns.
 */
export class DialPlanner {
  readonly #random: Random;
  readonly #maxOutbound: number;
  readonly #reconnect: BackOffOptions;
  readonly #brief: BackOffOptions;
  readonly #patient: BackOffOptions;
  readonly #concurrent: number;
  readonly #young: number;
  readonly #perHost: number;
  readonly #rate: DialRate;
  readonly #persistent: DialTargets;
  readonly #seeds: DialTargets;
  readonly #history: AddressHistory;
  readonly #again = new ReconnectList<DialCandidate>();
  readonly #underWay = new DialsUnderWay<DialKind>();
  readonly #keys = new AddressKeys();
  /** Canonical addresses at which this node dialed itself. */
  readonly #ownAddresses = new OwnAddresses();
  /** The time of the last call of `next`. */
  #now: number;
  #testAt: number;
  #spareAt: number;
  readonly #search = new BookSearch();
  /** The value of `due`. Every event sets it to now. */
  #wake = Number.NEGATIVE_INFINITY;

  /** Throws `invalid_argument` of `parseTarget` for a malformed persistent peer or seed. */
  constructor({
    random,
    now,
    persistent,
    seeds,
    maxOutbound,
    reconnect,
    concurrent = 16,
    young = 3,
    rate = 20,
    perHost,
  }: DialPlannerOptions) {
    this.#random = random;
    this.#maxOutbound = maxOutbound;
    this.#reconnect = reconnect;
    this.#brief = { ...reconnect, max: Math.min(reconnect.max, LONGEST_ORDINARY) };
    this.#patient = { ...this.#brief, interval: reconnect.interval * 4 };
    this.#concurrent = concurrent;
    this.#young = young;
    this.#perHost = perHost ?? Number.POSITIVE_INFINITY;
    this.#rate = new DialRate(rate);
    this.#persistent = new DialTargets(persistent);
    this.#seeds = new DialTargets(seeds);
    this.#history = new AddressHistory(random);
    this.#now = now;
    this.#testAt = now + TEST_PERIOD;
    this.#spareAt = this.#nextSpare(now);
  }

  /** Returns the dials to start now; the driver starts all of them. */
  next(now: number, view: PlannerView): DialOrder[] {
    const orders: DialOrder[] = [];
    this.#now = now;
    this.#wake = Number.POSITIVE_INFINITY;
    this.#seeds.begin(now);
    this.#persistent.begin(
      now,
      Math.min(3 * this.#reconnect.interval, LONGEST_SPREAD),
      this.#random,
    );
    this.#notice(this.#persistent, this.#reconnect, now, view);
    this.#notice(this.#seeds, this.#brief, now, view);
    this.#dialPersistent(now, view, orders);
    this.#dialOrdinary(now, view, orders);
    this.#dialSpare(now, view, orders);
    this.#dialTest(now, view, orders);
    return orders;
  }

  /** When to call `next` if no event happens before. Infinity means never. */
  due(now: number): number {
    return Math.max(now, this.#wake);
  }

  /**
   * Reports that the dial reached the peer `nodeId` and hellos were exchanged, even if the
   * connection is not kept because the peer has another one.
   */
  opened(order: DialOrder, nodeId: string, now: number): void {
    const dial = this.#end(order);
    if (dial === undefined) return;
    for (const targets of [this.#persistent, this.#seeds]) {
      for (const target of targets.matching(nodeId, dial.key)) {
        if (target.key === dial.key) targets.learn(target, nodeId);
        target.up(now);
      }
    }
    dial.target?.up(now); // Its target may have been removed meanwhile.
    this.#again.remove(dial.key);
    if (order.kind === 'test') this.#history.forget(dial.key);
    else if (order.kind !== 'persistent') this.#history.opened(dial.key, now);
  }

  /**
   * Reports that the dial failed. `giveUp` is true after 16 failures in a row (Tendermint's
   * maxAttemptsToDial): the address is left alone for ten minutes. It is never true for persistent
   * peers and seeds. Tendermint bans the node for a day instead, but then two halves of a network
   * that were separated for some minutes would not look for each other any more, and a node that
   * reports false addresses of another one could get it banned.
   */
  failed(order: DialOrder, now: number, error: TransportError): { giveUp: boolean } {
    if (error.reason === 'self' && order.reported !== true) {
      this.self(order);
      return { giveUp: false };
    }
    const dial = this.#end(order);
    if (dial === undefined) return { giveUp: false };
    dial.target?.failed(
      now,
      order.kind === 'persistent' ? this.#reconnect : this.#brief,
      this.#random,
    );
    if (order.kind === 'persistent') return { giveUp: false };
    const failures = this.#history.failed(dial.key, now, this.#backOffAfter(error));
    this.#search.by(this.#history.readyAt(dial.key));
    if (isPointless(error)) this.#again.remove(dial.key);
    else this.#again.failed(dial.key);
    if (failures < MOST_FAILURES || this.#isNamed(order.nodeId, dial.key)) return { giveUp: false };
    this.#again.remove(dial.key);
    this.#history.rest(dial.key, now + REST);
    return { giveUp: true };
  }

  /** Returns whether an address is left alone for now. */
  isResting(address: string, now: number): boolean {
    const key = addressKey(address);
    return key !== undefined && this.#history.readyAt(key) > now;
  }

  /** Leaves an address alone until the given time. */
  rest(address: string, until: number): void {
    const key = addressKey(address);
    if (key !== undefined) this.#history.rest(key, until);
  }

  /**
   * Reports that the dial reached this node itself. The address is not dialed again, unless it is
   * set or added as a persistent peer.
   */
  self(order: DialOrder): void {
    const dial = this.#end(order);
    if (dial === undefined) return;
    dial.target?.waitUntil(Number.NEGATIVE_INFINITY); // In case the address is set again.
    this.#again.remove(dial.key);
    this.#history.forget(dial.key);
    this.#ownAddresses.add(dial.key);
  }

  /**
   * Reports that the last connection to a peer is gone. `address` is the address that we dialed,
   * undefined if the peer dialed.
   *
   * Persistent peers are dialed again. If the peer's id was given, its last address is dialed too,
   * if that differs (Tendermint dials only the given address). Other peers that we dialed and lost
   * by chance are dialed three more times before unknown nodes are.
   */
  lost(peer: LostPeer, error: TransportError, now: number): void {
    this.#changed();
    const { nodeId, address } = peer;
    const key = address === undefined ? undefined : addressKey(address);
    const persistent = this.#persistent.matching(nodeId, key);
    const last = address ?? peer.told;
    for (const target of persistent) {
      const lastKey = last === undefined ? undefined : addressKey(last);
      if (lastKey !== undefined && target.nodeId === nodeId)
        target.moved = lastKey === target.key ? undefined : last;
      target.lost(now, this.#reconnect, this.#random);
    }
    const seeds = this.#seeds.matching(nodeId, key);
    for (const target of seeds)
      if (target.state.t === 'up') target.lost(now, this.#brief, this.#random);
    if (address === undefined || key === undefined || persistent.length > 0 || peer.persistent)
      return;
    this.#history.lost(key, now, this.#backOffAfter(error));
    if (seeds.length === 0 && isTransient(error)) this.#again.add(key, { nodeId, address });
  }

  /**
   * Replaces the list of persistent peers. Peers that stay keep their back-off. Throws
   * `invalid_argument` of `parseTarget` without changing anything.
   */
  setPersistent(targets: readonly string[]): TopologyDiff {
    const diff = this.#persistent.set(targets);
    for (const text of targets) this.#ownAddresses.delete(keyOf(parseTarget(text)));
    this.#changed();
    return diff;
  }

  /**
   * Adds a persistent peer. If its node id is listed with another address, the new address replaces
   * it.
   */
  addPersistent(target: string): TopologyDiff {
    const diff = this.#persistent.set([...this.#persistent.texts, target]);
    this.#ownAddresses.delete(addressKey(target)!);
    this.#changed();
    return diff;
  }

  /**
   * Removes persistent peers by node id (given or learned), by address, or by both
   * ('nodeId@address'). Returns the removed targets as they were written.
   */
  removePersistent(nodeIdOrTarget: string): string[] {
    this.#changed(); // A removed peer becomes an ordinary candidate again.
    const text = nodeIdOrTarget.trim();
    if (isNodeId(text)) return this.#persistent.remove(text, undefined);
    const target = parseTarget(text);
    return this.#persistent.remove(target.nodeId, keyOf(target));
  }

  /** The persistent peers, as they were written. */
  get persistent(): readonly string[] {
    return this.#persistent.texts;
  }

  /**
   * Returns whether the peer with this id, or at this address that we dialed, is a persistent one.
   * Ids may have been given, or learned from the node that answered.
   */
  isPersistent(nodeId: string | undefined, address?: string): boolean {
    return (
      this.#persistent.matching(nodeId, address === undefined ? undefined : addressKey(address))
        .length > 0
    );
  }

  /**
   * Returns whether this id was given with a persistent peer, so that only a node that proves it
   * may be that peer.
   */
  isNamed(nodeId: string): boolean {
    return this.#persistent.matching(nodeId, undefined).some((target) => target.nodeId === nodeId);
  }

  /** Returns whether a persistent peer is listed with this address and without an id. */
  isNamedAt(address: string): boolean {
    const key = addressKey(address);
    return (
      key !== undefined &&
      this.#persistent.matching(undefined, key).some((target) => target.nodeId === undefined)
    );
  }

  /** Returns the ids, given or learned, of the persistent peers at an address. */
  idsAt(address: string): string[] {
    return this.#persistent.matching(undefined, addressKey(address)).flatMap(({ id }) => id ?? []);
  }

  /**
   * Returns the address of the persistent peer, or otherwise of the seed, with this id, given or
   * learned.
   */
  addressOf(nodeId: string): string | undefined {
    return (
      this.#persistent.matching(nodeId, undefined)[0] ?? this.#seeds.matching(nodeId, undefined)[0]
    )?.address;
  }

  /**
   * Notices connections to targets that others dialed, and ends of connections that were not
   * reported.
   */
  #notice(targets: DialTargets, backOff: BackOffOptions, now: number, view: PlannerView): void {
    for (const target of targets) {
      const { id, state } = target;
      if (id === undefined || state.t === 'dialing') continue;
      const isUp = view.isConnected(id);
      if (isUp && state.t !== 'up') target.up(now);
      else if (!isUp && state.t === 'up') target.lost(now, backOff, this.#random);
    }
  }

  #dialPersistent(now: number, view: PlannerView, orders: DialOrder[]): void {
    for (const target of this.#ready(this.#persistent, now)) {
      if (this.#underWay.of('persistent') >= MOST_PERSISTENT) return;
      const address = target.next(
        target.nodeId === undefined ? undefined : view.whereabouts?.(target.nodeId),
      );
      if (this.#underWay.has(target.id, addressKey(address)!) || view.isOwn(target.address))
        continue;
      // No event tells when a ban ends, so look again later.
      if (target.id !== undefined && view.isBanned(target.id)) this.#wakeAt(now + LONGEST_ORDINARY);
      else this.#dialTarget(target, address, 'persistent', orders);
    }
  }

  #dialOrdinary(now: number, view: PlannerView, orders: DialOrder[]): void {
    const { outbound } = view;
    while (
      outbound + this.#underWay.of('book', 'again', 'seed') < this.#maxOutbound &&
      this.#mayDial(now)
    ) {
      if (this.#dialCandidate(now, view, orders)) this.#rate.take(now);
      else if (this.#dialSeed(now, view, orders)) this.#rate.take(now);
      else {
        this.#wakeAt(this.#search.until);
        return;
      }
    }
  }

  #dialCandidate(now: number, view: PlannerView, orders: DialOrder[]): boolean {
    if (this.#search.isVain(now, view)) return false;
    const isEligible = (candidate: DialCandidate) => this.#isEligible(candidate, now, view);
    const again = this.#again.pick(
      ({ nodeId }) => view.isConnected(nodeId) || view.isBanned(nodeId),
      (lost) => this.#place(lost, now, view) !== undefined,
    );
    const candidate = (again && this.#place(again, now, view)) ?? this.#pick(now, view, isEligible);
    if (candidate === undefined) return false;
    this.#start(
      {
        address: candidate.address,
        nodeId: candidate.nodeId,
        kind: again === undefined ? 'book' : 'again',
      },
      orders,
    );
    return true;
  }

  #pick(
    now: number,
    view: PlannerView,
    isEligible: (candidate: DialCandidate) => boolean,
  ): DialCandidate | undefined {
    return this.#search.pick(now, view, isEligible, () =>
      Math.min(this.#history.nextReady(now), now + LONGEST_ORDINARY),
    );
  }

  /**
   * Dials although enough peers are connected. A peer that was lost by chance and comes back takes
   * the place of its replacement; and every few minutes a random node takes the place of another,
   * or a seed is asked. Otherwise, a network that was split long enough for both halves to find
   * other peers would stay split forever, and so would nodes that found each other while their
   * seeds were full.
   */
  #dialSpare(now: number, view: PlannerView, orders: DialOrder[]): void {
    if (this.#maxOutbound === 0) return;
    this.#wakeAt(this.#spareAt > now ? this.#spareAt : Number.POSITIVE_INFINITY);
    if (view.outbound < this.#maxOutbound) return;
    const isEligible = (candidate: DialCandidate) => this.#isEligible(candidate, now, view);
    while (this.#underWay.of('again') < MOST_AGAIN && this.#mayDial(now)) {
      const isOver = ({ nodeId }: DialCandidate) => view.isConnected(nodeId);
      const lost = this.#again.pick(
        isOver,
        (one) => this.#place(one, now, view) !== undefined,
        Number.POSITIVE_INFINITY,
      );
      if (lost === undefined) break;
      this.#start({ ...this.#place(lost, now, view)!, kind: 'again' }, orders);
      this.#rate.take(now);
    }
    for (const key of this.#again.keys()) this.#wakeAt(later(this.#history.readyAt(key), now));
    if (now < this.#spareAt || !this.#mayDial(now)) return;
    this.#spareAt = this.#nextSpare(now);
    this.#wakeAt(this.#spareAt);
    const candidate =
      this.#random() < 0.5 && this.#dialSeed(now, view, orders)
        ? undefined
        : this.#pick(now, view, isEligible);
    if (candidate === undefined) return;
    this.#start({ address: candidate.address, nodeId: candidate.nodeId, kind: 'spare' }, orders);
    this.#rate.take(now);
  }

  #nextSpare(now: number): number {
    return now + SPARE_PERIOD * (0.8 + 0.4 * this.#random());
  }

  #dialSeed(now: number, view: PlannerView, orders: DialOrder[]): boolean {
    const ready = this.#ready(this.#seeds, now).filter(({ id, key, address }) => {
      if (this.#underWay.has(id, key) || view.isOwn(address)) return false;
      return id === undefined || !(view.isBanned(id) || this.#persistent.includes(id, key));
    });
    if (ready.length === 0 || this.#underWay.of('seed') >= MOST_SEEDS) return false;
    const choice = ready.length === 1 ? 0 : Math.floor(this.#random() * ready.length);
    const seed = ready[choice]!;
    this.#dialTarget(seed, seed.address, 'seed', orders);
    return true;
  }

  /**
   * Dials a node that the address book wants tested. Called at most once per TEST_PERIOD, so that
   * the book need not remember whether it has asked for a test.
   */
  #dialTest(now: number, view: PlannerView, orders: DialOrder[]): void {
    this.#wakeAt(this.#testAt > now ? this.#testAt : Number.POSITIVE_INFINITY);
    if (this.#testAt > now || this.#underWay.of('test') > 0 || !this.#mayDial(now)) return;
    this.#testAt = now + TEST_PERIOD;
    this.#wakeAt(this.#testAt);
    const candidate = view.toTest();
    if (candidate === undefined || !this.#isEligible(candidate, now, view)) return;
    this.#start({ address: candidate.address, nodeId: candidate.nodeId, kind: 'test' }, orders);
    this.#rate.take(now);
  }

  /**
   * Returns whether the limits allow a dial to a node that is not a persistent peer. If not, an
   * event or the time set here makes the planner look again.
   */
  #mayDial(now: number): boolean {
    const others = this.#underWay.total - this.#underWay.of('persistent');
    if (
      this.#underWay.total >= this.#concurrent &&
      others >= Math.max(1, Math.floor(this.#concurrent / 4))
    )
      return false;
    const since = this.#underWay.nthSince(this.#young, 'persistent');
    if (since !== undefined && now < since + YOUNG) {
      this.#wakeAt(since + YOUNG);
      return false;
    }
    if (this.#rate.readyAt <= now) return true;
    this.#wakeAt(this.#rate.readyAt);
    return false;
  }

  /**
   * Returns where to dial a lost peer: where the address book would dial it, or otherwise its last
   * address; undefined while neither is eligible.
   */
  #place(lost: DialCandidate, now: number, view: PlannerView): DialCandidate | undefined {
    const told = { nodeId: lost.nodeId, address: view.whereabouts?.(lost.nodeId) ?? lost.address };
    return [told, lost].find((one) => this.#isEligible(one, now, view));
  }

  #isEligible({ nodeId, address }: DialCandidate, now: number, view: PlannerView): boolean {
    if (view.isConnected(nodeId) || view.isBanned(nodeId)) return false;
    const key = this.#keys.of(address);
    if (key === undefined || this.#underWay.has(nodeId, key) || this.#history.readyAt(key) > now)
      return false;
    if (
      this.#ownAddresses.has(key) ||
      view.isOwn(address) ||
      this.#persistent.includes(nodeId, key)
    )
      return false;
    return (
      this.#perHost === Number.POSITIVE_INFINITY ||
      this.#underWay.ofHost(hostOf(key)) < this.#perHost
    );
  }

  /**
   * Returns the targets that are due, longest waiting first, and wakes the planner for the others.
   */
  #ready(targets: DialTargets, now: number): DialTarget[] {
    const ready: { target: DialTarget; at: number }[] = [];
    for (const target of targets) {
      if (target.state.t !== 'waiting' || this.#ownAddresses.has(target.key)) continue;
      if (target.state.at > now) this.#wakeAt(target.state.at);
      else ready.push({ target, at: target.state.at });
    }
    return ready.sort((a, b) => a.at - b.at).map(({ target }) => target);
  }

  #dialTarget(target: DialTarget, address: string, kind: DialKind, orders: DialOrder[]): void {
    target.dial();
    this.#start(
      {
        address,
        nodeId: target.nodeId,
        kind,
        ...(address === target.address ? {} : { reported: true }),
      },
      orders,
      target,
    );
  }

  #start(order: DialOrder, orders: DialOrder[], target?: DialTarget): void {
    this.#underWay.start({
      kind: order.kind,
      since: this.#now,
      key: addressKey(order.address)!,
      id: target?.id ?? order.nodeId,
      target,
    });
    orders.push(order);
  }

  #end({ kind, address }: DialOrder): Dial<DialKind> | undefined {
    this.#wake = Number.NEGATIVE_INFINITY;
    // The node that was dialed is connected or waits now, so only other nodes on its host may have
    // become eligible.
    if (this.#perHost !== Number.POSITIVE_INFINITY) this.#search.reset();
    return this.#underWay.end(kind, addressKey(address)!);
  }

  #backOffAfter(error: TransportError): BackOffOptions {
    return isPointless(error) ? this.#patient : this.#brief;
  }

  /** Returns whether the operator named it as a persistent peer or a seed. */
  #isNamed(nodeId: string | undefined, key: string): boolean {
    return (
      this.#persistent.matching(nodeId, key).length > 0 ||
      this.#seeds.matching(nodeId, key).length > 0
    );
  }

  /** Called when new candidates may have appeared. */
  #changed(): void {
    this.#wake = Number.NEGATIVE_INFINITY;
    this.#search.reset();
  }

  #wakeAt(time: number): void {
    if (time < this.#wake) this.#wake = time;
  }
}

/**
 * Returns a time in the future as it is, and Infinity for a past one, because then the wait is for
 * something else.
 */
function later(time: number, now: number): number {
  return time > now ? time : Number.POSITIVE_INFINITY;
}
