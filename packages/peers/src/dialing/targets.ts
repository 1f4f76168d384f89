// A list of targets that can be replaced while its targets are being dialed.

import type { Random } from '@trunkline/transport-core';
import { parseTarget, type TargetAddress } from '@trunkline/transport-core/backend';
import { addressKey, keyOf } from './address-key.ts';
import { type BackOffOptions, backOffDelay } from './back-off.ts';

export class DialTargets {
  readonly #targets = new Map<string, DialTarget>();
  /**
   * Indexes of given and learned ids and of canonical addresses, because every candidate of the
   * address book is looked up here.
   */
  #ids = new Set<string>();
  #keys = new Set<string>();

  constructor(texts: readonly string[]) {
    this.set(texts);
  }

  /**
   * Replaces the list. Targets that stay keep their state. For a malformed target, throws the
   * `invalid_argument` of `parseTarget` and changes nothing.
   */
  set(texts: readonly string[]): TopologyDiff {
    const diff = diffTopology(this.texts, texts);
    for (const text of diff.removed) this.#targets.delete(identityOf(parseTarget(text)));
    for (const text of diff.added) this.#add(new DialTarget(text));
    this.#index();
    return diff;
  }

  /**
   * Removes the targets that have this id (given or learned) and this canonical address; undefined
   * matches any value. Returns them as they were written.
   */
  remove(nodeId: string | undefined, key: string | undefined): string[] {
    const gone = [...this.#targets.values()].filter(
      (target) => (nodeId ?? target.id) === target.id && (key ?? target.key) === target.key,
    );
    for (const { identity } of gone) this.#targets.delete(identity);
    this.#index();
    return gone.map(({ text }) => text);
  }

  /**
   * Schedules the new targets. A few targets are dialed at once; many targets are dialed at random
   * times within `spread` milliseconds, so that a network that starts together does not cause a
   * storm of dials.
   */
  begin(now: number, spread = 0, random: Random = () => 0): void {
    const fresh = [...this.#targets.values()].filter(({ state }) => state.t === 'new');
    for (const target of fresh)
      target.waitUntil(fresh.length > FEW ? now + spread * random() : now);
  }

  /** Records the id of the node that was reached at the target's address. */
  learn(target: DialTarget, nodeId: string): void {
    if (target.learned === nodeId) return;
    target.learned = nodeId;
    this.#index();
  }

  get texts(): string[] {
    return [...this.#targets.values()].map(({ text }) => text);
  }

  /**
   * Returns whether a node of the address book is in this list, by its id or its canonical address.
   */
  includes(nodeId: string, key: string): boolean {
    return this.#ids.has(nodeId) || this.#keys.has(key);
  }

  /** Returns the targets that have this id or this canonical address; see `DialTarget.matches`. */
  matching(nodeId: string | undefined, key: string | undefined): DialTarget[] {
    return [...this.#targets.values()].filter((target) => target.matches(nodeId, key));
  }

  [Symbol.iterator](): IterableIterator<DialTarget> {
    return this.#targets.values();
  }

  #add(target: DialTarget): void {
    this.#targets.set(target.identity, target);
  }

  #index(): void {
    this.#ids = new Set();
    this.#keys = new Set();
    for (const { id, key } of this) {
      if (id !== undefined) this.#ids.add(id);
      this.#keys.add(key);
    }
  }
}

/** Maximum number of new targets that are dialed without a spread. */
const FEW = 4;

// A target that the operator named, that is, a persistent peer or a seed. It is dialed forever;
// this class holds its state.

type TargetState =
  /** The target is not scheduled yet; `DialTargets.begin` sets its time. */
  | { readonly t: 'new' }
  | { readonly t: 'waiting'; readonly at: number }
  | { readonly t: 'dialing' }
  /** A connection is up, no matter which end dialed it. */
  | { readonly t: 'up'; readonly since: number };

export class DialTarget {
  /** The target as it was written. */
  readonly text: string;
  readonly address: string;
  /** The canonical address. */
  readonly key: string;
  /** A key that is equal for all targets that name the same peer. */
  readonly identity: string;
  /** The id that was given with the target; any other node that answers is refused. */
  readonly nodeId: string | undefined;
  /** The id of the node that answered last. */
  learned: string | undefined;
  /**
   * The last address that the peer advertised, if it isn't `address`. Set only for a target with an
   * id, because only then any other node that answers there is refused.
   */
  moved: string | undefined;
  /**
   * Number of failures in a row. A connection counts as a success only once it has lasted for
   * LONG_ENOUGH, so that a peer that accepts and drops connections is not dialed in a tight loop.
   */
  failures = 0;
  state: TargetState = { t: 'new' };

