// Formats the figures of starting: medians of what each subject takes beyond bare Node.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable } from '../table.ts';
import type { Start, StartRound } from './measure.ts';
import { BARE, CORE_AND_TCP, TRUNKLINE } from './subjects.ts';

/**
 * The figures of `BARE` itself, and for the others their excess over it: medians of the differences
 * in the same round.
 */
export interface StartFigures {
  readonly name: string;
  /** Milliseconds of wall-clock time, and of CPU time, which other programs disturb less. */
  readonly time: number;
  readonly cpu: number;
  /** MiB of resident memory and of heap. */
  readonly rss: number;
  readonly heap: number;
}

export function summarize(rounds: readonly StartRound[]): StartFigures[] {
  const names = [...(rounds[0]?.keys() ?? [])].sort(
    (a, b) => Number(b === BARE) - Number(a === BARE),
  );
  return names.map((name) => {
    const of = (figure: keyof Start) =>
      median(
        rounds.map(
          (round) => round.get(name)![figure] - (name === BARE ? 0 : round.get(BARE)![figure]),
        ),
      );
    return { name, time: of('time'), cpu: of('cpu'), rss: of('rss') / MIB, heap: of('heap') / MIB };
  });
}

export function formatTable(summary: readonly StartFigures[]): string {
  return alignTable(tableOf(summary), 1);
}

/** Returns the cells of the table, the head first. */
export function tableOf(summary: readonly StartFigures[]): string[][] {
  return [
    ['', 'ms', 'CPU ms', 'RSS, MiB', 'heap, MiB'],
    ...summary.map(({ name, ...figures }) => [
      name,
      ...FIGURES.map((figure) => cell(name, figures[figure])),
    ]),
  ];
}

export function judge(summary: readonly StartFigures[]): Verdict[] {
  const ours = summary.find(({ name }) => name === CORE_AND_TCP);
  if (ours === undefined) return [];
  const whole = summary.find(({ name }) => name === TRUNKLINE);
  return [
    {
      bar: `${CORE_AND_TCP}: loads in at most ${MOST_TIME} ms more than bare Node`,
      ratio: ours.time,
      holds: ours.time < MOST_TIME,
    },
    ...(whole === undefined ? [] : [compare(whole, ours)]),
  ];
}

/** Judges by CPU time, because other programs disturb it less. */
function compare(whole: StartFigures, ours: StartFigures): Verdict {
  const ratio = whole.cpu / ours.cpu;
  return {
    bar: `${TRUNKLINE}: loads in at most ${MOST_CPU} times the CPU time of ${CORE_AND_TCP}, both without that of bare Node`,
    ratio,
    holds: ratio <= MOST_CPU,
  };
}

function cell(name: string, value: number): string {
  return `${name === BARE || value < 0 ? '' : '+'}${value.toFixed(1)}`;
}

const FIGURES = ['time', 'cpu', 'rss', 'heap'] as const;
const MIB = 1024 * 1024;
/** The most milliseconds that the subject with a bar may take. */
const MOST_TIME = 60;
/** The most that `TRUNKLINE` may take, as a multiple of `CORE_AND_TCP`. */
const MOST_CPU = 1.1;
