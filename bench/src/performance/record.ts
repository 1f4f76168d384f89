// The figures behind docs/performance.md, kept in a file beside it. The --report option of each
// benchmark renews its part.

import { availableParallelism, cpus, release, type } from 'node:os';
import type { LineFigures } from '../long-line/report.ts';
import type { Carrier } from '../observing/options.ts';
import type { ObservingFigures } from '../observing/report.ts';
import type { Round } from '../rounds.ts';
import type { Part } from '../scale/point.ts';
import type { Summary } from '../scale/summary.ts';
import type { LoadSummary } from '../simulation/loads-report.ts';
import type { StartFigures } from '../start/report.ts';
import type { Figures } from '../stopwatch.ts';
import type { TypesFigures } from '../types/report.ts';

/** The machine of a measurement, without host names or paths. */
export interface Machine {
  readonly processor: string;
  /** The number of cores that the benchmark was allowed to use. */
  readonly cores: number;
  /** The kernel such as 'Linux 6.1'; a distributor's suffix is left out. */
  readonly kernel: string;
  /** The version of Node such as '20.20.2'. */
  readonly node: string;
}

export interface MeasuredScenario {
  readonly machine: Machine;
  /** The length of a measurement in milliseconds. */
  readonly window: number;
  /** The figures of each round, by the title of the column. */
  readonly rounds: readonly Readonly<Record<string, Figures>>[];
}

export interface MeasuredCurve {
  readonly machine: Machine;
  readonly window: number;
  readonly rounds: number;
  readonly points: readonly Summary[];
}

export interface MeasuredStart {
  readonly machine: Machine;
  readonly runs: number;
  readonly figures: readonly StartFigures[];
}

export interface MeasuredTypes {
  readonly machine: Machine;
  readonly runs: number;
  readonly methods: number;
  readonly figures: readonly TypesFigures[];
}

export interface MeasuredLine {
  readonly machine: Machine;
  /** The average number of processes that wanted a core, as the system reports it. */
  readonly load: number;
  readonly rounds: number;
  /** The MiB that each measurement carried. */
  readonly mib: number;
  readonly figures: readonly LineFigures[];
}

export interface MeasuredObserving {
  readonly machine: Machine;
  readonly rounds: number;
  readonly window: number;
  readonly figures: readonly ObservingFigures[];
}

export interface MeasuredSimulation {
  readonly machine: Machine;
  readonly rounds: number;
  readonly window: number;
  readonly figures: readonly LoadSummary[];
}

export interface PerformanceRecord {
  /** Figures by the name of the scenario. */
  readonly calls: Readonly<Record<string, MeasuredScenario>>;
  /** The same rounds on a newer Node (`--beside`). */
  readonly newer?: Readonly<Record<string, MeasuredScenario>> | undefined;
  readonly scale: Readonly<Partial<Record<Part, MeasuredCurve>>>;
  readonly start?: MeasuredStart | undefined;
  readonly line?: MeasuredLine | undefined;
  readonly observing?: Readonly<Partial<Record<Carrier, MeasuredObserving>>> | undefined;
  readonly simulation?: MeasuredSimulation | undefined;
  readonly types?: MeasuredTypes | undefined;
}

export const NOTHING: PerformanceRecord = { calls: {}, scale: {} };

/** @param cores the number of cores that the processes could use. */
export function thisMachine(cores = availableParallelism(), node = process.versions.node): Machine {
  return {
    processor: cpus()[0]?.model.trim() || process.arch,
    cores,
    kernel: `${type()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ''}`.trim(),
    node: node.replace(/^v/, ''),
  };
}

/** Replaces old figures by new ones: whole scenarios and whole curves. */
export function renewed(
  before: PerformanceRecord,
  now: Partial<PerformanceRecord>,
): PerformanceRecord {
  // Figures of the newer Node are dropped if the rounds they belong to were measured again.
  const kept = Object.entries(before.newer ?? {}).filter(
    ([scenario]) => now.calls?.[scenario] === undefined,
  );
  const newer = (before.newer ?? now.newer) && {
    newer: { ...Object.fromEntries(kept), ...now.newer },
  };
  const line = (now.line ?? before.line) && { line: now.line ?? before.line };
  const observing = (now.observing ?? before.observing) && {
    observing: { ...before.observing, ...now.observing },
  };
  const simulation = now.simulation ?? before.simulation;
  const types = now.types ?? before.types;
  return {
    calls: { ...before.calls, ...now.calls },
    ...newer,
    scale: { ...before.scale, ...now.scale },
    start: now.start ?? before.start,
    ...line,
    ...observing,
    ...(simulation && { simulation }),
    ...(types && { types }),
  };
}

/** Converts rounds to a record by scenario; a scenario in which nothing was measured is absent. */
export function recordCalls(
  rounds: readonly Round[],
  machine: Machine,
  window: number,
): PerformanceRecord['calls'] {
  const names = [...new Set(rounds.flatMap((round) => [...round.keys()]))];
  return Object.fromEntries(
    names.flatMap((name) => {
      const measured = rounds.map((round) => Object.fromEntries(round.get(name) ?? []));
      return measured.some((row) => Object.keys(row).length > 0)
        ? [[name, { machine, window, rounds: measured }]]
        : [];
    }),
  );
}

/** Converts recorded scenarios back to rounds. */
export function roundsOf(calls: PerformanceRecord['calls']): Round[] {
  const count = Math.max(0, ...Object.values(calls).map(({ rounds }) => rounds.length));
  return Array.from(
    { length: count },
    (_, at) =>
      new Map(
        Object.entries(calls).flatMap(([name, { rounds }]) =>
          rounds[at] === undefined ? [] : [[name, new Map(Object.entries(rounds[at]))]],
        ),
      ),
  );
}

/**
 * Formats the record for the file. Measured figures keep four digits, more than noise leaves; whole
 * numbers are counts and sizes.
 */
export function formatRecord(record: PerformanceRecord): string {
  const text = JSON.stringify(
    record,
    (_, value) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
    1,
  );
  return `${text}\n`;
}
