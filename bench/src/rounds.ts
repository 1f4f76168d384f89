// Runs the rounds of a plan: the tasks of a turn one after the other, in another order each round,
// so that drift of the machine affects all alike.

import type { Figures, Plan, Round, Task } from './benchmark.ts';
import { grouped } from './grouped.ts';

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  { tasks, atOnce = 1 }: Pick<Plan, 'tasks' | 'atOnce'>,
  count: number,
  progress: (what: string, done: number) => void,
): Promise<Round[]> {
  const turns = grouped(tasks, ({ turn }) => turn);
  let step = 0;
  const rounds: Round[] = [];
  for (let number = 0; number < count; number++) {
    const round = new Map<string, Map<string, Figures>>();
    const work = [...turns.values()].flatMap((turn) =>
      rotated(turn, number).map((task) => async () => {
        const done = step++ / (count * tasks.length);
        const title = `round ${number + 1} of ${count}: ${task.title}`;
        progress(title, done);
        const measured = await task.run((what) => progress(`${title}, ${what}`, done));
        for (const [at, { group, name }] of task.rows.entries()) {
          const figures = measured[at];
          if (figures === undefined) continue;
          if (!round.has(group)) round.set(group, new Map());
          round.get(group)!.set(name, figures);
        }
      }),
    );
    await allOf(work, atOnce);
    rounds.push(round);
  }
  return rounds;
}

function rotated(tasks: readonly Task[], by: number): Task[] {
  return tasks.map((_, at) => tasks[(at + by) % tasks.length]!);
}

/**
 * Runs up to `atOnce` tasks at a time; tasks that have begun end before the first failure is
 * thrown.
 */
async function allOf(work: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const left = [...work];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      try {
        await next();
      } catch (error) {
        left.length = 0;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}
