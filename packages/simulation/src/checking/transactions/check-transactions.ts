// The check of an isolation level for transactions on lists and registers.

import { refuseUnknown } from '@trunkline/transport-core/backend';
import type { ObjectHistory } from '../objects/object-history.ts';
import { type Violation, violationOf } from '../violation.ts';
import { type Dependency, dependenciesOf, KINDS } from './dependencies.ts';
import { fractures } from './fractures.ts';
import { Graph } from './graph.ts';
import { type IsolationLevel, LEVELS } from './isolation-levels.ts';
import { lostUpdate } from './lost-update.ts';
import {
  type Anomaly,
  describe,
  stepsOf,
  type TransactionCall,
  type TransactionCommand,
  type TransactionResult,
} from './transaction.ts';
import { versionsOf } from './versions.ts';

/** Options of `check.transactions`. */
export interface TransactionsOptions {
  /** The level that the transactions must meet. Default `strict-serializable`. */
  readonly level?: IsolationLevel;
}

/** The result of `check.transactions`. */
export type TransactionsVerdict =
  | { readonly valid: true; readonly level: IsolationLevel }
  /**
   * `anomaly` is the name of the anomaly: 'internal', 'garbage', 'duplicate', 'incompatible order',
   * 'G1a', 'G1b', 'lost update', or the name of a cycle: 'G0', 'G1c', 'G-single', 'G-nonadjacent'
   * or 'G2', with '-real time' if the cycle depends on the order of real time. `transactions` are
   * those of the anomaly, and `text` explains it. If thousands of transactions form connected
   * cycles, a bounded search picks a cycle, which may be neither the shortest nor of the most
   * severe kind. If the verdict is the `cause` of a scenario's error, the failure's report shows
   * `violation`.
   */
  | {
      readonly valid: false;
      readonly level: IsolationLevel;
      readonly anomaly: string;
      readonly transactions: readonly TransactionCall[];
      readonly text: string;
      readonly violation: Violation;
    };

/**
 * Checks whether transactions meet an isolation level; by default, whether they are strictly
 * serializable: they behave as if they had run one at a time, in an order that respects real time.
 * The values that reads return determine the dependencies between transactions. A cycle of
 * dependencies is an anomaly (Kingsbury and Alvaro, Elle: Inferring Isolation Anomalies from
 * Experimental Observations, VLDB 14(3), 2020; the names are those of Adya, Weak Consistency,
 * 1999). The time grows linearly with the number of dependencies.
 *
 * The check finds only real anomalies. It misses anomalies of keys that are never read, and some of
 * registers, because reads show the order of their versions only in part: lists show it in full.
 *
 * @throws TypeError if a value was written to one key twice, if a key is a list and a register, or
 * if an option or the level is unknown.
 */
export function checkTransactions(
  history: ObjectHistory<TransactionCommand, TransactionResult> | readonly TransactionCall[],
  options: TransactionsOptions = {},
): TransactionsVerdict {
  refuseUnknown(options, 'check.transactions', ['level']);
  const { level = 'strict-serializable' } = options;
  if (!Object.hasOwn(LEVELS, level))
    throw new TypeError(
      `check.transactions: level must be one of ${Object.keys(LEVELS).join(', ')}, got ${String(level)}`,
    );
  const anomaly = anomalyIn('calls' in history ? history.calls : history, level);
  if (anomaly === undefined) return { valid: true, level };
  const violation = violationOf(anomaly.transactions, stepsOf);
  return { valid: false, level, ...anomaly, violation };
}

function anomalyIn(calls: readonly TransactionCall[], level: IsolationLevel): Anomaly | undefined {
  const isRepeatable = level !== 'read-committed';
  const isStrict = level === 'strict-serializable';
  const keys = versionsOf(calls, { isRepeatable, isStrict });
  if ('anomaly' in keys) return keys;
  if (isRepeatable) fractures(calls, keys);
  const { cycles, any } = LEVELS[level];
  const dependencies = dependenciesOf(calls, keys, isStrict);
  const cyclic = new Graph(dependencies).cyclic(any);
  for (const kind of cycles) {
    // A lost update is a cycle of two transactions, but its order of versions may be unknown.
    const lost = isRepeatable && kind.name === 'G-single' ? lostUpdate(calls, keys) : undefined;
    if (lost !== undefined) return lost;
    const cycle = cyclic?.cycle(kind);
    if (cycle !== undefined) return anomalyOfCycle(calls, kind.name, kind.what, cycle);
  }
  return undefined;
}

function anomalyOfCycle(
  calls: readonly TransactionCall[],
  anomaly: string,
  what: string,
  found: readonly Dependency[],
): Anomaly {
  const cycle = withoutGates(found);
  const numbers = cycle.map(({ from }) => from);
  const name = (number: number) => `T${numbers.indexOf(number) + 1}`;
  const text = [
    `${anomaly}: ${what}`,
    ...numbers.map((number) => `  ${name(number)}  ${describe(calls[number]!)}`),
    ...cycle.map(
      (edge) =>
        `  ${name(edge.from)} before ${name(edge.to)} (${NAMES[edge.kind]}): ${reason(edge, name)}`,
    ),
  ].join('\n');
  return { anomaly, transactions: numbers.map((number) => calls[number]!), text };
}

/** Joins a dependency on a gate and one of a gate. */
function withoutGates(cycle: readonly Dependency[]): readonly Dependency[] {
  return cycle.flatMap((edge, index) => {
    const next = cycle[index + 1];
    if (edge.kind === KINDS.gate) return [];
    return [next?.kind === KINDS.gate ? { ...edge, to: next.to, value: next.value } : edge];
  });
}

function reason(edge: Dependency, name: (number: number) => string): string {
  const { from, to, kind, key, value, after } = edge;
  switch (kind) {
    case KINDS.ww:
      return `${after} follows ${value} in ${key}`;
    case KINDS.wwFracture:
      return `${after} follows ${value} in ${key}: a transaction that read it saw another write of ${name(from)}`;
    case KINDS.wwInTime:
      return `${after} follows ${value} in ${key}, as real time shows`;
    case KINDS.wr:
      return `${name(to)}: it read ${value} in ${key}`;
    case KINDS.realTime:
      return `${name(to)}: it was called after that returned`;
    default:
      return `${name(from)}: it did not see ${value} in ${key}, which ${name(to)} wrote`;
  }
}

const NAMES: Readonly<Record<number, string>> = {
  [KINDS.ww]: 'ww',
  [KINDS.wwFracture]: 'ww',
  [KINDS.wwInTime]: 'ww',
  [KINDS.wr]: 'wr',
  [KINDS.rw]: 'rw',
  [KINDS.rwFracture]: 'rw',
  [KINDS.rwInTime]: 'rw',
  [KINDS.realTime]: 'real time',
};
