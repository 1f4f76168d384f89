// Failures of a search: as plain data that a worker can pass on, and as they are reported to the
// user.

import { violationIn } from '../checking/violation.ts';
import type { ScheduledFault } from '../faults/fault.ts';
import { describeFault } from '../faults/fault.ts';
import { describeError } from '../kernel/event-loop.ts';
import { describeMoment, SimulationError } from '../kernel/simulation-error.ts';
import { formatTime, summaryOf, type TraceSummary } from '../kernel/trace.ts';
import type { LinkOptions } from '../network/link-settings.ts';
import { failureOf, type Recording } from '../recording.ts';
import type { LinkTrouble } from './link-troubles.ts';

/** A seed whose scenario failed. */
export interface ExploreFailure {
  readonly seed: number;
  /**
   * The name of the profile under which it failed; undefined if the search has none, or if the seed
   * hung or ended its worker and could not be repeated.
   */
  readonly profile: string | undefined;
  /**
   * The error of the run under the smallest schedule. Its message also lists that schedule, and
   * ends with `replay`.
   */
  readonly error: Error & {
    /** The rule that broke, if the scenario failed with a SimulationError. */
    readonly invariant?: string | undefined;
    /**
     * The virtual time of the failure in milliseconds, if the scenario failed with a
     * SimulationError, or with an error whose cause is a verdict of `check` on a history with times.
     */
    readonly at?: number | undefined;
  };
  /**
   * The trace of the run under the smallest schedule. A replay has the same hash. It is empty if
   * the seed hung or ended its worker and could not be repeated. If the failure is recorded,
   * `timeline`, `states` and `nodes` end at the moment of the failure, which may be before the end
   * of the run if a checker of `check` found it.
   */
  readonly trace: TraceSummary;
  /**
   * The smallest list of faults found with which the scenario still fails; pass it to
   * `createSimulation` as `nemesis`.
   */
  readonly schedule: readonly ScheduledFault[];
  /** Number of faults that the nemesis had planned. */
  readonly faults: number;
  /**
   * The calmest link found with which the scenario still fails under `schedule`: the link of the
   * profile, or the one given to `explore`, possibly without some of its disturbances. Undefined if
   * the search has none, or if the seed hung or ended its worker and could not be repeated.
   */
  readonly link: LinkOptions | undefined;
  /**
   * A shell command that runs only this scenario, with this seed, `schedule` and `link`:
   * 'SEED=election:7:2,5-6 npm test'.
   */
  readonly replay: string;
  /**
   * The run under the smallest schedule until the moment of the failure, event by event, for
   * `@trunkline/admin/replay`. Undefined if the option `record` is 0, if a further run had another
   * result or did not return, and after the tenth failure.
   */
  readonly recording: Recording | undefined;
}

/** A failed run as plain data. */
export interface FailedRun {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly invariant: string | undefined;
  readonly at: number | undefined;
  readonly trace: TraceSummary;
  /** The name of the profile, if the search has profiles. */
  readonly profile: string | undefined;
  /** The faults scheduled for the run. */
  readonly schedule: readonly ScheduledFault[];
  /** Their positions in the planned list; undefined if they are the whole list. */
  readonly only: readonly number[] | undefined;
  /** Number of planned faults. */
  readonly planned: number;
  /** The events of the run, if it was recorded. */
  readonly recording?: Recording | undefined;
  /** The turn at which it was stopped, if it hung or ended its thread. */
  readonly stopped?: StoppedTurn | undefined;
}

/** A turn of a run that hung or ended its thread; the turns before it can be repeated. */
export interface StoppedTurn {
  /** Its number in the run, from 1; 0 if the run could not be repeated. */
  readonly turn: number;
  /** The rule that it broke. */
  readonly rule: 'hang' | 'exit';
  readonly what: string;
}

