// Formats the evaluation as a document: sections, tables beside the published figures, plots, and
// the number of limits that are missed.

import { alignTable, markdownTable } from '@trunkline/bench/table';
import type { Section, Table } from './section.ts';

export interface DocumentOptions {
  /** The command that ran the evaluation. */
  readonly command: string;
  readonly node: string;
  readonly machine: string;
  /** Hours of processor time. */
  readonly hours: number;
}

export function formatDocument(
  sections: readonly Section[],
  { command, node, machine, hours }: DocumentOptions,
): string {
  const verdicts = sections.flatMap((section) => section.verdicts);
  const lines = [
    '# Gossip: evaluation',
    '',
    'This page compares gossip over [`partialView()`](gossip.md#which-overlay) with the figures of [the papers on HyParView and Plumtree](gossip-explained.md#how-the-code-differs-from-the-papers) and with the limits of [iroh-gossip](https://github.com/n0-computer/iroh-gossip), and measures gossip under attack.',
    '',
    `This page was written in ${hours.toFixed(1)} hours of CPU time, with Node ${node} on ${machine}, by:`,
    '',
    '```',
    command,
    '```',
    '',
    `Parentheses contain the lowest and highest values of all runs. The evaluation also compares ${verdicts.length} figures with limits: ${verdicts.filter(({ holds }) => holds).length} figures meet their limits.`,
    '',
    ...sections.flatMap(formatSection),
    '**Next:** [how gossip works](gossip-explained.md) lists where the code differs from the papers.',
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function formatSection({ title, before, tables, plots, after }: Section): string[] {
  return [
    `## ${title}`,
    '',
    ...before.flatMap((words) => [words, '']),
    ...tables
      .filter(({ shown }) => shown.length > 0)
      .flatMap((table) => [`**${table.title}**`, '', ...formatMarkdown(table), '']),
    ...plots.flatMap(({ name, title: what }) => [`![${what}](gossip-evaluation/${name}.svg)`, '']),
    ...after.flatMap((words) => [words, '']),
  ];
}

function formatMarkdown({ head, rows, shown }: Table): string[] {
  const pick = (cells: readonly string[]) => shown.map((at) => cells[at]!);
  return markdownTable(pick(head), rows.map(pick), 1);
}

/** Formats the sections for a terminal. */
export function formatText(sections: readonly Section[]): string {
  return sections
    .flatMap(({ title, tables, verdicts }) => [
      `\n${title}`,
      ...tables.map((table) => `\n${table.title}\n${alignTable([table.head, ...table.rows], 1)}`),
      '',
      ...verdicts.map(({ bar, got, holds }) => `${holds ? 'holds ' : 'MISSED'}  ${bar}: ${got}`),
    ])
    .join('\n');
}
