// The handshakes that a listener has begun over signaling, and the ones that give way when others
// wait for their turn.

import type { Clock, ClockTimer } from '@trunkline/transport-core';

/** One handshake of a listener. */
export interface Handshake {
  /** The source for which it counts; undefined if signaling names none. */
  readonly source: string | undefined;
  /** False while it waits for its turn. */
  isRunning: boolean;
  /** The time of its last progress. */
  movedAt: number;
  /** Ends it for another one. */
  giveWay(): void;
}

/** The handshakes of one listener. */
export class Handshakes {
  readonly #clock: Clock;
  readonly #all = new Set<Handshake>();
  #check: ClockTimer;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(handshake: Handshake): void {
    this.#all.add(handshake);
  }

  remove(handshake: Handshake): void {
    this.#all.delete(handshake);
    this.#watch();
  }

  /** Notes that a handshake has begun or has made progress. */
  moved(handshake: Handshake): void {
    handshake.movedAt = this.#clock.now();
    this.#watch();
  }

  /**
   * Ends one handshake for a new one from `source`, if some wait: of the source that has the most,
   * if it has more than `source`, or one that has made no progress for a second. In both cases, the
   * one whose progress is oldest. Only handshakes that run give way. Returns false if there is
   * none.
   */
  makeRoom(source: string | undefined): boolean {
    if (!this.#isCrowded) return false;
    const victim = this.#oldest(this.#greedyFor(source)) ?? this.#stale();
    victim?.giveWay();
    this.#watch();
    return victim !== undefined;
  }

  get #isCrowded(): boolean {
    return [...this.#all].some(({ isRunning }) => !isRunning);
  }

  /** Ends handshakes without progress as long as others wait. */
  #watch(): void {
    this.#clock.clearTimeout(this.#check);
    this.#check = undefined;
    const oldest = this.#isCrowded ? this.#oldest([...this.#all]) : undefined;
    if (oldest === undefined) return;
    this.#check = this.#clock.setTimeout(
      () => {
        while (this.#isCrowded) {
          const stale = this.#stale();
          if (stale === undefined) break;
          stale.giveWay();
        }
        this.#watch();
      },
      Math.max(1, oldest.movedAt + PATIENCE - this.#clock.now()),
    );
  }

  #stale(): Handshake | undefined {
    const oldest = this.#oldest([...this.#all]);
    return oldest !== undefined && oldest.movedAt + PATIENCE <= this.#clock.now()
      ? oldest
      : undefined;
  }

  #oldest(handshakes: readonly Handshake[]): Handshake | undefined {
    return handshakes
      .filter(({ isRunning }) => isRunning)
      .reduce<Handshake | undefined>(
        (oldest, one) => (oldest !== undefined && oldest.movedAt <= one.movedAt ? oldest : one),
        undefined,
      );
  }

  /** Returns the handshakes of the source that has the most, if it has more than this one. */
  #greedyFor(source: string | undefined): Handshake[] {
    if (source === undefined) return [];
    const bySource = new Map<string | undefined, Handshake[]>();
    for (const one of this.#all) {
      const same = bySource.get(one.source) ?? [];
      same.push(one);
      bySource.set(one.source, same);
    }
    const most = [...bySource.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    return most.length > (bySource.get(source)?.length ?? 0) ? most : [];
  }
}

/** Milliseconds without progress after which a handshake gives way to one that waits. */
const PATIENCE = 1_000;
