// The targets that the operator named, that is, persistent peers and seeds: the lists, the state of
// each target, the queries that recognize their connections, the canonical spelling of addresses,
// and the back-off, which decides how soon to dial again. Only the `DialPlanner` changes the lists
// and the targets; others read them. Tested through the planner, and in back-off.test.ts,
// topology.test.ts and moved.test.ts.

import type { ErrorReason, Random, TransportError } from '@trunkline/transport-core';
import { parseHostPort, parseTarget, type TargetAddress } from '@trunkline/transport-core/backend';
import { splitScheme } from '@trunkline/transport-core/internal';

/** A peer whose last connection has ended. */
export interface LostPeer {
  readonly nodeId: string;
  /** The address that this node dialed; undefined if the peer dialed. */
  readonly address: string | undefined;
  /** The address that the address book has for it. */
  readonly booked?: string | undefined;
  /** True if it was a persistent peer while it was connected. */
  readonly persistent: boolean;
}

/** A list of targets that can be replaced while its targets are being dialed. */
export class DialTargets {
  readonly #backOff: BackOffOptions;
  readonly #random: Random;
  readonly #targets = new Map<string, DialTarget>();
  /**
   * Indexes of given and learned ids and of canonical addresses, because every candidate of the
   * address book is looked up here.
   */
  #ids = new Set<string>();
  #keys = new Set<string>();

  /** Throws the `invalid_argument` of `parseTarget` for a malformed target. */
  constructor(texts: readonly string[], backOff: BackOffOptions, random: Random) {
    this.#backOff = backOff;
    this.#random = random;
    this.set(texts);
  }