/** The result of shrinking a failure. */
export interface Shrunk {
  /** The run with the smallest schedule. */
  readonly run: FailedRun;
  readonly link: LinkOptions | undefined;
  /** The disturbances removed from the given link. */
  readonly without: readonly LinkTrouble[];
  /** A remark for the user about the shrinking; undefined if there is none. */
  readonly note: string | undefined;
}

/** Describes a failed run as plain data. */
export function failedRun(
  error: unknown,
  trace: TraceSummary,
  plan: Pick<FailedRun, 'profile' | 'schedule' | 'only' | 'planned' | 'stopped'>,
  recording: Recording | undefined,
): FailedRun {
  const {
    name,
    message,
    stack = '',
  } = error instanceof Error
    ? error
    : { name: 'Error', message: `the scenario threw ${String(error)}` };
  const { invariant, at } =
    error instanceof SimulationError ? error : { invariant: undefined, at: undefined };
  return {
    name,
    message,
    stack,
    invariant,
    at: violationIn(error)?.at ?? at,
    trace: summaryOf(trace),
    ...plan,
    ...(recording !== undefined && {
      recording: { ...recording, failure: failureOf(error, recording.at) },
    }),
  };
}

/**
 * Returns whether two runs have failed for the same reason, as far as can be determined: they broke
 * the same rule, or their errors have the same name.
 */
export function isSameFailure(one: FailedRun, other: FailedRun): boolean {
  return (
    one.invariant === other.invariant && (one.invariant !== undefined || one.name === other.name)
  );
}

/** Creates the report of a failed run of a scenario. */
export function reported(
  scenario: string,
  seed: number,
  { run, link, note }: Shrunk,
  replay: string,
): ExploreFailure {
  const { name, invariant, at, trace, profile, schedule, planned } = run;
  const search = {
    scenario,
    ...(profile !== undefined && { profile }),
    schedule: schedule.map((fault) => ({ at: fault.at, fault: describeFault(fault) })),
    faults: planned,
    replay,
  };
  const recording = run.recording && { ...run.recording, search };
  const lines = [
    run.message,
    // The message of a SimulationError has them already.
    ...(invariant === undefined ? describeMoment(trace, titleOf(run)) : []),
    ...(note === undefined ? [] : [note]),
    ...told(run, link),
    replay,
  ];
  const error: Error & { invariant?: string; at?: number } = new Error(lines.join('\n'));
  const head = `${name}: ${run.message}`;
  error.name = name;
  error.stack = `${name}: ${error.message}${run.stack.startsWith(head) ? run.stack.slice(head.length) : `\n${run.stack}`}`;
  if (invariant !== undefined) error.invariant = invariant;
  if (at !== undefined) error.at = at;
  return { seed, profile, error, trace, schedule, faults: planned, link, replay, recording };
}

/** Returns the title of the last events of a run; undefined if they end with the failure. */
function titleOf({ at, recording }: FailedRun): string | undefined {
  if (at === undefined) return undefined;
  return recording === undefined
    ? `the violation was at ${formatTime(at)} ms; the last events of the run:`
    : `the events until the violation at ${formatTime(at)} ms:`;
}

/**
 * Creates an error of the search itself, for example if a worker died or a module does not load.
 */
export function brokenSearch(what: string, cause: unknown): Error {
  return new Error(`explore: ${what}: ${describeError(cause)}`, { cause });
}

/**
 * Lists the conditions of a failed run; returns an empty text if there were none except the link.
 */
function told({ profile, schedule, planned }: FailedRun, link: LinkOptions | undefined): string[] {
  const under = link === undefined ? '' : `, and the link ${JSON.stringify(link)}`;
  const where = profile === undefined ? '' : ` under the profile ${profile}`;
  if (planned === 0) return profile === undefined ? [] : [`it fails${where}${under}`];
  const faults = schedule.map(
    (fault) => `${formatTime(fault.at).padStart(11)} ms  ${describeFault(fault)}`,
  );
  return [
    `it fails${where} with ${schedule.length} of the ${planned} planned faults${under}${faults.length > 0 ? ':' : ''}`,
    ...faults,
  ];
}
