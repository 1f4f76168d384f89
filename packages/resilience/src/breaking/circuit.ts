// One circuit: it refuses calls while most of them fail, and lets a few calls through to find out
// if calls succeed again.

import type { Random } from '@trunkline/transport-core';
import { RollingWindow } from './rolling-window.ts';

/** The state of a circuit. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** The settings that all circuits of a breaker share. */
export interface CircuitSettings {
  readonly window: number;
  readonly failurePercent: number;
  readonly minCalls: number;
  readonly openFor: number;
  readonly probes: number;
  readonly random: Random;
}

/** The phases; each owns its data. */
type Phase =
  | { readonly is: 'closed' }
  | { readonly is: 'open'; readonly until: number }
  | { readonly is: 'half-open'; since: number; started: number; succeeded: number };

/**
 * A circuit. While it is closed, all calls pass; while it is open, no call passes; while it is
 * half-open, a few probes pass.
 */
export class Circuit {
  readonly #settings: CircuitSettings;
  readonly window: RollingWindow;
  readonly #changed: (state: CircuitState) => void;
  #phase: Phase = { is: 'closed' };
  /**
   * The number of the phase. Calls that were let through in an earlier phase do not count in this
   * one.
   */
  #generation = 0;
  /** Time of the last call. */
  usedAt: number;

  constructor(settings: CircuitSettings, now: number, changed: (state: CircuitState) => void) {
    this.#settings = settings;
    this.window = new RollingWindow(settings.window, now);
    this.#changed = changed;
    this.usedAt = now;
  }

  get state(): CircuitState {
    return this.#phase.is;
  }

  /** Returns the number of milliseconds until the next probe; 0 unless the circuit is open. */
  waitAt(now: number): number {
    return this.#phase.is === 'open' ? Math.max(0, this.#phase.until - now) : 0;
  }

  /** Lets a call pass and returns a number for `ended`, or refuses it and returns undefined. */
  enter(now: number): number | undefined {
    this.usedAt = now;
    const phase = this.#phase;
    if (phase.is === 'closed') return this.#generation;
    if (phase.is === 'open') {
      if (now < phase.until) return undefined;
      this.#enterPhase({ is: 'half-open', since: now, started: 1, succeeded: 0 });
      return this.#generation;
    }
    if (phase.started >= this.#settings.probes) {
      if (now < phase.since + this.#settings.openFor) return undefined;
      // Probes that have not ended in this time, such as quiet streams, make room for others.
      phase.since = now;
      phase.started = phase.succeeded;
    }
    phase.started++;
    return this.#generation;
  }

  /**
   * Records the end of a call. `isFailure` is undefined if the call gives no information about the
   * server.
   */
  ended(entry: number, isFailure: boolean | undefined, now: number): void {
    if (entry !== this.#generation) return;
    const phase = this.#phase;
    if (phase.is === 'half-open') {
      if (isFailure === undefined) phase.started--;
      else if (isFailure) this.#open(now);
      else if (++phase.succeeded >= this.#settings.probes) {
        this.window.clear();
        this.#enterPhase({ is: 'closed' });
      }
      return;
    }
    if (isFailure === undefined) return;
    this.window.record(isFailure, now);
    const { calls, failures } = this.window;
    const { minCalls, failurePercent } = this.#settings;
    if (isFailure && calls >= minCalls && 100 * failures >= failurePercent * calls) this.#open(now);
  }

  #open(now: number): void {
    // Up to a fifth of jitter, so that not all clients probe at the same time.
    const wait = this.#settings.openFor * (1 + 0.2 * this.#settings.random());
    this.#enterPhase({ is: 'open', until: now + wait });
  }

  #enterPhase(phase: Phase): void {
    this.#phase = phase;
    this.#generation++;
    this.#changed(phase.is);
  }
}