  /**
   * Replaces the list. Two targets are the same if their node ids are equal or, without an id, if
   * their canonical addresses are equal. If a target is listed twice, the last one counts. Targets
   * that stay keep their state. For a malformed target, throws the `invalid_argument` of
   * `parseTarget` and changes nothing.
   */
  set(texts: readonly string[]): TopologyDiff {
    const targets = new Map<string, DialTarget>();
    for (const text of texts) {
      const target = new DialTarget(text, this.#backOff, this.#random);
      targets.set(target.identity, target);
    }
    const diff: TopologyDiff = { removed: [], added: [], changed: [], kept: [] };
    for (const [identity, { text: from, key }] of this.#targets) {
      const to = targets.get(identity);
      if (to?.key === key) {
        diff.kept.push(from);
        continue;
      }
      diff.removed.push(from);
      this.#targets.delete(identity);
      if (to !== undefined) diff.changed.push({ from, to: to.text });
    }
    for (const [identity, target] of targets) {
      if (this.#targets.has(identity)) continue;
      diff.added.push(target.text);
      this.#targets.set(identity, target);
    }
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
  begin(now: number, spread = 0): void {
    const fresh = [...this.#targets.values()].filter(({ state }) => state.t === 'new');
    const most = fresh.length > FEW ? spread : 0;
    for (const target of fresh) target.waitUntil(most > 0 ? now + most * this.#random() : now);
  }

  /** Records that a dial of the canonical address `key` reached a node. */
  opened(key: string, nodeId: string, now: number): void {
    for (const target of this.matching(nodeId, key)) {
      if (target.key === key && target.learned !== nodeId) {
        target.learned = nodeId;
        this.#index();
      }
      target.up(now);
    }
  }

  /**
   * Returns true if the peer with this id, or at this dialed address, is in this list. A target's
   * id was given by the operator, or is that of the node that answered last.
   */
  has(nodeId: string | undefined, address?: string): boolean {
    const key = address === undefined ? undefined : addressKey(address);
    return this.matching(nodeId, key).length > 0;
  }

  /** Returns whether a target is listed with this address and without an id. */
  hasUnnamed(address: string): boolean {
    const key = addressKey(address);
    return [...this].some((target) => target.nodeId === undefined && target.key === key);
  }

  /** Returns the ids, given or learned, of the targets at an address. */
  idsAt(address: string): string[] {
    return this.matching(undefined, addressKey(address)).flatMap(({ id }) => id ?? []);
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
// this class holds its state. `DialTargets` changes `learned`, and the planner `moved`.

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
   * The address at which the peer was last dialed, or that the book had for it, if it isn't
   * `address`. Set only for a target with an id, because only then any other node that answers
   * there is refused.
   */
  moved: string | undefined;
  /**
   * Number of failures in a row. A connection counts as a success only once it has lasted for
   * LONG_ENOUGH, so that a peer that accepts and drops connections is not dialed in a tight loop.
   */
  failures = 0;
  state: TargetState = { t: 'new' };
  readonly #backOff: BackOffOptions;
  readonly #random: Random;

  constructor(text: string, backOff: BackOffOptions, random: Random) {
    this.#backOff = backOff;
    this.#random = random;
    const target = parseTarget(text);
    this.text = text.trim();
    this.address = target.address;
    this.key = keyOf(target);
    this.nodeId = target.nodeId;
    this.identity = this.nodeId ?? this.key;
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
   * another one: `elsewhere` (from the address book), or the peer's last address. The number of
   * failures decides whose turn it is, so a call changes nothing.
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

  failed(now: number): void {
    this.failures++;
    this.waitUntil(now + backOffDelay(this.#backOff, this.failures, this.#random));
  }

  /**
   * Records that the connection is gone. Ignored while the target is being dialed, because the
   * outcome of that dial decides.
   */
  lost(now: number): void {
    if (this.state.t === 'dialing') return;
    if (this.state.t === 'up' && now - this.state.since >= LONG_ENOUGH) this.failures = 0;
    this.failed(now);
  }
}

/**
 * Milliseconds after which a connection counts as a success. The value is a guess: it is longer
 * than a handshake or a refusal takes, and far shorter than the life of a useful connection.
 */
export const LONG_ENOUGH = 10_000;

/**
 * The difference between two lists of peers: the targets that were removed, added, moved and kept,
 * as they were written.
 */
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

// The canonical spelling of addresses and their hosts. It identifies dials, connections and
// back-offs.

/** Returns the canonical address of a parsed target, without its node id. */
export function keyOf({ nodeId, key }: TargetAddress): string {
  return nodeId === undefined ? key : key.slice(nodeId.length + 1);
}

/** Returns the canonical address in '[nodeId@]address', or undefined if it is malformed. */
export function addressKey(text: string): string | undefined {
  try {
    return keyOf(parseTarget(text));
  } catch {
    return undefined;
  }
}

/**
 * Returns the host of a canonical address. If the address isn't 'host:port', returns all of it
 * except scheme and path.
 */
export function hostOf(key: string): string {
  const [authority] = /^[^/?#]*/.exec(splitScheme(key).rest)!;
  return parseHostPort(authority)?.host ?? authority;
}

// Decides how soon to dial again: gRPC's connection back-off computes the wait after a number of
// failures in a row. The kind of an error decides whether a lost peer is preferred to unknown
// nodes, and whether the wait is longer.

/**
 * The time to wait before a peer is dialed again. gRPC's values are 1 s, 120 s and 0.2. If
 * `interval` equals `max`, the wait is constant (Orbs).
 */
export interface BackOffOptions {
  /**
   * Milliseconds to wait after the first failure; each further failure makes the wait 1.6 times as
   * long.
   */
  readonly interval: number;
  /** Maximum wait in milliseconds, before jitter. */
  readonly max: number;
  /**
   * Random fraction of the wait that is added or subtracted, 0 to 1; 0.2 means ±20 %. Spreads the
   * dials of clients that lost their server at the same time.
   */
  readonly jitter: number;
}

/** Returns the time to wait, in milliseconds, after `failures` (1 or more) failures in a row. */
export function backOffDelay(
  { interval, max, jitter }: BackOffOptions,
  failures: number,
  random: Random,
): number {
  const delay = Math.min(max, interval * FACTOR ** Math.min(failures - 1, MOST_STEPS));
  return delay * (1 + jitter * (2 * random() - 1));
}

/**
 * Returns true if a connection was lost by chance, or because the other end closed its transport
 * (perhaps to restart), so that the peer should be dialed before unknown nodes are (Tendermint's
 * ErrTransientErr).
 */
export function isTransient({ reason, code }: TransportError): boolean {
  return reason === undefined ? code === 'unavailable' : TRANSIENT.has(reason);
}

/**
 * Returns true if the peer refuses this node, is incompatible with it, or turned out to be another
 * node or this node itself, so that dialing again soon can't help.
 */
export function isPointless({ reason }: TransportError): boolean {
  return reason !== undefined && POINTLESS.has(reason);
}

/** https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md */
const FACTOR = 1.6;
/**
 * Maximum exponent, so that the number stays finite; no wait is that long (1.6 ^ 100 ≈ 10 ^ 20).
 */
const MOST_STEPS = 100;
const TRANSIENT: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  'reset',
  'ping_timeout',
  'dial_timeout',
  'handshake_timeout',
  'closed',
]);
const POINTLESS: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  'self',
  'identity_mismatch',
  'duplicate',
  'full',
  'denied',
  'refused',
  'wrong_network',
  'wrong_version',
  'version_mismatch',
  'channel_mismatch',
  'no_shared_protocol',
  'bad_certificate',
  'expired_certificate',
]);
