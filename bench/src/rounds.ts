// Runs rounds of measurements: every column of a scenario in turn, in another order each round, so
// that drift of the machine affects all alike.

import { PEER_NAMES } from './adapters/peers.ts';
import type { Column } from './columns.ts';
import type { Options } from './options.ts';
import type { Figures } from './stopwatch.ts';

/**
 * The figures of a round, by scenario and column; scenarios that do not suit an adapter are absent.
 */
export type Round = ReadonlyMap<string, ReadonlyMap<string, Figures>>;

export interface Rounds {
  readonly rounds: Round[];
  /** The same rounds on the Node of `--beside`; empty without one. */
  readonly beside: Round[];
}

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  options: Options,
  progress: (what: string, done: number) => void,
): Promise<Rounds> {
  const { rounds: count, plan, atOnce, beside } = options;
  const places: Place[] = [{ node: options.node, on: '', rounds: [] }];
  if (beside !== undefined)
    places.push({ node: beside.path, on: ` on ${beside.version}`, rounds: [] });
  const steps =
    count *
    [...plan.values()].flat().reduce((sum, column) => sum + placesOf(column, places).length, 0);
  let step = 0;
  for (let round = 0; round < count; round++) {
    for (const { rounds } of places)
      rounds[round] = new Map([...plan.keys()].map(({ name }) => [name, new Map()]));
    const work = [...plan].flatMap(([scenario, columns]) =>
      rotated(columns, round).flatMap((column) =>
        rotated(placesOf(column, places), round).map(({ node, on, rounds }) => async () => {
          progress(
            `round ${round + 1} of ${count}: ${scenario.name}, ${column.title}${on}`,
            step++ / steps,
          );
          const figures = await scenario.measure(column.adapter, { ...options, node });
          if (figures !== null) rounds[round]!.get(scenario.name)!.set(column.title, figures);
        }),
      ),
    );
    await allOf(work, atOnce);
  }
  return { rounds: places[0]!.rounds, beside: places[1]?.rounds ?? [] };
}

/** A Node and the rounds measured on it. */
interface Place {
  readonly node: string | undefined;
  /** The suffix that names the Node in progress lines. */
  readonly on: string;
  readonly rounds: Map<string, Map<string, Figures>>[];
}

/**
 * Returns the Nodes to measure a column on, one right after the other, so that the machine is in
 * the same state. The repeated limit and other libraries run on the first Node only.
 */
function placesOf({ title, adapter }: Column, places: readonly Place[]): readonly Place[] {
  return title !== adapter || PEER_NAMES.includes(adapter) ? places.slice(0, 1) : places;
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, at) => list[(at + by) % list.length]!);
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
