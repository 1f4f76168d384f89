// Formats the outcomes as a table for a terminal, and as a section of docs/reliability.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { mib, type Outcome } from './outcome.ts';

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
      .map((cell, at) =>
        at >= 2 && at <= 8 ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!),
      )
      .join('  ')
      .trimEnd(),
  );
  const held = outcomes.filter(({ flaws }) => flaws.length === 0).length;
  return `${lines.join('\n')}\n\n${held} of ${outcomes.length} hold`;
}

/** Writes the figures between the markers of docs/reliability.md. */
export function writeReport(outcomes: readonly Outcome[], order: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to === -1) throw new Error(`docs/reliability.md has no '${BEGIN}' … '${END}'`);
  writeFileSync(
    PAGE,
    `${page.slice(0, from + BEGIN.length)}\n${section(sorted(outcomes, order))}\n${page.slice(to)}`,
  );
}

function section(outcomes: readonly Outcome[]): string {
  const held = outcomes.filter(({ flaws }) => flaws.length === 0).length;
  const rows = outcomes.map((outcome) => `| ${cells(outcome).join(' | ')} |`);
  return [
    '',
    `Measured on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform} ${release()}, Node ${process.versions.node}. ${held} of ${outcomes.length} hold.`,
    '',
    `| ${HEAD.join(' | ')} |`,
    `|${HEAD.map((_, at) => (at >= 2 && at <= 8 ? '---:' : '---')).join('|')}|`,
    ...rows,
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
  const verdict = flaws.length === 0 ? 'holds' : flaws.join('; ');
  return [
    attack,
    carrier,
    mib(growth),
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

const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const BEGIN = '<!-- hostile: begin -->';
const END = '<!-- hostile: end -->';
