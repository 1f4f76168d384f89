// Formats the outcomes as a table for a terminal, and as the report hostile/report.md.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ATTACKS } from './all-attacks.ts';
import { isOfMemory, isOfTimes, mib, type Outcome, type Quantity } from './outcome.ts';

const HEAD = [
  'attack',
  'carrier',
  'RSS MiB',
  'of',
  'p99 ms',
  'before',
  'ratio',
  'delay ms',
  'own ms',
  'answer',
  'verdict',
];

/** @param order the names of the attacks, in the order of the table. */
export function formatOutcomes(outcomes: readonly Outcome[], order: readonly string[]): string {
  const rows = [HEAD, ...sorted(outcomes, order).map(cells)];
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (isFigure(at) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd(),
  );
  const held = outcomes.filter(({ flaws }) => flaws.length === 0).length;
  return `${lines.join('\n')}\n\n${held} of ${outcomes.length} hold`;
}

/**
 * Writes the figures of one attack into the report. All other rows, and the row's figures of the
 * other quantity, stay as they are.
 */
export function writeReport(
  outcome: Outcome,
  quantity: Quantity,
  order: readonly string[],
  file = REPORT,
): void {
  const rows = earlierRows(existsSync(file) ? readFileSync(file, 'utf8') : '', order);
  const row = renewed(rows.get(outcome.attack), cells(outcome).map(escaped), quantity);
  rows.set(outcome.attack, `| ${row.join(' | ')} |`);
  writeFileSync(file, formatReport(rows, order));
}

/**
 * Returns the cells of a row with the new figures of one quantity, and the earlier ones of the
 * other. Of the earlier flaws, only those stay that the new run can't find.
 */
export function renewed(
  earlier: string | undefined,
  cells: readonly string[],
  quantity: Quantity,
): readonly string[] {
  const old = earlier?.slice(2, -2).split(/(?<!\\) \| /);
  const [from, to] = quantity === 'memory' ? MEMORY_CELLS : TIME_CELLS;
  const row = cells.map((cell, at) =>
    (at >= from && at < to) || !isFigure(at) ? cell : (old?.[at] ?? '–'),
  );
  const kept = flawsIn(old?.at(-1)).filter(quantity === 'times' ? isOfMemory : isOfTimes);
  const flaws = [...new Set([...kept, ...flawsIn(row.at(-1))])];
  return [...row.slice(0, -1), flaws.length === 0 ? HOLDS : flaws.join('; ')];
}

function flawsIn(verdict: string = HOLDS): readonly string[] {
  return verdict === HOLDS ? [] : verdict.split('; ');
}

/** Tells whether a column has figures, which are aligned to the right. */
function isFigure(column: number): boolean {
  return column >= MEMORY_CELLS[0] && column < TIME_CELLS[1];
}

/** Returns a text as a cell of a Markdown table. */
function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

/** Returns the rows of a table by attack, without attacks that are not in the list anymore. */
function earlierRows(table: string, order: readonly string[]): Map<string, string> {
  const rows = new Map<string, string>();
  for (const row of table.split('\n')) {
    const [, attack] = /^\| ([a-z0-9-]+) \| [a-z-]+ \| (?!RSS)/.exec(row) ?? [];
    if (attack !== undefined && order.includes(attack)) rows.set(attack, row);
  }
  return rows;
}

function formatReport(rows: ReadonlyMap<string, string>, order: readonly string[]): string {
  const known = order.flatMap((attack) => rows.get(attack) ?? []);
  const held = known.filter((row) => row.endsWith(`| ${HOLDS} |`)).length;
  return [
    '# Attacks',
    '',
    `Measured on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform} ${release()}, Node ${process.versions.node}. ${held} of ${known.length} hold.`,
    '',
    `| ${HEAD.join(' | ')} |`,
    `|${HEAD.map((_, at) => (isFigure(at) ? '---:' : '---')).join('|')}|`,
    ...known,
    '',
    'These attacks are bounded by milliseconds instead of a ratio:',
    '',
    '| attack | ms | on TLS and `wss` | because |',
    '|---|---:|---:|---|',
    ...ATTACKS.flatMap(({ name, bound }) =>
      bound === undefined
        ? []
        : `| ${name} | ${bound.milliseconds} | ${bound.overTls ?? bound.milliseconds} | ${bound.reason} |`,
    ),
    '',
  ].join('\n');
}

function sorted(outcomes: readonly Outcome[], order: readonly string[]): Outcome[] {
  return [...outcomes].sort((a, b) => order.indexOf(a.attack) - order.indexOf(b.attack));
}

function cells({
  attack,
  carrier,
  growth,
  bound,
  before,
  during,
  delay,
  busy,
  answer,
  flaws,
}: Outcome): string[] {
  const verdict = flaws.length === 0 ? HOLDS : flaws.join('; ');
  return [
    attack,
    carrier,
    Number.isNaN(growth) ? '–' : mib(growth),
    mib(bound),
    figure(during, 1),
    figure(before, 1),
    figure(during / before, 1),
    figure(delay, 0),
    figure(busy, 0),
    answer,
    verdict,
  ];
}

/** Formats a figure; one that was not measured is a dash. */
function figure(value: number, digits: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(digits);
}

/** The verdict on an attack that violated no condition. */
const HOLDS = 'holds';
/** The columns of the figures of memory, and of times: the first, and the one after the last. */
const MEMORY_CELLS = [2, 4] as const;
const TIME_CELLS = [4, 9] as const;
/** Not in the repository: the nightly run uploads it. */
const REPORT = fileURLToPath(new URL('../report.md', import.meta.url));
