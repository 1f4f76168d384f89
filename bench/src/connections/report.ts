// Formats the cost of open connections as a table: a column for each kind, with the difference from
// bare sockets of that kind.

import type { Verdict } from '../bars.ts';
import { alignTable, round3 } from '../table.ts';
import { bareOf } from './by-name.ts';
import type { Measurement } from './measure.ts';
import type { Memory } from './server.ts';

export function formatTable(measurements: readonly Measurement[]): string {
  const bare = (each: Measurement) => measurements.find(({ kind }) => kind === bareOf(each.kind));
  const lines = ROWS.map(({ title, figure }) => [
    title,
    ...measurements.map((each) => {
      const other = bare(each);
      return cell(figure(each), other && figure(other));
    }),
  ]);
  return alignTable([['', ...measurements.map(({ kind }) => kind)], ...lines], 1);
}

export function formatJson(
  measurements: readonly Measurement[],
  { count, minutes, nodeFlags }: Settings,
  verdicts: readonly Verdict[],
): string {
  return JSON.stringify(
    { node: process.version, count, minutes, nodeFlags, measurements, verdicts },
    null,
    2,
  );
}

interface Settings {
  readonly count: number;
  readonly minutes: number;
  readonly nodeFlags: readonly string[];
}

/** Formats a figure; the brackets hold the difference from a bare socket. */
function cell(value: number | undefined, bare: number | undefined): string {
  if (value === undefined) return '-';
  return bare === undefined
    ? round3(value)
    : `${round3(value)} (${value < bare ? '−' : '+'}${round3(Math.abs(value - bare))})`;
}

const ROWS: readonly { title: string; figure: (measurement: Measurement) => number | undefined }[] =
  [
    { title: 'connections', figure: ({ connections }) => connections },
    { title: 'connections opened a second', figure: ({ connects }) => connects },
    { title: 'RSS, KiB', figure: ({ opened }) => opened.rss / 1024 },
    { title: 'heap and external, KiB', figure: ({ opened }) => known(opened) / 1024 },
    { title: '  of which heap, KiB', figure: ({ opened }) => opened.heap / 1024 },
    { title: 'RSS at the end, KiB', figure: ({ kept }) => kept && kept.rss / 1024 },
    {
      title: 'heap and external at the end, KiB',
      figure: ({ kept }) => kept && known(kept) / 1024,
    },
    { title: 'minutes kept open', figure: ({ keeping }) => keeping?.minutes },
    { title: 'connections with traffic', figure: ({ keeping }) => keeping?.heard },
    { title: 'server CPU meanwhile, of one core', figure: ({ keeping }) => keeping?.cpu },
    { title: 'lost', figure: ({ keeping }) => keeping?.lost },
  ];

/** Returns heap and external memory together; `external` includes ArrayBuffers. */
function known({ heap, external }: Memory): number {
  return heap + external;
}
