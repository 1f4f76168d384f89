// A target that the operator named, that is, a persistent peer or a seed. It is dialed forever;
// this class holds its state.

import type { Random } from '@trunkline/transport-core';
import { parseTarget } from '@trunkline/transport-core/backend';
import { addressKey, keyOf } from './address-key.ts';
import { type BackOffOptions, backOffDelay } from './back-off.ts';
import { identityOf } from './topology.ts';

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
