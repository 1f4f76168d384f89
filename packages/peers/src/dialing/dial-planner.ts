// Decides which nodes to dial, and when: persistent peers first and forever, then peers whose
// connection was lost by chance, then nodes of the address book, then seeds; and now and then a
// spare node, or one that the book wants tested. Only the planner changes the targets (which hold
// the back-offs of persistent peers and seeds), the `AddressHistory` (which holds all other
// back-offs), the list of lost peers and the dials in progress. The driver reports the ends of
// dials and connections to it, and it sees the node only through its `PlannerView`. It uses no
// timers, no sockets and no randomness but the given one. At most 80 dials are in progress: 64 to
// persistent peers and 16 others.

import type { Random, TransportError } from '@trunkline/transport-core';
import { isNodeId, parseTarget } from '@trunkline/transport-core/backend';
import { RateLimit } from '../limits.ts';
import { AddressHistory, ReconnectList } from './dial-history.ts';
import {
  type DialCandidate,
  type DialKind,
  type DialOrder,
  type DialPlannerOptions,
  DialsUnderWay,
  type DialUnderWay,
  type PlannerView,
} from './dial-order.ts';
import {
  addressKey,
  type BackOffOptions,
  type DialTarget,
  DialTargets,
  hostOf,
  isPointless,
  isTransient,
  keyOf,
  type LostPeer,
  type TopologyDiff,
} from './targets.ts';

/**
 * Plans the dials of one node. Call `plan` after every event (a report, a change of the persistent
 * peers or of the view), and at `wakeAt`.
 */
export class DialPlanner {
  readonly #random: Random;
  readonly #view: PlannerView;
  readonly #maxOutbound: number;
  /** The persistent peers. Other classes only read the list. */
  readonly persistent: DialTargets;
  readonly #seeds: DialTargets;
  /** Time in milliseconds over which the dials of new persistent peers are spread. */
  readonly #spread: number;
  /** The back-off of addresses that are not a persistent peer's. */
  readonly #backOff: BackOffOptions;
  readonly #perHost: number;
  readonly #history: AddressHistory;
  readonly #lostPeers = new ReconnectList();
  readonly #underWay = new DialsUnderWay();
  readonly #rate = new RateLimit(RATE, 1_000 / RATE);
  /** The dials to start, which `plan` returns. */
  #orders: DialOrder[] = [];
  /**
   * Set after a search of the book that found nobody: until the given time, the book is not
   * searched again, and ordinary dials do not look at the lost peers either, unless the view's
   * `news` changes or an event may have made a node eligible (see `#changed` and `#end`). Otherwise
   * a large book without eligible nodes would be searched at every wake-up. Without `news`, it is.
   */
  #exhausted: { until: number; readonly news: number | undefined } | undefined;
  #testAt: number;
  #spareAt: number;
  #wakeAt = Number.NEGATIVE_INFINITY;

  /**
   * Creates a planner. Throws the `invalid_argument` of `parseTarget` for a malformed persistent
   * peer or seed.
   */
  constructor(options: DialPlannerOptions) {
    const { random, now, view, persistent, seeds, maxOutbound, reconnect, perHost } = options;
    this.#random = random;
    this.#view = view;
    this.#maxOutbound = maxOutbound;
    this.#perHost = perHost ?? Number.POSITIVE_INFINITY;
    this.#backOff = { ...reconnect, max: Math.min(reconnect.max, LONGEST_ORDINARY) };
    this.persistent = new DialTargets(persistent, reconnect, random);
    this.#seeds = new DialTargets(seeds, this.#backOff, random);
    this.#spread = Math.min(3 * reconnect.interval, LONGEST_SPREAD);
    this.#history = new AddressHistory(random);
    this.#testAt = now + TEST_PERIOD;
    this.#spareAt = this.#nextSpare(now);
  }

  /** The time at which something is due; Infinity if never. Read it after each `plan`. */
  get wakeAt(): number {
    return this.#wakeAt;
  }

