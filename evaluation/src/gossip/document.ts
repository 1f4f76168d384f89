// Formats the evaluation as a document: sections, tables beside the published figures, plots, and
// every limit.

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
  const verdicts = sections.flatMap((section) =>
    section.verdicts.map((verdict) => ({ section, verdict })),
  );
  const missed = verdicts.filter(({ verdict }) => !verdict.holds);
  const lines = [
    '# Gossip: evaluation',
    '',
    'This page repeats the tables of the papers behind `partialView()` with the state machines of the package, and tests whole nodes in simulation, with the limits of iroh-gossip and under attack.',
    '',
    'A program writes this file: the same seeds give the same figures.',
    '',
    '```',
    command,
    '```',
    '',
    `Node ${node}, ${machine}, ${hours.toFixed(1)} hours of one thread. Seeds count from 1; brackets in a cell contain the lowest and the highest value. "Re-simulation" is a JavaScript version of the pseudocode of the papers, written before our implementation.`,
    '',
    `**${verdicts.length - missed.length} of ${verdicts.length} limits are met${missed.length === 0 ? '.**' : '.** Missed:'}`,
    ...missed.map(
      ({ section, verdict }) => `- ${section.title}: ${verdict.bar}; it is ${verdict.got}`,
    ),
    '',
    ...sections.flatMap(formatSection),
    '**Next:** [how gossip works](gossip-explained.md) lists where the code differs from the papers.',
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function formatSection({ title, before, tables, plots, after, verdicts }: Section): string[] {
  return [
    `## ${title}`,
    '',
    ...before.flatMap((words) => [words, '']),
    ...tables.flatMap((table) => [`**${table.title}**`, '', ...formatMarkdown(table), '']),
    ...plots.flatMap(({ name, title: what }) => [`![${what}](gossip-evaluation/${name}.svg)`, '']),
    ...after.flatMap((words) => [words, '']),
    '<details><summary>Limits</summary>',
    '',
    ...formatMarkdown({
      title: '',
      head: ['limit', 'it is', ''],
      rows: verdicts.map(({ bar, got, holds }) => [bar, got, holds ? 'met' : '**missed**']),
    }),
    '',
    '</details>',
    '',
  ];
}

function formatMarkdown({ head, rows }: Table): string[] {
  return markdownTable(head, rows, 1);
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
