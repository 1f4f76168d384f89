// The interface of a benchmark: its options, and a plan of the tasks that each round measures. The
// runner does the rest: rounds, medians, ratios, intervals, bars and tables.

import type { Flags, Values } from './flags.ts';

/** The figures of a row in one round, by key. Those that it does not have are absent or NaN. */
export type Figures = Readonly<Record<string, number | undefined>>;

/** The figures of one round, by group and by name. */
export type Round = Readonly<Record<string, Readonly<Record<string, Figures>>>>;

/** A row of a table. */
export interface Row {
  /** The table that it belongs to. */
  readonly group: string;
  readonly name: string;
  /** The row of the same table that it is compared with. */
  readonly against?: string | undefined;
}

/** A figure of a table. */
export interface Figure {
  readonly key: string;
  readonly unit: string;
  /** How rows are compared. Default: by their ratio. */
  readonly compared?: 'ratio' | 'difference' | 'never';
}

/** Returns a figure whose rows are not compared. */
export function alone(key: string, unit: string): Figure {
  return { key, unit, compared: 'never' };
}

/** A measurement, which yields the figures of one row or of several. */
export interface Task {
  /** The tasks of a turn follow each other; each round begins with another of them. */
  readonly turn: string;
  /** Its name in progress lines. */
  readonly title: string;
  readonly rows: readonly Row[];
  /**
   * Returns the figures of each row; undefined leaves the row out.
   * @param tell receives what it does now.
   */
  run(tell: (what: string) => void): Promise<readonly (Figures | undefined)[]>;
}

/** A condition on a figure of a round, judged by the median over all rounds. */
export interface Bar {
  readonly bar: string;
  /** Returns the figure in one round; NaN if the round lacks what the bar needs. */
  value(round: Round): number;
  readonly least?: number;
  readonly most?: number;
  /** Combines the figures of the rounds; undefined if they do not suffice. Default: the median. */
  combine?(values: readonly number[]): number | undefined;
}

export interface Plan {
  /** Their rows make the tables, in this order; rows without figures are left out. */
  readonly tasks: readonly Task[];
  titleOf?(group: string): string;
  figuresOf(group: string): readonly Figure[];
  readonly bars?: readonly Bar[];
  /** The settings that the line above the tables names, besides the rounds. */
  readonly settings?: string;
  /** Ends what the tasks share. */
  close?(): Promise<void>;
}

export interface RunOptions {
  readonly rounds: number;
  /** The length of a measurement in milliseconds. */
  readonly window: number;
  /** Runs one short round that judges nothing. */
  readonly smoke: boolean;
  readonly json: boolean;
  readonly report?: boolean;
}

export interface Benchmark<F extends Flags> {
  /** Its name on the command line. */
  readonly name: string;
  /** The last line of its usage. Default: what exit code 1 means. */
  readonly summary?: string;
  /** Its options in addition to those of every benchmark. */
  readonly flags: F;
  /** The default number of rounds. */
  readonly rounds: number;
  /** The default length of a measurement in milliseconds; absent if its tasks are not timed. */
  readonly window?: number;
  /** Returns why this machine cannot run it; undefined if it can. */
  unable?(): string | undefined;
  /** Makes the plan. @throws TypeError naming an option that is wrong. */
  plan(options: Values<F> & RunOptions): Plan | Promise<Plan>;
}

/** Returns a task that measures one row, by default in turn with its table. */
export function taskOf(
  row: Row,
  measure: (tell: (what: string) => void) => Promise<Figures | undefined>,
  turn = row.group,
): Task {
  return {
    turn,
    title: row.group === '' ? row.name : `${row.group}, ${row.name}`,
    rows: [row],
    run: async (tell) => [await measure(tell)],
  };
}
