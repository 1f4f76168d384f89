// Formats how the honest peer and the flood fared as a table: a column for each part of a round.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import { ratio } from './bars.ts';
import type { Options } from './options.ts';
import type { Part, PartFigures, Round } from './rounds.ts';

export function formatTable(rounds: readonly Round[], { kinds }: Options): string {
  const parts: Part[] = ['quiet', ...kinds];
  const of = (part: Part, figure: (each: PartFigures) => number) =>
    median(rounds.map((round) => figure(round.get(part)!)));
  const honest = HONEST.map(({ title, figure }) => [
    title,
    ...parts.map(
      (part) =>
        `${round3(of(part, ({ honest }) => honest[figure]))}${part === 'quiet' ? '' : ` (${ratio(rounds, part, figure).toFixed(2)})`}`,
    ),
  ]);
  const rest = ROWS.map(({ title, figure }) => [
    title,
    ...parts.map((part) => round3(of(part, figure))),
  ]);
  return alignTable([['', ...parts], ...honest, ...rest], 1);
}

export function formatJson(
  rounds: readonly Round[],
  options: Options,
  verdicts: readonly Verdict[],
): string {
  return JSON.stringify(
    {
      node: process.version,
      options,
      rounds: rounds.map((round) => Object.fromEntries(round)),
      verdicts,
    },
    null,
    2,
  );
}

const HONEST = [
  { title: 'honest calls, p50 µs', figure: 'p50' },
  { title: 'honest calls, p99 µs', figure: 'p99' },
  { title: 'honest calls, longest µs', figure: 'longest' },
  { title: 'new honest peer, ms', figure: 'newcomer' },
] as const;

const ROWS: readonly { title: string; figure: (part: PartFigures) => number }[] = [
  { title: 'flood: connections opened a second', figure: ({ flood }) => flood.rate },
  { title: 'refused a second', figure: ({ server, seconds }) => server.refused / seconds },
  {
    title: 'failed handshakes a second',
    figure: ({ server, seconds }) => server.failed / seconds,
  },
  {
    title: 'complete handshakes of the flood a second',
    figure: ({ flood, seconds }) => flood.handshakes / seconds,
  },
  { title: 'connections up at the server, in total', figure: ({ server }) => server.up },
  { title: 'sockets of the server, maximum', figure: ({ server }) => server.sockets },
  {
    title: 'server CPU, of one core',
    figure: ({ server, seconds }) => (server.cpu ?? Number.NaN) / 1e9 / seconds,
  },
];
