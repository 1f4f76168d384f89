// Tests the checks of Raft's guarantees with reports made by hand.

import test from 'ava';
import { LAWS, Laws } from './laws.ts';

const entry = (term: number, text: string) => ({ term, command: new TextEncoder().encode(text) });
const result = new Uint8Array([1]);

function lawsAnd() {
  const breaches: string[] = [];
  return {
    laws: new Laws((law) => void breaches.push(law)),
    broken: () => breaches.splice(0),
  };
}

test('a term has one leader, however often it announces itself', (t) => {
  const { laws, broken } = lawsAnd();
  laws.leads('a', 'a 1', 1, 0, () => undefined);
  laws.leads('a', 'a 1', 1, 0, () => undefined);
  laws.leads('b', 'b 1', 2, 0, () => undefined);
  t.deepEqual(broken(), []);
  laws.leads('c', 'c 1', 2, 0, () => undefined);
  t.deepEqual(broken(), [LAWS.leader]);
});

test('equal index and term mean an equal command and an equal term before', (t) => {
  const { laws, broken } = lawsAnd();
  const known = laws.saves('a', 2, entry(1, 'x'), 1);
  t.is(laws.saves('b', 2, entry(1, 'x'), undefined), known);
  t.not(laws.saves('b', 2, entry(2, 'y'), 1), known);
  t.deepEqual(broken(), []);
  laws.saves('c', 2, entry(1, 'z'), 1);
  laws.saves('c', 2, entry(1, 'x'), 0);
  t.deepEqual(broken(), [LAWS.matching, LAWS.matching]);
});

test('an applied entry is applied by all with the same result, and every later leader has it', (t) => {
  const { laws, broken } = lawsAnd();
  const first = laws.saves('a', 1, entry(1, 'x'), 0);
  const other = laws.saves('b', 1, entry(2, 'y'), 0);
  laws.applies('a', 1, first, result);
  laws.applies('b', 3, first, result);
  laws.leads('b', 'b 1', 2, 0, () => first);
  laws.leads('c', 'c 1', 1, 0, () => undefined); // Its term is older.
  laws.leads('d', 'd 1', 4, 1, () => undefined); // Its snapshot contains the entry.
  laws.snapshot('a', 1, 1, result);
  t.deepEqual(broken(), []);
  laws.applies('b', 3, first, new Uint8Array([2]));
  laws.applies('b', 3, other, result);
  laws.leads('c', 'c 1', 3, 0, () => other);
  laws.snapshot('b', 1, 1, new Uint8Array([2]));
  laws.snapshot('b', 1, 2, result);
  laws.snapshot('b', 2, 2, result);
  laws.applies('b', 3, laws.saves('b', 3, entry(3, 'z'), 3), result);
  t.deepEqual(broken(), [
    LAWS.machine,
    LAWS.complete,
    LAWS.complete,
    LAWS.machine,
    LAWS.complete,
    LAWS.machine,
    LAWS.machine,
  ]);
});
