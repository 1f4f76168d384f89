// Tests of the check of transactions: planted anomalies of each kind, and histories of a correct
// database.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { largeTransactions } from '../testing/large-transactions.ts';
import { inTurn, together, transaction } from '../testing/transactions.ts';
import { checkTransactions } from './check-transactions.ts';
import type { TransactionCall } from './transaction.ts';

/** Anomalies that isolation-levels.test.ts does not show. */
const cases: readonly (readonly [
  anomaly: string,
  title: string,
  calls: readonly TransactionCall[],
])[] = [
  ['internal', 'a transaction that does not see its own append', together('ax1 rx:')],
  ['internal', 'a transaction whose two reads differ', together('ax1', 'rx: rx:1')],
  ['garbage', 'a value that nobody appended', together('rx:1')],
  ['garbage', 'a value that was appended only later', inTurn('rx:1', 'ax1')],
  ['duplicate', 'a value that is in a list twice', together('ax1', 'rx:11')],
  [
    'incompatible order',
    'two lists that contradict each other',
    together('ax1', 'ax2', 'rx:12', 'rx:21'),
  ],
  ['G-single-real time', 'an append that is lost', inTurn('ax1', 'ax2', 'rx:1')],
  [
    'G0-real time',
    'writes in the wrong order',
    [...inTurn('ax1', 'ax2'), transaction('rx:21', [5, 6])],
  ],
];

for (const [anomaly, title, calls] of cases) {
  test(`${title} is found: ${anomaly}`, (t) => {
    const verdict = checkTransactions(calls);
    t.is(
      'anomaly' in verdict ? verdict.anomaly : 'none',
      anomaly,
      'text' in verdict ? verdict.text : '',
    );
  });
}

test('the text shows the transactions of the cycle and why each precedes the next', (t) => {
  const verdict = checkTransactions(inTurn('ax1', 'rx:', 'ry:'));
  t.is(
    'text' in verdict ? verdict.text : '',
    `G-single-real time: a stale read
  T1  c3  read x -> []  [3..4]
  T2  c1  append x 1  [1..2]
  T1 before T2 (rw): T1: it did not see 1 in x, which T2 wrote
  T2 before T1 (real time): T1: it was called after that returned`,
  );
});

test('transactions of unknown outcome may have taken effect or not', (t) => {
  const unknown = transaction('ax1', [1, 2], 'unknown');
  t.true(checkTransactions([unknown, transaction('rx:', [3, 4])]).valid);
  t.true(checkTransactions([unknown, transaction('rx:1', [3, 4])]).valid);
  t.true(
    checkTransactions([unknown, ...[transaction('rx:', [3, 4]), transaction('rx:1', [5, 6])]])
      .valid,
  );
  t.false(
    checkTransactions([unknown, ...[transaction('rx:1', [3, 4]), transaction('rx:', [5, 6])]])
      .valid,
  );
});

test('a value that is appended to a key twice is a TypeError', (t) => {
  t.throws(() => checkTransactions(together('ax1', 'ax1')), {
    instanceOf: TypeError,
    message: /1 was appended to x twice, by c1 and by c2/,
  });
});

test('histories of a serializable database pass, and those of one with stale reads do not', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = () => seededRandom(seed);
    const verdict = checkTransactions(largeTransactions(random(), 'append', 300, 6));
    t.true(verdict.valid, `seed ${seed}: ${'text' in verdict ? verdict.text : ''}`);
    const stale = largeTransactions(random(), 'append', 300, 6, false);
    t.false(checkTransactions(stale).valid, `seed ${seed}`);
  }
});

for (const op of ['append', 'write'] as const) {
  test(`20,000 transactions of 20 clients are judged, and one stale read is found: ${op}`, (t) => {
    const { calls } = largeTransactions(seededRandom(1), op, 20_000, 20);
    t.true(checkTransactions(calls).valid);
    const stale = calls.findIndex(
      ({ outcome, command: [step, more], called }, index) =>
        index > 10_000 &&
        outcome === 'ok' &&
        step!.op === 'read' &&
        more === undefined &&
        calls
          .slice(index - 200, index)
          .some(
            (other) =>
              other.outcome === 'ok' &&
              other.returned! < called &&
              other.command.some(({ op, key }) => op !== 'read' && key === step!.key),
          ),
    );
    const old = op === 'append' ? [] : null;
    const spoilt = calls.map((call, index) =>
      index === stale ? { ...call, result: [old] } : call,
    );
    const verdict = checkTransactions(spoilt);
    t.like(verdict, { anomaly: 'G-single-real time' });
    t.true('transactions' in verdict && verdict.transactions.includes(spoilt[stale]!));
    t.true(checkTransactions(spoilt, { level: 'read-committed' }).valid);
  });
}
