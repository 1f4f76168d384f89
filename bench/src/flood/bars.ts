// The bar for a flood: how much slower honest calls may become.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import type { Part, Round } from './rounds.ts';

export function judge(rounds: readonly Round[]): Verdict[] {
  return [...rounds[0]!.keys()]
    .filter((part) => part !== 'quiet')
    .map((part) => {
      const slower = ratio(rounds, part, 'p99');
      return {
        bar: `${part}: p99 of honest calls at most ${MOST} times the p99 without a flood`,
        ratio: slower,
        holds: slower <= MOST,
      };
    });
}

/** Returns the median of the ratios to the quiet part of the same round. */
export function ratio(
  rounds: readonly Round[],
  part: Part,
  figure: 'p50' | 'p99' | 'longest' | 'newcomer',
): number {
  return median(
    rounds.map((round) => round.get(part)!.honest[figure] / round.get('quiet')!.honest[figure]),
  );
}

const MOST = 2;
