// The way from one node to another: one direction of a link, with what is wrong with it now.

import type { Random } from '@trunkline/transport-core';
import { draw } from '../world/chance.ts';
import type { LinkSettings } from './link-settings.ts';

/** A connection's direction that has something to go on with when its path is open again. */
export interface Stalled {
  resume(): void;
}

/** What all links of a node share on the way out. */
export interface Uplink {
  /** When the last byte of what was sent has left. */
  freeAt: number;
}

export class Path {
  readonly from: string;
  readonly to: string;
  readonly random: Random;
  settings: LinkSettings;
  /** Nothing passes: it is lost, or waits for the end of the cut where it may not be lost. */
  cut = false;
  /** Nothing passes, and nothing is lost. */
  held = false;
  #stalled: Set<Stalled> | undefined;
  /** In a burst of loss. */
  #bad = false;
  /** When the last byte of what was sent is on its way, where bandwidth bounds that. */
  #freeAt = 0;
  readonly #uplink: Uplink;

  constructor(from: string, to: string, random: Random, settings: LinkSettings, uplink: Uplink) {
    this.from = from;
    this.to = to;
    this.random = random;
    this.settings = settings;
    this.#uplink = uplink;
  }

  get closed(): boolean {
    return this.cut || this.held;
  }

  /** Milliseconds until something of this size that is sent now has arrived; undefined: the queue before it is full, and it can't wait. */
  delay(now: number, size: number, patient: boolean): number | undefined {
    const { bandwidth, uplink, queue, latency } = this.settings;
    const travel = draw(latency, this.random);
    if (bandwidth === Number.POSITIVE_INFINITY && uplink === Number.POSITIVE_INFINITY) return travel;
    const leaves = Math.max(now, this.#uplink.freeAt);
    const enters = Math.max(leaves, this.#freeAt);
    if (!patient && ((enters - now) * Math.min(bandwidth, uplink)) / 1_000 > queue) return undefined;
    this.#uplink.freeAt = leaves + (size * 1_000) / uplink;
    this.#freeAt = enters + (size * 1_000) / bandwidth;
    return Math.max(this.#uplink.freeAt, this.#freeAt) - now + travel;
  }

  /** What a message that others may overtake takes beyond its delay. */
  detour(): number {
    return (1 + 9 * this.random()) * draw(this.settings.latency, this.random);
  }

  chance(share: number): boolean {
    return share > 0 && this.random() < share;
  }

  /** Is the message that arrives now lost by chance? */
  loses(): boolean {
    const { loss, burst } = this.settings;
    if (burst !== undefined) {
      this.#bad = this.#bad ? !this.chance(burst.end) : this.chance(burst.begin);
      if (this.#bad && this.chance(burst.loss)) return true;
    }
    return this.chance(loss);
  }

  /** `stalled` has something that waits until the path is open. */
  wait(stalled: Stalled): void {
    this.#stalled ??= new Set();
    this.#stalled.add(stalled);
  }

  /** The path is open again: what waited goes on. */
  opened(): void {
    const stalled = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const each of stalled) each.resume();
  }
}
