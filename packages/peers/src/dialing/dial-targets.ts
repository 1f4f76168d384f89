// A list of targets that can be replaced while its targets are being dialed.

import type { Random } from '@trunkline/transport-core';
import { parseTarget } from '@trunkline/transport-core/backend';
import { DialTarget } from './dial-target.ts';
import { diffTopology, identityOf, type TopologyDiff } from './topology.ts';

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
