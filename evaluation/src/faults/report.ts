// The outcomes of the faults as a table, and the verdicts on them.

import type { Verdict } from '@trunkline/bench/bars';
import { alignTable } from '@trunkline/bench/table';
import type { Fate, Fates, FaultKind, Wanted } from './kinds.ts';

export interface Outcome {
  readonly kind: FaultKind;
  readonly real: Fates;
  readonly simulated: Fates | undefined;
}

export function formatTable(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ kind, real, simulated }) =>
    ENDS.map((end) => [
      kind.name,
      end,
      ...cells(real[end]),
      ...(simulated === undefined ? ['', ''] : cells(simulated[end])),
    ]),
  );
  return alignTable(
    [['fault', 'end', 'kernel', 'slowest call, s', 'simulation', 'slowest call, s'], ...lines],
    2,
  );
}

/**
 * Judges each end: it must come to the wanted outcome, and the simulation to the same within a
 * second.
 */
export function judge(outcomes: readonly Outcome[]): Verdict[] {
  return outcomes.flatMap(({ kind, real, simulated }) =>
    ENDS.flatMap((end) => {
      const verdicts = [
        {
          bar: `${kind.name}, ${end}: ${describe(kind.wanted[end])}`,
          ratio: real[end].after ?? 0,
          holds: isAsWanted(real[end], kind.wanted[end]),
        },
      ];
      if (simulated !== undefined) {
        const off = difference(real[end], simulated[end]);
        verdicts.push({
          bar: `${kind.name}, ${end}: the simulation has the same outcome within ${TOLERANCE} s`,
          ratio: off,
          holds: off <= TOLERANCE,
        });
      }
      return verdicts;
    }),
  );
}

/** Returns the seconds between two outcomes; Infinity if they differ in kind. */
export function difference(real: Fate, simulated: Fate): number {
  if (real.reason !== simulated.reason) return Number.POSITIVE_INFINITY;
  if (real.reason === undefined) return Math.abs(real.slowest - simulated.slowest);
  return Math.abs(real.after! - simulated.after!);
}

function isAsWanted({ reason, after, answered }: Fate, wanted: Wanted): boolean {
  if (reason !== wanted.reason) return false;
  if (reason === undefined) return answered > 0;
  return after! >= (wanted.least ?? 0) && after! <= (wanted.most ?? Number.POSITIVE_INFINITY);
}

function describe({ reason, least = 0, most }: Wanted): string {
  return reason === undefined ? 'the connection stays up' : `${reason} after ${least} to ${most} s`;
}

function cells({ reason, after, slowest }: Fate): string[] {
  return [
    reason === undefined ? 'lives' : `${reason} after ${after!.toFixed(2)} s`,
    reason === undefined ? slowest.toFixed(2) : '',
  ];
}

const ENDS = ['caller', 'callee'] as const;
/** The time in seconds by which the simulation may differ. */
const TOLERANCE = 1;
