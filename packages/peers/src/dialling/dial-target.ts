// A target that the operator named, a persistent peer or a seed: dialled for ever, and what became of it.

import { parseTarget, type Random } from '@trunkline/transport-core';
import { addressKey, keyOf } from './address-key.ts';
import { type BackOffOptions, backOffDelay } from './back-off.ts';
import { identityOf } from './topology.ts';

type TargetState =
  /** Never dialled; `next` says when. */
  | { readonly t: 'new' }
  | { readonly t: 'waiting'; readonly at: number }
  | { readonly t: 'dialling' }
  /** There is a link, whoever dialled it. */
  | { readonly t: 'up'; readonly since: number };

export class DialTarget {
  /** As it was written. */
  readonly text: string;
  readonly address: string;
  /** The canonical address. */
  readonly key: string;
  /** The same for all targets that mean the same peer. */
  readonly identity: string;
  /** The id that was given with it: whoever else answers is refused. */
  readonly nodeId: string | undefined;
  /** Who answered last. */
  learned: string | undefined;
  /** Where it was last, and said itself that it is, if not at `address`. Only of one whose id was given: whoever else answers there is refused. */
  moved: string | undefined;
  /** Failures in a row. A link counts as a success once it has lived for LONG_ENOUGH: who accepts and drops is not dialled in a hot loop. */
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

  /** Its node id, as far as it is known. */
  get id(): string | undefined {
    return this.nodeId ?? this.learned;
  }

  /** Is the peer that has this id, or was dialled at this canonical address, this target? Where an id was given, the id decides. */
  matches(nodeId: string | undefined, key: string | undefined): boolean {
    if (nodeId !== undefined && nodeId === this.id) return true;
    return key === this.key && (this.nodeId === undefined || nodeId === undefined);
  }

  /** What is dialled next: where the operator says that it is, and `elsewhere`, which is where the book has it or it was last, in turn. */
  next(elsewhere: string | undefined): string {
    const other = elsewhere === undefined || addressKey(elsewhere) === this.key ? this.moved : elsewhere;
    return other !== undefined && this.failures > 0 && this.failures % 2 === 0 ? other : this.address;
  }

  waitUntil(at: number): void {
    this.state = { t: 'waiting', at };
  }

  dial(): void {
    this.state = { t: 'dialling' };
  }

  up(now: number): void {
    this.state = { t: 'up', since: now };
  }

  failed(now: number, options: BackOffOptions, random: Random): void {
    this.failures++;
    this.waitUntil(now + backOffDelay(options, this.failures, random));
  }

  /** The link to it is gone. While it is dialled that dial decides. */
  lost(now: number, options: BackOffOptions, random: Random): void {
    if (this.state.t === 'dialling') return;
    if (this.state.t === 'up' && now - this.state.since >= LONG_ENOUGH) this.failures = 0;
    this.failed(now, options, random);
  }
}

/** Milliseconds after which a link was a good one. A guess: longer than a handshake or a refusal takes, far shorter than a useful link lives. */
export const LONG_ENOUGH = 10_000;