  /** All persistent peers and seeds. */
  get targets(): DialTarget[] {
    return [...this.persistent, ...this.#seeds];
  }

  /**
   * Returns the address of the persistent peer, or otherwise of the seed, that has this id (given
   * or learned).
   */
  addressOf(nodeId: string): string | undefined {
    return this.targets.find(({ id }) => id === nodeId)?.address;
  }

  /**
   * Replaces the list of persistent peers. Peers that stay keep their back-off. For a malformed
   * target, throws the `invalid_argument` of `parseTarget` and changes nothing.
   */
  setPersistent(targets: readonly string[]): TopologyDiff {
    const diff = this.persistent.set(targets);
    this.#changed();
    return diff;
  }

  /**
   * Removes persistent peers by node id (given or learned), by address, or by both
   * ('nodeId@address'). Returns the removed targets as they were written. A removed peer becomes an
   * ordinary candidate again. Throws the `invalid_argument` of `parseTarget` for malformed text.
   */
  removePersistent(nodeIdOrTarget: string): string[] {
    this.#changed();
    const text = nodeIdOrTarget.trim();
    if (isNodeId(text)) return this.persistent.remove(text, undefined);
    const target = parseTarget(text);
    return this.persistent.remove(target.nodeId, keyOf(target));
  }

  /** Returns true if an address must not be dialed now, because it backs off or rests. */
  isResting(address: string, now: number): boolean {
    const key = addressKey(address);
    return key !== undefined && this.#history.readyAt(key) > now;
  }

  /** Prevents dials to an address until the given time. */
  rest(address: string, until: number): void {
    const key = addressKey(address);
    if (key !== undefined) this.#history.rest(key, until);
  }

  /**
   * Records that a dial reached the peer `nodeId` and hellos were exchanged, even if the connection
   * is not kept because the peer has another one.
   */
  opened(order: DialOrder, nodeId: string, now: number): void {
    const dial = this.#end(order);
    if (dial === undefined) return;
    const { key, kind, target } = dial;
    this.persistent.opened(key, nodeId, now);
    this.#seeds.opened(key, nodeId, now);
    target?.up(now); // Otherwise a target that neither list matches would stay 'dialing'.
    this.#lostPeers.remove(nodeId);
    // The node that answered has replaced the peer that was lost there.
    this.#lostPeers.removeAt(key);
    // A test's connection is short on purpose, so its length can't clear the earlier failures. They
    // are forgotten now, and `lost` then counts the end of the connection as the first failure.
    if (kind === 'test') this.#history.forget(key);
    else if (kind !== 'persistent') this.#history.opened(key, now);
  }

  /**
   * Records that a dial failed; with reason `self`, it reached this node itself. Returns true if
   * the address is given up: after 16 failures in a row (Tendermint's maxAttemptsToDial), it is not
   * dialed for ten minutes. If no dial ever reached the node, the driver lengthens this to a day
   * through `rest`. Persistent peers and seeds are never given up. Tendermint bans the node for a
   * day instead. But then two halves of a network that were separated for some minutes would no
   * longer look for each other, and a node could get another node banned by reporting false
   * addresses of it.
   */
  failed(order: DialOrder, error: TransportError, now: number): boolean {
    const dial = this.#end(order);
    if (dial === undefined) return false;
    const { key, kind, id } = dial;
    dial.target?.failed(now);
    if (kind === 'persistent') return false;
    const failures = this.#history.failed(key, now, this.#backOffAfter(error));
    if (this.#exhausted !== undefined)
      this.#exhausted.until = Math.min(this.#exhausted.until, this.#history.readyAt(key));
    if (id !== undefined) this.#lostPeers.failed(id);
    if (isPointless(error)) this.#lostPeers.removeAt(key, id);
    if (failures < MOST_FAILURES || this.targets.some((one) => one.matches(id, key))) return false;
    this.#lostPeers.removeAt(key);
    this.#history.rest(key, now + REST);
    return true;
  }

  /**
   * Records that the last connection to a peer has ended. Persistent peers are dialed again. If the
   * peer's id was given and its last address differs from the given one, the two are dialed in turn
   * (Tendermint dials only the given address). Other peers that this node dialed and lost by chance
   * are dialed three more times before unknown nodes are.
   */
  lost(peer: LostPeer, error: TransportError, now: number): void {
    this.#changed();
    const { nodeId, address } = peer;
    const key = address === undefined ? undefined : addressKey(address);
    const persistent = this.persistent.matching(nodeId, key);
    const last = address ?? peer.booked;
    const lastKey = last === undefined ? undefined : addressKey(last);
    for (const target of persistent) {
      if (lastKey !== undefined && target.nodeId === nodeId)
        target.moved = lastKey === target.key ? undefined : last;
      target.lost(now);
    }
    const seeds = this.#seeds.matching(nodeId, key);
    // A seed that waits for its next dial keeps the time of that dial.
    for (const target of seeds) if (target.state.t === 'up') target.lost(now);
    if (address === undefined || key === undefined || persistent.length > 0 || peer.persistent)
      return;
    this.#history.lost(key, now, this.#backOffAfter(error));
    if (seeds.length === 0 && isTransient(error)) this.#lostPeers.add(key, { nodeId, address });
  }

  /** Returns the back-off after an error; it begins higher if dialing again soon can't help. */
  #backOffAfter(error: TransportError): BackOffOptions {
    const { interval } = this.#backOff;
    return isPointless(error) ? { ...this.#backOff, interval: interval * 4 } : this.#backOff;
  }

  /** Returns the dials to start now. The order of the steps is the priority of their dials. */
  plan(now: number): DialOrder[] {
    this.#orders = [];
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#updateTargets(now);
    this.#dialPersistent(now);
    this.#dialOrdinary(now);
    this.#dialSpare(now);
    this.#dialTest(now);
    return this.#orders;
  }

  /**
   * Schedules new targets. Also detects connections to targets that the other end dialed, and ends
   * of connections that were not reported.
   */
  #updateTargets(now: number): void {
    this.#seeds.begin(now);
    this.persistent.begin(now, this.#spread);
    for (const target of this.targets) {
      const { id, state } = target;
      if (id === undefined || state.t === 'dialing') continue;
      const isUp = this.#view.isConnected(id);
      if (isUp && state.t !== 'up') target.up(now);
      else if (!isUp && state.t === 'up') target.lost(now);
    }
  }

  #dialPersistent(now: number): void {
    for (const target of this.#ready(this.persistent, now)) {
      if (this.#underWay.of('persistent') >= MOST_PERSISTENT) return;
      const address = target.next(
        target.nodeId === undefined ? undefined : this.#view.whereabouts?.(target.nodeId),
      );
      // The operator may give all nodes the same list, so a target may be this node, whatever other
      // address `next` returns. If that one is own, the dial fails and the next one goes elsewhere.
      if (this.#underWay.has(target.id, addressKey(address)!) || this.#view.isOwn(target.address))
        continue;
      // No event reports the end of a ban, so check again later.
      if (target.id !== undefined && this.#view.isBanned(target.id, now))
        this.#wakeBy(now + LONGEST_ORDINARY);
      else this.#start('persistent', { address, nodeId: target.nodeId }, now, target);
    }
  }

  #dialOrdinary(now: number): void {
    const { outbound } = this.#view;
    while (
      outbound + this.#underWay.of('book', 'again', 'seed') < this.#maxOutbound &&
      this.#mayDial(now)
    ) {
      if (!this.#dialCandidate(now) && !this.#dialSeed(now))
        return this.#wakeBy(this.#exhausted?.until ?? Number.POSITIVE_INFINITY);
    }
  }

  #dialCandidate(now: number): boolean {
    // No lost peer may be dialed either, because whatever makes one eligible ends this state, too:
    // the end of a back-off or of a dial to its host, and a new address of it in the book.
    if (this.#isExhausted(now)) return false;
    const lost = this.#pickLost(now);
    const candidate = lost ?? this.#pick(now);
    if (candidate === undefined) return false;
    this.#start(lost === undefined ? 'book' : 'again', candidate, now);
    return true;
  }

  /**
   * Dials although enough peers are connected. A peer that was lost by chance replaces its
   * replacement when it comes back. Every few minutes, a random node replaces another peer, or a
   * seed is asked for addresses. Otherwise, a network that was split long enough for both halves to
   * find other peers would stay split forever, and so would a group of nodes that found each other
   * while their seeds were full.
   */
  #dialSpare(now: number): void {
    if (this.#maxOutbound === 0) return;
    if (this.#spareAt > now) this.#wakeBy(this.#spareAt);
    if (this.#view.outbound < this.#maxOutbound) return;
    while (this.#underWay.of('again') < MOST_AGAIN && this.#mayDial(now)) {
      const lost = this.#pickLost(now, Number.POSITIVE_INFINITY);
      if (lost === undefined) break;
      this.#start('again', lost, now);
    }
    for (const key of this.#lostPeers.keys) {
      const at = this.#history.readyAt(key);
      if (at > now) this.#wakeBy(at);
    }
    if (now < this.#spareAt || !this.#mayDial(now)) return;
    this.#spareAt = this.#nextSpare(now);
    this.#wakeBy(this.#spareAt);
    if (this.#random() < 0.5 && this.#dialSeed(now)) return;
    const candidate = this.#pick(now);
    if (candidate !== undefined) this.#start('spare', candidate, now);
  }

  /** Returns true if a search of the book found nobody and need not be repeated yet. */
  #isExhausted(now: number): boolean {
    const { news } = this.#view;
    return (
      this.#exhausted !== undefined &&
      now < this.#exhausted.until &&
      news !== undefined &&
      news === this.#exhausted.news
    );
  }

  /** Searches the address book. */
  #pick(now: number): DialCandidate | undefined {
    if (this.#isExhausted(now)) return undefined;
    const candidate = this.#view.pick((one) => this.#isEligible(one, now), now);
    if (candidate === undefined) {
      // No event reports the end of a ban, so the book is searched again after half a minute.
      const until = Math.min(this.#history.nextReady(now), now + LONGEST_ORDINARY);
      this.#exhausted = { until, news: this.#view.news };
    }
    return candidate;
  }

  /**
   * Returns a peer that was lost by chance and failed fewer than `most` times (default 3), at the
   * address to dial. Peers that are connected again are removed from the list. So are banned ones
   * if `most` is not given; otherwise they stay on it for the time after their bans.
   */
  #pickLost(now: number, most?: number): DialCandidate | undefined {
    return this.#lostPeers.pick(
      ({ nodeId }) =>
        this.#view.isConnected(nodeId) || (most === undefined && this.#view.isBanned(nodeId, now)),
      (lost, key) => this.#place(lost, key, now),
      most,
    );
  }

  /**
   * Returns the address at which to dial a lost peer: the address that the address book would dial,
   * or otherwise the peer's last address. Returns undefined while neither address is eligible.
   */
  #place(lost: DialCandidate, key: string, now: number): DialCandidate | undefined {
    const { nodeId } = lost;
    const address = this.#view.whereabouts?.(nodeId);
    if (address !== undefined && this.#isEligible({ nodeId, address }, now))
      return { nodeId, address };
    return this.#isEligible({ nodeId, address: key }, now) ? lost : undefined;
  }

  /** Returns true if a node may be dialed now. Its address is canonical. */
  #isEligible({ nodeId, address: key }: DialCandidate, now: number): boolean {
    if (this.#view.isConnected(nodeId) || this.#view.isBanned(nodeId, now)) return false;
    if (this.#underWay.has(nodeId, key) || this.#history.readyAt(key) > now) return false;
    if (this.#view.isOwn(key) || this.persistent.includes(nodeId, key)) return false;
    return (
      this.#perHost === Number.POSITIVE_INFINITY ||
      this.#underWay.ofHost(hostOf(key)) < this.#perHost
    );
  }

  #nextSpare(now: number): number {
    return now + SPARE_PERIOD * (0.8 + 0.4 * this.#random());
  }

  /** Dials a random seed of those that are due, at most two at a time. */
  #dialSeed(now: number): boolean {
    const ready = this.#ready(this.#seeds, now).filter(({ id, key, address }) => {
      if (this.#underWay.has(id, key) || this.#view.isOwn(address)) return false;
      return (
        id === undefined || !(this.#view.isBanned(id, now) || this.persistent.includes(id, key))
      );
    });
    if (ready.length === 0 || this.#underWay.of('seed') >= MOST_SEEDS) return false;
    const choice = ready.length === 1 ? 0 : Math.floor(this.#random() * ready.length);
    const seed = ready[choice]!;
    this.#start('seed', seed, now, seed);
    return true;
  }

  /**
   * Dials a node that the address book wants tested. Calls `toTest` at most once per TEST_PERIOD,
   * so that the book need not remember whether it has requested a test. A node that is not eligible
   * now is not tested until the book names it again.
   */
  #dialTest(now: number): void {
    if (this.#testAt > now) this.#wakeBy(this.#testAt);
    if (this.#testAt > now || this.#underWay.of('test') > 0 || !this.#mayDial(now)) return;
    this.#testAt = now + TEST_PERIOD;
    this.#wakeBy(this.#testAt);
    const candidate = this.#view.toTest(now);
    if (candidate !== undefined && this.#isEligible(candidate, now))
      this.#start('test', candidate, now);
  }

  /**
   * Returns true if the limits of concurrent dials, of young dials and of dials per second allow a
   * dial to a node that is not a persistent peer. Otherwise the planner checks again when a dial
   * ends, or at the wake-up time that this function sets.
   */
  #mayDial(now: number): boolean {
    // Persistent peers have a limit of their own (see `#dialPersistent`) and are never young.
    // However many of them are being dialed, a quarter of the concurrent dials is left for others.
    const { total } = this.#underWay;
    const others = total - this.#underWay.of('persistent');
    if (total >= CONCURRENT && others >= CONCURRENT / 4) return false;
    const young = this.#underWay.nthSince(MOST_YOUNG, 'persistent') ?? Number.NEGATIVE_INFINITY;
    const readyAt = Math.max(young + YOUNG, this.#rate.readyAt);
    if (readyAt > now) this.#wakeBy(readyAt);
    return readyAt <= now;
  }

  /**
   * Returns the targets that are due, longest waiting first, and wakes the planner for the others.
   */
  #ready(targets: DialTargets, now: number): DialTarget[] {
    const ready: { target: DialTarget; at: number }[] = [];
    for (const target of targets) {
      if (target.state.t !== 'waiting') continue;
      if (target.state.at > now) this.#wakeBy(target.state.at);
      else ready.push({ target, at: target.state.at });
    }
    return ready.sort((a, b) => a.at - b.at).map(({ target }) => target);
  }

  /** Dials a node, or a target at its own address or at another one that was reported. */
  #start(
    kind: DialKind,
    { address, nodeId }: Pick<DialOrder, 'address' | 'nodeId'>,
    now: number,
    target?: DialTarget,
  ): void {
    if (kind !== 'persistent') this.#rate.take(now);
    target?.dial();
    const key = addressKey(address)!;
    const id = target?.id ?? nodeId;
    this.#underWay.start({ kind, since: now, key, host: hostOf(key), id, target });
    const isReported = target !== undefined && address !== target.address;
    this.#orders.push({ address, nodeId, kind, ...(isReported ? { reported: true } : {}) });
  }

  #end({ kind, address }: DialOrder): DialUnderWay | undefined {
    const dial = this.#underWay.end(kind, addressKey(address)!);
    if (dial === undefined) return undefined;
    this.#wakeAt = Number.NEGATIVE_INFINITY;
    // The node that was dialed is connected or waits now, so only other nodes on its host may have
    // become eligible.
    if (this.#perHost !== Number.POSITIVE_INFINITY) this.#exhausted = undefined;
    return dial;
  }

  /** Called after a report or a change of the targets that may have made other nodes eligible. */
  #changed(): void {
    this.#wakeAt = Number.NEGATIVE_INFINITY;
    this.#exhausted = undefined;
  }

  #wakeBy(time: number): void {
    if (time < this.#wakeAt) this.#wakeAt = time;
  }
}

/**
 * Longest back-off, in milliseconds, of addresses of the book and of seeds; also the interval at
 * which the planner checks whether bans have ended. With this value, and including the time of a
 * dial, all nodes are found within a minute after a partition heals, unless it lasted so long
 * (about five minutes) that addresses were given up.
 */
const LONGEST_ORDINARY = 30_000;
/**
 * Maximum time in milliseconds over which the dials of new persistent peers are spread
 * (Tendermint's 3 s). It is less if three intervals of the reconnect option are shorter.
 */
const LONGEST_SPREAD = 3_000;
/** Number of failures in a row after which an address is given up (Tendermint). */
const MOST_FAILURES = 16;
/** Milliseconds for which an address that was given up is not dialed. */
const REST = 600_000;
/**
 * Number of dials in progress, of any kind, from which only persistent peers are dialed; they have
 * the limit `MOST_PERSISTENT`. A quarter of this number is always left for other dials.
 */
const CONCURRENT = 16;
/** Maximum number of dials per second, on average and at once. Persistent peers are exempt. */
const RATE = 20;
/** Maximum number of persistent peers that are dialed at once; further ones wait. */
const MOST_PERSISTENT = 64;
/**
 * Maximum number of young dials, not counting persistent peers, and the milliseconds for which a
 * dial counts as young. Further dials wait until one of these ends or gets older. With this limit,
 * the first connections are up soon even on a slow machine or in a process that starts many nodes;
 * otherwise all connections would be late. An older dial is likely to fail, so it no longer holds
 * up the next one.
 */
const MOST_YOUNG = 3;
const YOUNG = 1_000;
/** Maximum number of seeds that are dialed at once; one answer is enough. */
const MOST_SEEDS = 2;
/**
 * Maximum number of concurrent redials, while enough peers are connected, of peers whose connection
 * broke.
 */
const MOST_AGAIN = 4;
/**
 * Mean milliseconds between two spare dials (see `DialKind`), which the planner varies by 20 %. The
 * value is Bitcoin's EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL.
 */
const SPARE_PERIOD = 300_000;
/** Minimum milliseconds between two dials that test tried entries for the address book. */
const TEST_PERIOD = 10_000;
