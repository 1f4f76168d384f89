// A section of the evaluation: paragraphs, tables, plots, and whether the limits are met.

import type { Plot } from '../plot.ts';

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The columns that the document shows; without any, the table is only printed. */
  readonly shown: readonly number[];
}

/** A column of a table: its heading, its cell in each row, and whether the document shows it. */
export type Column<T> = readonly [head: string, cell: (row: T) => string, isShown?: 'shown'];

export function tableOf<T>(
  title: string,
  rows: readonly T[],
  columns: readonly Column<T>[],
): Table {
  return {
    title,
    head: columns.map(([head]) => head),
    rows: rows.map((row) => columns.map(([, cell]) => cell(row))),
    shown: [...columns.keys()].filter((at) => columns[at]![2] === 'shown'),
  };
}

export interface Verdict {
  /** The judged figure with its limit. */
  readonly bar: string;
  readonly got: string;
  readonly holds: boolean;
}

export interface Section {
  readonly title: string;
  /** Paragraphs before the tables that describe the measurement. */
  readonly before: readonly string[];
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
  /** Paragraphs after the tables that explain differences from the published figures. */
  readonly after: readonly string[];
  readonly verdicts: readonly Verdict[];
}

export function atLeast(bar: string, got: number, limit: number): Verdict {
  return { bar: `${bar}: at least ${show(limit)}`, got: show(got), holds: got >= limit };
}

export function atMost(bar: string, got: number, limit: number): Verdict {
  return { bar: `${bar}: at most ${show(limit)}`, got: show(got), holds: got <= limit };
}

export function below(bar: string, got: number, limit: number): Verdict {
  return { bar: `${bar}: below ${show(limit)}`, got: show(got), holds: got < limit };
}

/**
 * Formats a figure with as many digits as are significant; a share close to 1 does not become 1.
 */
export function show(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  if (Math.abs(value) >= 100) return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
  if (Math.abs(value) >= 10) return value.toFixed(1);
  if (value > 0.99 && value < 1) return (Math.floor(value * 1e5) / 1e5).toFixed(5);
  if (Math.abs(value) < 0.01) return value.toFixed(5);
  return value.toFixed(3);
}
