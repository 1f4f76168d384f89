// Formats the outcomes as a table for a terminal, and as the report hostile/report.md.

import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ATTACKS } from './all-attacks.ts';
import { CONTROL, mib, type Outcome, SLOWEST } from './outcome.ts';

const HEAD = [
  'attack',
  'carrier',
  'RSS MiB',
  'of',
  'p99 ms',
  'control',
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
  return `${lines.join('\n')}\n\n${held(outcomes)}`;
}

/** Writes the report: the same table in Markdown, and the bounds in milliseconds. */
export function writeReport(
  outcomes: readonly Outcome[],
  order: readonly string[],
  file = REPORT,
): void {
  const rows = sorted(outcomes, order).map(cells);
  const row = (each: readonly string[]) =>
    `| ${each.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const lines = [
    '# Attacks',
    '',
    `Measured on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform} ${release()}, Node ${process.versions.node}. ${held(outcomes)}.`,
    '',
    row(HEAD),
    `|${HEAD.map((_, at) => (isFigure(at) ? '---:' : '---')).join('|')}|`,
    ...rows.map(row),
    '',
    `These attacks are bounded by milliseconds instead of a ratio. If controls take more than ${CONTROL} ms, the bound is longer in proportion, at most ${SLOWEST} times as long:`,
    '',
    '| attack | ms | on TLS and `wss` | because |',
    '|---|---:|---:|---|',
    ...ATTACKS.flatMap(({ name, bound }) =>
      bound === undefined
        ? []
        : `| ${name} | ${bound.milliseconds} | ${bound.overTls ?? bound.milliseconds} | ${bound.reason} |`,
    ),
    '',
  ];
  writeFileSync(file, lines.join('\n'));
}

function held(outcomes: readonly Outcome[]): string {
  const count = outcomes.filter(({ flaws }) => flaws.length === 0).length;
  return `${count} of ${outcomes.length} hold`;
}

/** Tells whether a column has figures, which are aligned to the right. */
function isFigure(column: number): boolean {
  return column >= 2 && column < 9;
}

function sorted(outcomes: readonly Outcome[], order: readonly string[]): Outcome[] {
  return [...outcomes].sort((a, b) => order.indexOf(a.attack) - order.indexOf(b.attack));
}

function cells({
  attack,
  carrier,
  growth,
  bound,
  control,
  during,
  delay,
  busy,
  answer,
  flaws,
}: Outcome): string[] {
  return [
    attack,
    carrier,
    Number.isFinite(growth) ? mib(growth) : '–',
    mib(bound),
    figure(during, 1),
    figure(control, 1),
    figure(during / control, 1),
    figure(delay, 0),
    figure(busy, 0),
    answer,
    flaws.length === 0 ? 'holds' : flaws.join('; '),
  ];
}

/** Formats a figure; one that was not measured is a dash. */
function figure(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

/** Not in the repository: the nightly run uploads it. */
const REPORT = fileURLToPath(new URL('../report.md', import.meta.url));
