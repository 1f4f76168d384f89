// What must hold: how fast many calls are beside the raw limit, and how little a large message disturbs a small call.

import { LIMIT, OURS } from './columns.ts';
import type { Round } from './rounds.ts';
import { alone } from './scenarios/alone.ts';
import { beside, besideElsewhere } from './scenarios/beside.ts';
import { inFlight } from './scenarios/in-flight.ts';
import { medianRatio } from './summary.ts';

export interface Verdict {
  readonly bar: string;
  readonly ratio: number;
  readonly holds: boolean;
}

/** The bars whose scenarios ran. */
export function judge(rounds: readonly Round[]): Verdict[] {
  const column = OURS;
  const rate = medianRatio(rounds, 'rate', { scenario: inFlight.name, column }, { scenario: inFlight.name, column: LIMIT });
  const verdicts: Verdict[] = [];
  if (rate !== undefined)
    verdicts.push({ bar: `${inFlight.title}: at least ${LEAST_RATE} of the raw limit's calls a second`, ratio: rate, holds: rate >= LEAST_RATE });
  for (const { name, title } of [beside, besideElsewhere]) {
    const slower = medianRatio(rounds, 'p50', { scenario: name, column }, { scenario: alone.name, column });
    if (slower !== undefined)
      verdicts.push({ bar: `${title}: p50 at most ${MOST_DELAY} times that of a call alone`, ratio: slower, holds: slower <= MOST_DELAY });
  }
  return verdicts;
}

const LEAST_RATE = 0.75;
const MOST_DELAY = 3;
