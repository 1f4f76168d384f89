// Formats the long line as a table: medians of the rounds, and of the ratios to a raw socket in the
// same round.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable } from '../table.ts';
import { BACKENDS, type Backend, TASKS, type Task } from './protocol.ts';

/** One task, over a raw socket and right after it over Trunkline. */
export interface Sample {
  readonly control: string;
  readonly backend: Backend;
  readonly task: Task;
  /** Milliseconds of the raw socket, of Trunkline, and of a small call beside it. */
  readonly raw: number;
  readonly ours: number;
  readonly small: number | undefined;
}

export interface LineFigures {
  readonly control: string;
  readonly backend: Backend;
  readonly task: Task;
  /** Mbit/s of the raw socket and of Trunkline. */
  readonly raw: number;
  readonly ours: number;
  readonly ratio: number;
  /** The median time of a small call, in round trips of the line. */
  readonly small: number | undefined;
}

/** @param bytes the size of a sample. @param trip the round trip of the line in milliseconds. */
export function summarize(samples: readonly Sample[], bytes: number, trip: number): LineFigures[] {
  const figures: LineFigures[] = [];
  for (const control of new Set(samples.map((sample) => sample.control))) {
    for (const backend of BACKENDS) {
      for (const task of TASKS) {
        const own = samples.filter(
          (sample) =>
            sample.control === control && sample.backend === backend && sample.task === task,
        );
        if (own.length === 0) continue;
        const small = own.flatMap((sample) => sample.small ?? []);
        const speed = (time: number) => (bytes * 8) / time / 1_000;
        figures.push({
          control,
          backend,
          task,
          raw: median(own.map(({ raw }) => speed(raw))),
          ours: median(own.map(({ ours }) => speed(ours))),
          ratio: median(own.map(({ raw, ours }) => raw / ours)),
          small: small.length === 0 ? undefined : median(small) / trip,
        });
      }
    }
  }
  return figures;
}

export function formatTable(figures: readonly LineFigures[]): string {
  return alignTable(tableOf(figures), 3);
}

/** Returns the cells of the table, the head first. */
export function tableOf(figures: readonly LineFigures[]): string[][] {
  return [
    [
      'TCP',
      'backend',
      'task',
      'raw Mbit/s',
      'Trunkline Mbit/s',
      'ratio',
      'small call, round trips',
    ],
    ...figures.map(({ control, backend, task, raw, ours, ratio, small }) => [
      control,
      backend,
      NAMES[task],
      raw.toFixed(1),
      ours.toFixed(1),
      ratio.toFixed(2),
      small?.toFixed(2) ?? '',
    ]),
  ];
}

/**
 * Returns the cells of a short table, the head first: a row for each task, with the Mbit/s and in
 * brackets the ratio, and one for the small calls beside it.
 */
export function shortTableOf(figures: readonly LineFigures[]): string[][] {
  const lines = [...new Set(figures.map(lineOf))];
  const row = (name: string, task: Task, cell: (each: LineFigures) => string | undefined) => {
    const cells = lines.map((line) => {
      const found = figures.find((each) => each.task === task && lineOf(each) === line);
      return (found && cell(found)) ?? '';
    });
    return cells.every((each) => each === '') ? [] : [[name, ...cells]];
  };
  return [
    ['', ...lines],
    ...TASKS.flatMap((task) => [
      ...row(NAMES[task], task, ({ ours, ratio }) => `${ours.toFixed(1)} (${ratio.toFixed(2)})`),
      ...row(`small call beside the ${task}`, task, ({ small }) => small?.toFixed(2)),
    ]),
  ];
}

export function judge(figures: readonly LineFigures[]): Verdict[] {
  return figures.flatMap(({ control, backend, task, ratio, small }) => {
    const least = LEAST[task];
    const name = `long line, ${control}, ${backend}, ${NAMES[task]}`;
    const verdicts: Verdict[] = [
      { bar: `${name}: Mbit/s ÷ raw at least ${least}`, ratio, holds: ratio >= least },
    ];
    if (small !== undefined)
      verdicts.push({
        bar: `${name}: a concurrent small call takes at most ${MOST} round trips`,
        ratio: small,
        holds: small <= MOST,
      });
    return verdicts;
  });
}

function lineOf({ control, backend }: LineFigures): string {
  return `${backend}, ${control}`;
}

const NAMES: Readonly<Record<Task, string>> = {
  upload: 'upload of 256 KiB items',
  download: 'download of 256 KiB items',
  put: '4 MiB requests in turn',
  get: '4 MiB responses in turn',
};
const LEAST: Readonly<Record<Task, number>> = { upload: 0.9, download: 0.9, put: 0.7, get: 0.7 };
/** The most round trips that a small call may take. */
const MOST = 1.2;
