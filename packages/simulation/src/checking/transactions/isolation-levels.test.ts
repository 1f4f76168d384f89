// Tests of the isolation levels: histories of each anomaly, written from its definition in the
// literature, and random histories, which are compared with a search of all executions.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { hasExecution, inTurn, together, transaction } from '../testing/transactions.ts';
import { checkTransactions } from './check-transactions.ts';
import { type IsolationLevel, LEVELS } from './isolation-levels.ts';
import type { TransactionCall } from './transaction.ts';

const names = Object.keys(LEVELS) as IsolationLevel[];
const committed: readonly IsolationLevel[] = ['read-committed'];
const snapshot: readonly IsolationLevel[] = ['snapshot', 'read-committed'];
const untimed = names.filter((level) => level !== 'strict-serializable');

/** Anomalies, each with the levels that permit it and histories that show it. */
const anomalies: readonly (readonly [
  literature: string,
  anomaly: string,
  permitted: readonly IsolationLevel[],
  histories: readonly (readonly TransactionCall[])[],
])[] = [
  [
    'G0 (Adya 1999, section 3.2.1: a cycle of write dependencies)',
    'G0',
    [],
    [
      together('ax1 ay1', 'ax2 ay2', 'rx:12', 'ry:21'),
      together('ax1 az1', 'ax2 ay2', 'ay3 az3', 'rx:12', 'ry:23', 'rz:31'),
      together('ax1 ax2', 'ax3', 'rx:132'),
      [transaction('ax1 ay1', [1, 2], 'unknown'), ...inTurn('ax2 ay2', 'rx:12', 'ry:21')],
    ],
  ],
  [
    'G1a (Adya, 3.2.2: aborted reads)',
    'G1a',
    [],
    [
      [transaction('ax1', [1, 2], 'failed'), transaction('rx:1', [3, 4])],
      [transaction('wx1', [1, 9], 'failed'), transaction('rx=1 wy1', [2, 4])],
      [transaction('ax1', [1, 2], 'failed'), ...together('ax2', 'rx:12')],
    ],
  ],
  [
    'G1b (Adya, 3.2.2: intermediate reads)',
    'G1b',
    [],
    [
      together('ax1 ax2', 'rx:1', 'rx:12'),
      together('wx1 wx2', 'rx=1'),
      together('wx1 wy1 wx2', 'rx=1 ry=1'),
    ],
  ],
  [
    'G1c (Adya, 3.2.2: a cycle of information flow)',
    'G1c',
    [],
    [
      together('ax1 ry:1', 'ay1 rx:1'),
      together('wx1 rz=3', 'rx=1 wy2', 'ry=2 wz3'),
      together('ax1 ay1', 'ax2 ry:1', 'rx:21'),
      together('rx=2 wx1', 'rx=1 wx2'),
    ],
  ],
  [
    'G-single (Adya 4.2.1: a single anti-dependency, as in read skew)',
    'G-single',
    committed,
    [
      together('ax1 ay1', 'rx: ry:1'),
      together('wx1 wy1', 'rx=- ry=1'),
      together('ax1', 'rx:1 ay1', 'rx: ry:1'),
      together('wx1 wy1', 'wx2 wy2', 'rx=1 ry=2'),
    ],
  ],
  [
    'lost update (Berenson et al. 1995: P4)',
    'lost update',
    committed,
    [
      together('ax1', 'rx:1 ax2', 'rx:1 ax3', 'rx:123'),
      together('wx0', 'rx=0 wx1', 'rx=0 wx2'),
      together('rx=- wx1', 'rx=- wx2', 'rx=2'),
      together('rx: ax1', 'rx: ax2'),
    ],
  ],
  [
    'long fork (Sovran et al. 2011: two transactions see two writes in different orders)',
    'G-nonadjacent',
    committed,
    [
      together('ax1', 'ay1', 'rx:1 ry:', 'rx: ry:1'),
      together('wx1', 'wy1', 'rx=1 ry=-', 'rx=- ry=1'),
      together('ax1', 'ay1', 'az1', 'rx:1 ry:', 'ry:1 rz:', 'rz:1 rx:'),
    ],
  ],
  [
    'write skew (Berenson et al. 1995: A5B)',
    'G2',
    snapshot,
    [
      together('rx: ay1', 'ry: ax1', 'rx:1 ry:1'),
      together('rx=- ry=- wx1', 'rx=- ry=- wy1'),
      together('wx0 wy0', 'rx=0 ry=0 wx1', 'rx=0 ry=0 wy1', 'rx=1 ry=1'),
    ],
  ],
  [
    'G2 (Adya, 3.2.3: a cycle with anti-dependencies)',
    'G2',
    snapshot,
    [
      together('rx: ay1', 'ry: az1', 'rz: ax1'),
      together('rx: aw2', 'ry: ax1', 'aw1 ay1', 'rw:12'),
      together('rx=- wy1', 'ry=- wz1', 'rz=- wv1', 'rv=- wx1'),
    ],
  ],
  [
    'the read-only anomaly (Fekete, O’Neil and O’Neil 2004)',
    'G2',
    snapshot,
    [
      together('ry=- wy2', 'rx=- ry=- wx1', 'rx=- ry=2'),
      together('ry: ay2', 'rx: ry: ax1', 'rx: ry:2'),
      together('wx0 wy0', 'rx=0 ry=0 wx1', 'ry=0 wy2', 'rx=0 ry=2', 'rx=1 ry=2'),
    ],
  ],
  [
    'a stale read (Herlihy and Wing 1990)',
    'G-single-real time',
    untimed,
    [
      inTurn('ax1', 'rx:'),
      inTurn('wx1', 'wx2', 'rx=1'),
      [
        ...[transaction('wx1', [1, 4]), transaction('wx2', [2, 3])],
        ...[transaction('rx=1', [5, 6]), transaction('rx=2', [7, 8]), transaction('rx=1', [9, 10])],
      ],
    ],
  ],
];

