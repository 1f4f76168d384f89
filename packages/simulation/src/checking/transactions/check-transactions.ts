// The check of strict serializability for transactions that append to lists and read them.

import type { ObjectHistory } from '../objects/object-history.ts';
import { type Violation, violationOf } from '../violation.ts';
import { type Dependency, dependenciesOf, shortestCycle } from './dependencies.ts';
import {
  describe,
  stepsOf,
  type TransactionCall,
  type TransactionCommand,
  type TransactionResult,
} from './transaction.ts';
import { type Anomaly, versionsOf } from './version-orders.ts';

/** The result of `check.transactions`. */
export type TransactionsVerdict =
  | { readonly serializable: true }
  /**
   * `anomaly` is its name: 'internal', 'garbage', 'duplicate', 'incompatible order', 'G1a', 'G1b',
   * or the name of a cycle: 'G0', 'G1c', 'G-single' or 'G2', with '-real time' if the cycle depends
   * on the order of real time. `transactions` are the transactions involved, and `text` explains
   * the anomaly. If the verdict is the `cause` of an error that a scenario throws, the failure shows
   * `violation`.
   */
  | {
      readonly serializable: false;
      readonly anomaly: string;
      readonly transactions: readonly TransactionCall[];
      readonly text: string;
      readonly violation: Violation;
    };

/**
 * Checks whether transactions are strictly serializable: they behave as if they had run one at a
 * time, in an order that respects real time. Reads of lists show the order of appends, which
 * determines the dependencies between transactions. A cycle of dependencies is an anomaly
 * (Kingsbury and Alvaro, Elle: Inferring Isolation Anomalies from Experimental Observations, VLDB
 * 14(3), 2020; the names are those of Adya, Weak Consistency, 1999). The check finds only real
 * anomalies, but misses anomalies of keys that are never read.
 *
 * @throws TypeError if a value was appended to one key twice.
 */
export function checkTransactions(
  history: ObjectHistory<TransactionCommand, TransactionResult> | readonly TransactionCall[],
): TransactionsVerdict {
  const calls = 'calls' in history ? history.calls : history;
  const versions = versionsOf(calls);
  if ('anomaly' in versions) return failed(versions);
  const edges = dependenciesOf(calls, versions);
  for (const { name, kinds, once, what } of CYCLES) {
    const cycle = shortestCycle(edges, kinds, once);
    if (cycle !== undefined) return failed(anomalyOf(name, what, cycle));
  }
  return { serializable: true };
}

function failed(anomaly: Anomaly): TransactionsVerdict {
  return {
    serializable: false,
    ...anomaly,
    violation: violationOf(anomaly.transactions, stepsOf),
  };
}

/** The kinds of cycles, the most severe first. */
const CYCLES: readonly {
  readonly name: string;
  readonly kinds: readonly Dependency['kind'][];
  readonly once?: Dependency['kind'];
  readonly what: string;
}[] = [
  { name: 'G0', kinds: ['ww'], what: 'writes that overwrite each other' },
  { name: 'G1c', kinds: ['ww', 'wr'], what: 'transactions that each see another one' },
  {
    name: 'G-single',
    kinds: ['ww', 'wr'],
    once: 'rw',
    what: 'a read that misses a write which came before it',
  },
  { name: 'G2', kinds: ['ww', 'wr', 'rw'], what: 'reads that miss each other’s writes' },
  {
    name: 'G0-real time',
    kinds: ['ww', 'real time'],
    what: 'writes against the order of real time',
  },
  {
    name: 'G1c-real time',
    kinds: ['ww', 'wr', 'real time'],
    what: 'a read against the order of real time',
  },
  {
    name: 'G-single-real time',
    kinds: ['ww', 'wr', 'real time'],
    once: 'rw',
    what: 'a stale read',
  },
  { name: 'G2-real time', kinds: ['ww', 'wr', 'rw', 'real time'], what: 'stale reads' },
];

function anomalyOf(anomaly: string, what: string, cycle: readonly Dependency[]): Anomaly {
  const transactions = cycle.map(({ from }) => from);
  const name = (call: TransactionCall) => `T${transactions.indexOf(call) + 1}`;
  const text = [
    `${anomaly}: ${what}`,
    ...transactions.map((call) => `  ${name(call)}  ${describe(call)}`),
    ...cycle.map(({ from, to, kind, why }) => {
      const [subject, other] = kind === 'rw' ? [from, to] : [to, from];
      const reason =
        kind === 'ww'
          ? why
          : `${name(subject)}: ${why}${kind === 'rw' ? `, which ${name(other)} appended` : ''}`;
      return `  ${name(from)} before ${name(to)} (${kind}): ${reason}`;
    }),
  ].join('\n');
  return { anomaly, transactions, text };
}
