// What must hold: nothing is lost, and nothing comes twice.

import type { Verdict } from '../bars.ts';
import type { Measurement } from './rounds.ts';

/** Of gossip alone: the others are there to be compared with. @param rate that is judged; others look for what is too much. */
export function judge(measurements: readonly Measurement[], rate: number): Verdict[] {
  const ours = measurements.filter((each) => each.rate === rate && (each.kind === 'tree' || each.kind === 'mesh'));
  const names = [...new Set(ours.map(nameOf))];
  return names.map((name) => {
    const faults = ours
      .filter((each) => nameOf(each) === name)
      .reduce((sum, { figures, lostInWarmUp }) => sum + figures.lost + figures.twice + figures.strange + lostInWarmUp, 0);
    return { bar: `${name}: nothing lost, and nothing twice`, ratio: faults, holds: faults === 0 };
  });
}

function nameOf({ kind, nodes, rate }: Measurement): string {
  return `${kind}, ${nodes} processes, ${rate} a second`;
}
