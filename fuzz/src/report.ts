// Formats the figures of a run as a line, and as a table of docs/reliability.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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

/** Renews the table between the page's markers. Targets that were not run keep their rows. */
export function writeReport(results: ReadonlyMap<string, Progress>, seed: number): void {
  const page = readFileSync(PAGE, 'utf8');
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${PAGE} has no markers ${BEGIN} and ${END}`);
  const rows = new Map<string, string>();
  for (const row of page.slice(start, end).split('\n')) {
    const name = /^\| ([a-z-]+) \| (?!inputs)/.exec(row)?.[1];
    if (name !== undefined) rows.set(name, row);
  }
  for (const [name, progress] of results)
    rows.set(name, `| ${[name, ...cells(progress), seed].join(' | ')} |`);
  const table = [
    `| ${['target', ...heads, 'seed'].join(' | ')} |`,
    `|---|${'---:|'.repeat(heads.length + 1)}`,
    ...rows.values(),
  ];
  writeFileSync(PAGE, `${page.slice(0, start)}${BEGIN}\n${table.join('\n')}\n${page.slice(end)}`);
}

function grouped(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const BEGIN = '<!-- fuzz: begin -->';
const END = '<!-- fuzz: end -->';
