// The path from one node to another: one direction of a link, with the faults that currently affect
// it.

import type { Random } from '@trunkline/transport-core';
import { draw } from '../kernel/distributions.ts';
import type { LinkSettings } from './link-settings.ts';

/** One direction of a connection that waits for its path to open. */
export interface Stalled {
  resume(): void;
}

/** State that all outgoing links of a node share. */
export interface Uplink {
  /** Time at which the last byte sent so far has left the node. */
  freeAt: number;
}

/** One direction of a link between two nodes. */
export class Path {
  readonly from: string;
  readonly to: string;
  readonly random: Random;
  settings: LinkSettings;
  /**
   * While true, nothing passes: messages are lost, and everything that must not be lost waits for
   * the end of the cut.
   */
  cut = false;
  /** While true, nothing passes, and nothing is lost. */
  held = false;
  #stalled: Set<Stalled> | undefined;
  /** True if a burst of loss is in progress. */
  #bad = false;
  /**
   * Time at which the last byte sent so far has entered the link, if there is a bandwidth limit.
   */
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

  /**
   * Returns the milliseconds until data of this size arrives if it is sent now. Returns undefined
   * if the queue is full and the data is not `patient`.
   */
  delay(now: number, size: number, patient: boolean): number | undefined {
    const { bandwidth, uplink, queue, latency } = this.settings;
    const travel = draw(latency, this.random);
    if (bandwidth === Number.POSITIVE_INFINITY && uplink === Number.POSITIVE_INFINITY)
      return travel;
    const leaves = Math.max(now, this.#uplink.freeAt);
    const enters = Math.max(leaves, this.#freeAt);
    if (!patient && ((enters - now) * Math.min(bandwidth, uplink)) / 1_000 > queue)
      return undefined;
    this.#uplink.freeAt = leaves + (size * 1_000) / uplink;
    this.#freeAt = enters + (size * 1_000) / bandwidth;
    return Math.max(this.#uplink.freeAt, this.#freeAt) - now + travel;
  }

  /** Draws the extra delay, in milliseconds, of a message that others may overtake. */
  detour(): number {
    return (1 + 9 * this.random()) * draw(this.settings.latency, this.random);
  }

  chance(share: number): boolean {
    return share > 0 && this.random() < share;
  }

  /** Draws whether the message that arrives now is lost. */
  loses(): boolean {
    const { loss, burst } = this.settings;
    if (burst !== undefined) {
      this.#bad = this.#bad ? !this.chance(burst.end) : this.chance(burst.begin);
      if (this.#bad && this.chance(burst.loss)) return true;
    }
    return this.chance(loss);
  }

  /** Registers `stalled` to be resumed when the path opens. */
  wait(stalled: Stalled): void {
    this.#stalled ??= new Set();
    this.#stalled.add(stalled);
  }

  /** Resumes everything that waited, now that the path is open. */
  opened(): void {
    const stalled = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const each of stalled) each.resume();
  }
}
