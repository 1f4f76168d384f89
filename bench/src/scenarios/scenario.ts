// The interface of a scenario: a measurement of an adapter, and the figures that it yields.

import type { Figure, Figures } from '../stopwatch.ts';

export interface Scenario {
  /** The name for `--scenario`. */
  readonly name: string;
  /** The title in the table. */
  readonly title: string;
  /** The figures in the table, with their units. */
  readonly figures: readonly Shown[];
  /**
   * The scenario whose figures of another column this one is compared with, if it is not this
   * scenario itself.
   */
  readonly against?: string;
  /** Tells whether the adapter can run it. */
  suits(adapter: string): boolean;
  /**
   * Starts everything it needs, measures, and ends it; returns null if that turns out to be
   * impossible.
   */
  measure(adapter: string, setting: Setting): Promise<Figures | null>;
}

export interface Shown {
  readonly figure: Figure;
  readonly unit: string;
}

/** The setting of a measurement. */
export interface Setting {
  /** Milliseconds of warm-up, and of measurement. */
  readonly warmUp: number;
  readonly window: number;
  /** Runs a short measurement to check that everything works, with a reduced load. */
  readonly smoke: boolean;
  /** The program that runs servers and clients; undefined for the Node that runs this process. */
  readonly node: string | undefined;
  /**
   * The URL of the folder bench/dist/ of another checkout, whose code servers and clients of calls
   * run. Default: this one.
   */
  readonly checkout?: string | undefined;
}