  constructor(text: string) {
    const target = parseTarget(text);
    this.text = text.trim();
    this.address = target.address;
    this.key = keyOf(target);
    this.identity = identityOf(target);
    this.nodeId = target.nodeId;
  }

  /** The target's node id, as far as it is known. */
  get id(): string | undefined {
    return this.nodeId ?? this.learned;
  }

  /**
   * Returns true if the peer with this id, or the peer that was dialed at this canonical address,
   * is this target. If an id was given, the id decides.
   */
  matches(nodeId: string | undefined, key: string | undefined): boolean {
    if (nodeId !== undefined && nodeId === this.id) return true;
    return key === this.key && (this.nodeId === undefined || nodeId === undefined);
  }

  /**
   * Returns the address to dial next. After failures, the operator's address alternates with
   * another one: `elsewhere` (from the address book), or the peer's last address.
   */
  next(elsewhere: string | undefined): string {
    const other =
      elsewhere === undefined || addressKey(elsewhere) === this.key ? this.moved : elsewhere;
    return other !== undefined && this.failures > 0 && this.failures % 2 === 0
      ? other
      : this.address;
  }

  waitUntil(at: number): void {
    this.state = { t: 'waiting', at };
  }

  dial(): void {
    this.state = { t: 'dialing' };
  }

  up(now: number): void {
    this.state = { t: 'up', since: now };
  }

  failed(now: number, options: BackOffOptions, random: Random): void {
    this.failures++;
    this.waitUntil(now + backOffDelay(options, this.failures, random));
  }

  /**
   * Records that the connection is gone. Ignored while the target is being dialed, because the
   * outcome of that dial decides.
   */
  lost(now: number, options: BackOffOptions, random: Random): void {
    if (this.state.t === 'dialing') return;
    if (this.state.t === 'up' && now - this.state.since >= LONG_ENOUGH) this.failures = 0;
    this.failed(now, options, random);
  }
}

/**
 * Milliseconds after which a connection counts as a success. The value is a guess: it is longer
 * than a handshake or a refusal takes, and far shorter than the life of a useful connection.
 */
export const LONG_ENOUGH = 10_000;

// Computes the difference between two lists of peers.

/** The targets that were removed, added, moved and kept, as they were written. */
export interface TopologyDiff {
  /** Targets to disconnect, including moved targets with their old addresses. */
  readonly removed: string[];
  /** Targets to dial, including moved targets with their new addresses (as in Orbs). */
  readonly added: string[];
  /** Targets whose node id has another address now. */
  readonly changed: { readonly from: string; readonly to: string }[];
  /** Targets in both lists, as the first list wrote them. */
  readonly kept: string[];
}

/**
 * Compares two lists of '[nodeId@]address': two targets are the same if their node ids are equal
 * or, without an id, if their canonical addresses are equal. If a target is listed twice, the last
 * one counts. Throws the `invalid_argument` of `parseTarget` for a malformed target.
 */
export function diffTopology(before: readonly string[], after: readonly string[]): TopologyDiff {
  const [old, now] = [index(before), index(after)];
  const diff: TopologyDiff = { removed: [], added: [], changed: [], kept: [] };
  for (const [identity, { text: from, key }] of old) {
    const to = now.get(identity);
    if (to?.key === key) {
      diff.kept.push(from);
      continue;
    }
    diff.removed.push(from);
    if (to !== undefined) diff.changed.push({ from, to: to.text });
  }
  for (const [identity, { text, key }] of now)
    if (old.get(identity)?.key !== key) diff.added.push(text);
  return diff;
}

/** Returns the key by which a target is recognized in two lists. */
export function identityOf({ nodeId, key }: TargetAddress): string {
  return nodeId ?? key;
}

function index(targets: readonly string[]): Map<string, { text: string; key: string }> {
  const byIdentity = new Map<string, { text: string; key: string }>();
  for (const text of targets) {
    const target = parseTarget(text);
    byIdentity.set(identityOf(target), { text: text.trim(), key: target.key });
  }
  return byIdentity;
}
