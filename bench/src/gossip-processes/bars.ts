// The bar for gossip: no message is lost, and none arrives twice.

import type { Verdict } from '../bars.ts';
import type { Measurement } from './rounds.ts';

/**
 * Judges gossip alone; the other adapters are only for comparison.
 * @param rate the rate that is judged; higher ones explore where overload begins.
 */
export function judge(measurements: readonly Measurement[], rate: number): Verdict[] {
  const ours = measurements.filter(
    (each) => each.rate === rate && (each.kind === 'tree' || each.kind === 'mesh'),
  );
  const names = [...new Set(ours.map(nameOf))];
  return names.map((name) => {
    const faults = ours
      .filter((each) => nameOf(each) === name)
      .reduce(
        (sum, { figures, lostInWarmUp }) =>
          sum + figures.lost + figures.twice + figures.strange + lostInWarmUp,
        0,
      );
    return { bar: `${name}: no message lost or duplicated`, ratio: faults, holds: faults === 0 };
  });
}

function nameOf({ kind, nodes, rate }: Measurement): string {
  return `${kind}, ${nodes} processes, ${rate} a second`;
}