for (const [literature, anomaly, permitted, histories] of anomalies) {
  test(`${literature} is found, and permitted by ${permitted.join(' and ') || 'no level'}`, (t) => {
    t.true(histories.length >= 3);
    for (const [index, history] of histories.entries()) {
      for (const level of names) {
        const verdict = checkTransactions(history, { level });
        const title = `history ${index + 1}, ${level}: ${'text' in verdict ? verdict.text : ''}`;
        t.is(verdict.valid, permitted.includes(level), title);
        if (!verdict.valid) t.is(verdict.anomaly, anomaly, title);
      }
    }
  });
}

test('without the transaction that only reads, its anomaly is serializable, and write skew is not', (t) => {
  const calls = together('ry=- wy2', 'rx=- ry=- wx1');
  t.true(checkTransactions(calls, { level: 'serializable' }).valid);
  const skew = together('rx=- ry=- wy2', 'rx=- ry=- wx1');
  t.false(checkTransactions(skew, { level: 'serializable' }).valid);
  t.true(checkTransactions(skew, { level: 'snapshot' }).valid);
});

test('two reads of a key may differ at read-committed, and at no other level', (t) => {
  for (const calls of [together('ax1', 'rx: rx:1'), together('wx1', 'rx=- rx=1')])
    t.deepEqual(
      names.filter((level) => checkTransactions(calls, { level }).valid),
      ['read-committed'],
    );
});

test('a register shows the transaction’s own last write', (t) => {
  t.true(checkTransactions(together('wx1 wx2 rx=2', 'rx=2')).valid);
  for (const text of ['wx1 rx=-', 'wx1 wx2 rx=1'])
    t.like(checkTransactions(together(text), { level: 'read-committed' }), { anomaly: 'internal' });
});

test('an unknown level, an unknown option, and a key of two kinds are TypeErrors', (t) => {
  const error = (run: () => unknown) => t.throws(run, { instanceOf: TypeError })!.message;
  t.regex(
    error(() => checkTransactions([], { level: 'snapshots' as never })),
    /level must be one of strict-serializable, .*, got snapshots/,
  );
  t.regex(
    error(() => checkTransactions([], { levels: 'snapshot' } as never)),
    /levels/,
  );
  t.regex(
    error(() => checkTransactions(together('ax1', 'wx2'))),
    /x is used as a list and as a register/,
  );
});

