// The targets that the operator named, that is, persistent peers and seeds: their back-offs, and
// the queries that recognize their connections.

import type { Random } from '@trunkline/transport-core';
import { isNodeId, parseTarget } from '@trunkline/transport-core/backend';
import { addressKey, keyOf } from './address-key.ts';
import type { BackOffOptions } from './back-off.ts';
import { LONGEST_SPREAD } from './dial-limits.ts';
import type { LostPeer } from './dial-order.ts';
import { type DialTarget, DialTargets, type TopologyDiff } from './targets.ts';

export interface NamedTargetsOptions {
  readonly random: Random;
  /** Persistent peers and seeds, each '[nodeId@]address'. */
  readonly persistent: readonly string[];
  readonly seeds: readonly string[];
  /** The back-off of persistent peers, and that of seeds. */
  readonly reconnect: BackOffOptions;
  readonly seedBackOff: BackOffOptions;
}

export class NamedTargets {
  readonly persistent: DialTargets;
  readonly seeds: DialTargets;
  readonly #random: Random;
  readonly #reconnect: BackOffOptions;
  readonly #seedBackOff: BackOffOptions;

  /** Creates the lists. Throws the `invalid_argument` of `parseTarget` for a malformed target. */
  constructor({ random, persistent, seeds, reconnect, seedBackOff }: NamedTargetsOptions) {
    this.#random = random;
    this.persistent = new DialTargets(persistent);
    this.seeds = new DialTargets(seeds);
    this.#reconnect = reconnect;
    this.#seedBackOff = seedBackOff;
  }

  /**
   * Schedules new targets. Also detects connections to targets that the other end dialed, and ends
   * of connections that were not reported.
   */
  update(now: number, isConnected: (nodeId: string) => boolean): void {
    this.seeds.begin(now);
    this.persistent.begin(
      now,
      Math.min(3 * this.#reconnect.interval, LONGEST_SPREAD),
      this.#random,
    );
    this.#notice(this.persistent, this.#reconnect, now, isConnected);
    this.#notice(this.seeds, this.#seedBackOff, now, isConnected);
  }

  /** Records that a dial of the canonical address `key` reached a node. */
  opened(key: string, nodeId: string, now: number): void {
    for (const targets of [this.persistent, this.seeds]) {
      for (const target of targets.matching(nodeId, key)) {
        if (target.key === key) targets.learn(target, nodeId);
        target.up(now);
      }
    }
  }

  /** Records that a dial of a target failed. */
  failed(target: DialTarget, isPersistent: boolean, now: number): void {
    target.failed(now, isPersistent ? this.#reconnect : this.#seedBackOff, this.#random);
  }

  /**
   * Records that the last connection to a peer is gone. `key` is the canonical form of its
   * `address`. Returns whether the peer is persistent, and whether it is a seed.
   */
  lost(
    { nodeId, address, told }: LostPeer,
    key: string | undefined,
    now: number,
  ): { readonly isPersistent: boolean; readonly isSeed: boolean } {
    const persistent = this.persistent.matching(nodeId, key);
    const last = address ?? told;
    for (const target of persistent) {
      const lastKey = last === undefined ? undefined : addressKey(last);
      if (lastKey !== undefined && target.nodeId === nodeId)
        target.moved = lastKey === target.key ? undefined : last;
      target.lost(now, this.#reconnect, this.#random);
    }
    const seeds = this.seeds.matching(nodeId, key);
    for (const target of seeds)
      if (target.state.t === 'up') target.lost(now, this.#seedBackOff, this.#random);
    return { isPersistent: persistent.length > 0, isSeed: seeds.length > 0 };
  }

  /**
   * Adds a persistent peer. If its node id is listed with another address, the new address replaces
   * it.
   */
  addPersistent(target: string): TopologyDiff {
    return this.persistent.set([...this.persistent.texts, target]);
  }

  /**
   * Removes persistent peers by node id (given or learned), by address, or by both
   * ('nodeId@address'). Returns the removed targets as they were written.
   */
  removePersistent(nodeIdOrTarget: string): string[] {
    const text = nodeIdOrTarget.trim();
    if (isNodeId(text)) return this.persistent.remove(text, undefined);
    const target = parseTarget(text);
    return this.persistent.remove(target.nodeId, keyOf(target));
  }

  /**
   * Returns true if the peer with this id, or at this dialed address, is persistent. The operator
   * may have given the id, or the node that answered may have proved it.
   */
  isPersistent(nodeId: string | undefined, address?: string): boolean {
    return (
      this.persistent.matching(nodeId, address === undefined ? undefined : addressKey(address))
        .length > 0
    );
  }

  /** Returns whether a persistent peer is listed with this address and without an id. */
  isNamedAt(address: string): boolean {
    const key = addressKey(address);
    return (
      key !== undefined &&
      this.persistent.matching(undefined, key).some((target) => target.nodeId === undefined)
    );
  }

  /** Returns true if a persistent peer or a seed has this id or this canonical address. */
  includes(nodeId: string | undefined, key: string): boolean {
    return (
      this.persistent.matching(nodeId, key).length > 0 ||
      this.seeds.matching(nodeId, key).length > 0
    );
  }

  /** The addresses of all persistent peers and seeds. */
  get addresses(): string[] {
    return [...this.persistent, ...this.seeds].map(({ address }) => address);
  }

  /** Returns the ids, given or learned, of the persistent peers at an address. */
  idsAt(address: string): string[] {
    return this.persistent.matching(undefined, addressKey(address)).flatMap(({ id }) => id ?? []);
  }

  /**
   * Returns the address of the persistent peer, or otherwise of the seed, that has this id (given
   * or learned).
   */
  addressOf(nodeId: string): string | undefined {
    return (
      this.persistent.matching(nodeId, undefined)[0] ?? this.seeds.matching(nodeId, undefined)[0]
    )?.address;
  }

  #notice(
    targets: DialTargets,
    backOff: BackOffOptions,
    now: number,
    isConnected: (nodeId: string) => boolean,
  ): void {
    for (const target of targets) {
      const { id, state } = target;
      if (id === undefined || state.t === 'dialing') continue;
      const isUp = isConnected(id);
      if (isUp && state.t !== 'up') target.up(now);
      else if (!isUp && state.t === 'up') target.lost(now, backOff, this.#random);
    }
  }
}
