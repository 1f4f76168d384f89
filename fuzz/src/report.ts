// Formats the figures of a run as a line, and as a table of docs/reliability.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TARGET_NAMES, type TargetName } from './targets.ts';
import type { Progress } from './worker.ts';

export const heads: readonly string[] = [
  'inputs',
  'a second',
  'edges',
  'corpus',
  'slowest',
  'growth',
  'crashes',
];

/** Returns one cell for each head. */
export function cells(
  { runs, rate, edges, covered, corpus, slowest, growth, crashes }: Progress,
  planned: number = runs,
): string[] {
  return [
    runs === planned ? grouped(runs) : `${grouped(runs)} of ${grouped(planned)}`,
    grouped(rate),
    `${grouped(covered)} of ${grouped(edges)}`,
    grouped(corpus),
    `${slowest < 10 ? slowest.toFixed(1) : Math.round(slowest)} ms`,
    `${(growth / 1024 ** 2).toFixed(1)} MiB`,
    String(crashes.length),
  ];
}

/** Writes a target's row into the page. The other rows stay as they are. */
export function writeReport(target: TargetName, progress: Progress): void {
  writeFileSync(PAGE, withRow(readFileSync(PAGE, 'utf8'), target, progress));
}

/** Returns the page with the target's row, new or replaced, in the order of the targets. */
export function withRow(page: string, target: TargetName, progress: Progress): string {
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the page has no markers ${BEGIN} and ${END}`);
  const rows = new Map<string, string>();
  for (const row of page.slice(start, end).split('\n')) {
    const name = /^\| ([a-z-]+) \| (?!inputs)/.exec(row)?.[1];
    if (name !== undefined) rows.set(name, row);
  }
  const shown = (row: readonly string[]) => row.filter((_, at) => !PRINTED.has(heads[at]!));
  rows.set(target, `| ${[target, ...shown(cells(progress))].join(' | ')} |`);
  const table = [
    `| ${['target', ...shown(heads)].join(' | ')} |`,
    `|---|${'---:|'.repeat(shown(heads).length)}`,
    ...TARGET_NAMES.flatMap((name) => rows.get(name) ?? []),
  ];
  return `${page.slice(0, start)}${BEGIN}\n${table.join('\n')}\n${page.slice(end)}`;
}

function grouped(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

/** The columns that are printed, but not written into the page. */
const PRINTED: ReadonlySet<string> = new Set(['a second', 'corpus']);
const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const BEGIN = '<!-- fuzz: begin -->';
const END = '<!-- fuzz: end -->';
