// Runs the rounds of a plan: the tasks of a turn one after the other, in another order each round,
// so that drift of the machine affects all alike.

import type { Figures, Plan, Round } from './benchmark.ts';
import { grouped } from './grouped.ts';

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  { tasks }: Pick<Plan, 'tasks'>,
  count: number,
  progress: (what: string, done: number) => void,
): Promise<Round[]> {
  const turns = grouped(tasks, ({ turn }) => turn);
  let step = 0;
  const rounds: Round[] = [];
  for (let number = 0; number < count; number++) {
    const round: Record<string, Record<string, Figures>> = {};
    const order = [...turns.values()].flatMap((turn) =>
      turn.map((_, at) => turn[(at + number) % turn.length]!),
    );
    for (const task of order) {
      const done = step++ / (count * tasks.length);
      const title = `round ${number + 1} of ${count}: ${task.title}`;
      progress(title, done);
      const measured = await task.run((what) => progress(`${title}, ${what}`, done));
      for (const [at, { group, name }] of task.rows.entries()) {
        const figures = measured[at];
        if (figures === undefined) continue;
        (round[group] ??= {})[name] = figures;
      }
    }
    rounds.push(round);
  }
  return rounds;
}