test('many transactions that miss many writes are judged as a few would be', (t) => {
  const readers = Array.from({ length: 20 }, () => 'rx:');
  const appends = Array.from({ length: 20 }, (_, i) => `ax${String.fromCharCode(65 + i)}`);
  t.true(checkTransactions(together(...readers, ...appends, 'rx: axa')).valid);
  const late = checkTransactions([
    ...together(...readers, ...appends.slice(1)),
    ...[transaction('axA', [300, 301]), transaction('rx:', [302, 303])],
  ]);
  t.regex(
    'text' in late ? late.text : '',
    /^G-single-real time: a stale read\n.*\n.*\n.*rw\): T.: it did not see A in x, which T. wrote\n/,
  );
});

for (const kind of ['lists', 'registers'] as const) {
  test(`no verdict on small random histories of ${kind} is wrong`, (t) => {
    const random = seededRandom(kind === 'lists' ? 1 : 2);
    const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
    const counts = { valid: 0, found: 0, missed: 0 };
    for (let round = 0; round < 1_500; round++) {
      const calls = randomCalls(kind, pick);
      for (const level of ['strict-serializable', 'serializable', 'snapshot'] as const) {
        const verdict = checkTransactions(calls, { level });
        const isExplained = hasExecution(calls, level);
        if (isExplained && !verdict.valid)
          return t.fail(`round ${round}, ${level}: ${verdict.text}\n${JSON.stringify(calls)}`);
        counts[isExplained ? 'valid' : verdict.valid ? 'missed' : 'found']++;
      }
    }
    t.true(counts.valid > 300 && counts.found > 300, JSON.stringify(counts));
    t.true(counts.missed < counts.found / 20, JSON.stringify(counts));
    t.log(JSON.stringify(counts));
  });
}

/** Returns four transactions with made-up reads of values that are written. */
function randomCalls(
  kind: 'lists' | 'registers',
  pick: <T>(from: readonly T[]) => T,
): TransactionCall[] {
  let written = 0;
  const called = [1, 2, 3, 4].map((number) => pick([number, 10 * number]));
  const commands = called.map(() =>
    Array.from({ length: pick([1, 2, 2, 3]) }, () => {
      const key = pick(['x', 'y']);
      if (pick([true, false])) return { op: 'read' as const, key };
      const op = kind === 'lists' ? ('append' as const) : ('write' as const);
      return { op, key, value: `${++written}` };
    }),
  );
  // The order in which the values of each key appear; reads show a part of it.
  const values = (key: string) =>
    commands
      .flat()
      .flatMap((step) => (step.op !== 'read' && step.key === key ? [step.value] : []))
      .sort(() => pick([-1, 1]));
  const orders: Readonly<Record<string, readonly string[]>> = { x: values('x'), y: values('y') };
  return commands.map((command, index) => {
    const own = new Map<string, string[]>();
    const seen = new Map<string, readonly string[]>();
    const result = command.map((step) => {
      const { key } = step;
      if (step.op !== 'read') {
        own.set(key, [...(own.get(key) ?? []), step.value]);
        return undefined;
      }
      const mine = command.flatMap((each) => (each.op !== 'read' ? [each.value] : []));
      const foreign = orders[key]!.filter((value) => !mine.includes(value));
      const view =
        seen.get(key) ??
        foreign.slice(0, pick(Array.from({ length: foreign.length + 1 }, (_, i) => i)));
      seen.set(key, view);
      const list = [...view, ...(own.get(key) ?? [])];
      return kind === 'lists' ? list : (list.at(-1) ?? null);
    });
    const outcome = pick(['ok', 'ok', 'ok', 'ok', 'ok', 'unknown'] as const);
    const at = called[index]!;
    return {
      client: `c${index}`,
      command,
      outcome,
      result,
      called: at,
      returned: at + 100 * pick([0, 1]) + 5,
    };
  });
}
