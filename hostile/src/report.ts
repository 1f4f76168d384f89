// Formats the outcomes as a table for a terminal, and as a section of docs/reliability.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
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
 * Writes the figures of one attack between the markers of docs/reliability.md. All other rows, and
 * the row's figures of the other quantity, stay as they are.
 */
export function writeReport(outcome: Outcome, quantity: Quantity, order: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to === -1) throw new Error(`docs/reliability.md has no '${BEGIN}' … '${END}'`);
  const rows = earlierRows(page.slice(from, to));
  const key = `${outcome.attack} ${outcome.carrier}`;
  const row = renewed(rows.get(key), cells(outcome).map(escaped), quantity);
  rows.set(key, `| ${row.join(' | ')} |`);
  writeFileSync(
    PAGE,
    `${page.slice(0, from + BEGIN.length)}\n${section(rows, order)}\n${page.slice(to)}`,
  );
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

/** Returns the rows of a table by attack and carrier. */
function earlierRows(table: string): Map<string, string> {
  const rows = new Map<string, string>();
  for (const row of table.split('\n')) {
    const [, attack, carrier] = /^\| ([a-z0-9-]+) \| ([a-z-]+) \| (?!RSS)/.exec(row) ?? [];
    if (attack !== undefined) rows.set(`${attack} ${carrier}`, row);
  }
  return rows;
}

function section(rows: ReadonlyMap<string, string>, order: readonly string[]): string {
  const known = [...rows].filter(([key]) => order.includes(attackOf(key)));
  const sorted = known.sort(([a], [b]) => order.indexOf(attackOf(a)) - order.indexOf(attackOf(b)));
  const held = known.filter(([, row]) => row.endsWith(`| ${HOLDS} |`)).length;
  return [
    '',
    `Measured on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform} ${release()}, Node ${process.versions.node}. ${held} of ${known.length} hold.`,
    '',
    `| ${HEAD.join(' | ')} |`,
    `|${HEAD.map((_, at) => (isFigure(at) ? '---:' : '---')).join('|')}|`,
    ...sorted.map(([, row]) => row),
    '',
  ].join('\n');
}

function attackOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
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
    during.toFixed(1),
    before.toFixed(1),
    (during / before).toFixed(1),
    delay.toFixed(0),
    busy.toFixed(0),
    answer,
    verdict,
  ];
}

/** The verdict on an attack that violated no condition. */
const HOLDS = 'holds';
/** The columns of the figures of memory, and of times: the first, and the one after the last. */
const MEMORY_CELLS = [2, 4] as const;
const TIME_CELLS = [4, 9] as const;
const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const BEGIN = '<!-- hostile: begin -->';
const END = '<!-- hostile: end -->';
