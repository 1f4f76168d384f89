// The figures behind docs/performance.md, kept in docs/performance/figures.json.

import type { Verdict } from '../bars.ts';
import type { Figure } from '../benchmark.ts';
import type { SummaryRow } from '../summary.ts';

/** The machine of a measurement, without host names or paths. */
export interface Machine {
  readonly processor: string;
  /** The number of cores that the benchmark was allowed to use. */
  readonly cores: number;
  /** The kernel such as 'Linux 6.1'; a distributor's suffix is left out. */
  readonly kernel: string;
  /** The version of Node such as '20.20.2'. */
  readonly node: string;
}

/** The figures of one table. */
export interface Part {
  readonly machine: Machine;
  /** How it was measured, such as '5 rounds of 1500 ms'. */
  readonly settings: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly rows: readonly SummaryRow[];
  readonly verdicts: readonly Verdict[];
  /** The ratios of some bars on a newer Node, by bar, if both were measured in turn. */
  readonly newer?: { readonly node: string; readonly ratios: Readonly<Record<string, number>> };
}

/** The parts of each benchmark, by group. */
export type PerformanceRecord = Readonly<Record<string, Readonly<Record<string, Part>>>>;
