// What can be measured of an adapter, and which figures it comes to.

import type { Figure, Figures } from '../stopwatch.ts';

export interface Scenario {
  /** As `--scenario` takes it. */
  readonly name: string;
  /** As the table shows it. */
  readonly title: string;
  /** Those that the table shows, with their units. */
  readonly figures: readonly Shown[];
  /** The scenario whose figures of another column its own are compared with, where it is not itself. */
  readonly against?: string;
  /** Can it be asked of that adapter? */
  suits(adapter: string): boolean;
  /** Starts what it takes and ends it again; null where that turned out to be impossible. */
  measure(adapter: string, setting: Setting): Promise<Figures | null>;
}

export interface Shown {
  readonly figure: Figure;
  readonly unit: string;
}

/** How it is measured. */
export interface Setting {
  /** Milliseconds that run before, and that are measured. */
  readonly warmUp: number;
  readonly window: number;
  /** Short, to see that it works: little of what a scenario has much of. */
  readonly smoke: boolean;
  /** The program that runs servers and clients; undefined: the one that runs this. */
  readonly node: string | undefined;
}
