// A failure as plain data, which crosses from a worker, and as what a search reports.

import type { ScheduledFault } from '../faults/fault.ts';
import { describeFault } from '../faults/fault.ts';
import type { LinkOptions } from '../network/link-settings.ts';
import { SimulationError } from '../world/simulation-error.ts';
import { formatTime, summaryOf, type TraceSummary } from '../world/trace.ts';
import { describeError } from '../world/world.ts';
import type { Trouble } from './troubles.ts';

/** What a scenario failed with. */
export interface ScenarioError extends Error {
  /** Of a SimulationError: the rule that broke. */
  readonly invariant?: string | undefined;
  /** Of a SimulationError: when, in virtual milliseconds. */
  readonly at?: number | undefined;
}

/** A seed whose scenario failed. */
export interface Failure {
  readonly seed: number;
  /** The error of the run under the smallest schedule. Its message goes on with that schedule, and ends with `replay`. */
  readonly error: ScenarioError;
  /** The trace of the run under the smallest schedule: a replay has the same hash. */
  readonly trace: TraceSummary;
  /** The smallest list of faults under which it still fails: createSimulation takes it as `nemesis`. */
  readonly schedule: readonly ScheduledFault[];
  /** Faults that the nemesis had planned. */
  readonly faults: number;
  /** The calmest link under which it still fails with `schedule`: explore's own, or that without some of what makes it bad. */
  readonly link: LinkOptions | undefined;
  /**
   * The line for a shell that runs this seed again, of this scenario alone and under `schedule` and `link`: 'SEED=election:7:2,5-6 npm test'.
   */
  readonly replay: string;
}

/** A run that failed, as data. */
export interface FailedRun {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly invariant: string | undefined;
  readonly at: number | undefined;
  readonly trace: TraceSummary;
  /** The faults that were to happen. */
  readonly schedule: readonly ScheduledFault[];
  /** Their places in the list that was planned; undefined: they are all of it. */
  readonly only: readonly number[] | undefined;
  /** How many were planned. */
  readonly planned: number;
}

/** The least that a failure takes, as far as was tried. */
export interface Shrunk {
  /** The run under it. */
  readonly run: FailedRun;
  readonly link: LinkOptions | undefined;
  /** What is not left of the link that was given. */
  readonly without: readonly Trouble[];
  /** What a person must know of it; undefined: all went well. */
  readonly note: string | undefined;
}

export function failedRun(error: unknown, trace: TraceSummary, plan: Pick<FailedRun, 'schedule' | 'only' | 'planned'>): FailedRun {
  const { name, message, stack = '' } = error instanceof Error ? error : { name: 'Error', message: `the scenario threw ${String(error)}` };
  const { invariant, at } = error instanceof SimulationError ? error : { invariant: undefined, at: undefined };
  return { name, message, stack, invariant, at, trace: summaryOf(trace), ...plan };
}

/** Have two runs failed for the same reason, as far as one can tell: at the same rule, or with errors of one name? */
export function isSameFailure(one: FailedRun, other: FailedRun): boolean {
  return one.invariant === other.invariant && (one.invariant !== undefined || one.name === other.name);
}

/** What a search reports of a run that failed. */
export function reported(seed: number, { run, link, note }: Shrunk, replay: string): Failure {
  const { name, invariant, at, trace, schedule, planned } = run;
  const lines = [run.message, ...(note === undefined ? [] : [note]), ...told(schedule, planned, link), replay];
  const error: Error & { -readonly [K in keyof ScenarioError]: ScenarioError[K] } = new Error(lines.join('\n'));
  const head = `${name}: ${run.message}`;
  error.name = name;
  error.stack = `${name}: ${error.message}${run.stack.startsWith(head) ? run.stack.slice(head.length) : `\n${run.stack}`}`;
  if (invariant !== undefined) error.invariant = invariant;
  if (at !== undefined) error.at = at;
  return { seed, error, trace, schedule, faults: planned, link, replay };
}

/** Error of a search itself: a worker died, a module does not load. */
export function brokenSearch(what: string, cause: unknown): Error {
  return new Error(`explore: ${what}: ${describeError(cause)}`, { cause });
}

function told(schedule: readonly ScheduledFault[], planned: number, link: LinkOptions | undefined): string[] {
  if (planned === 0) return [];
  const under = link === undefined ? '' : `, and the link ${JSON.stringify(link)}`;
  const faults = schedule.map((fault) => `${formatTime(fault.at).padStart(11)} ms  ${describeFault(fault)}`);
  return [`it fails with ${schedule.length} of the ${planned} faults that were planned${under}${faults.length > 0 ? ':' : ''}`, ...faults];
}
