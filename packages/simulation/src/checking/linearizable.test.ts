// Tests of the linearizability check on small hand-written histories, compared with brute force.

import test, { type ExecutionContext } from 'ava';
import { createHistory, type History } from './history.ts';
import { checkLinearizable } from './linearizable.ts';
import { hasOrder } from './testing/brute-force.ts';

/**
 * Parses a history in short form: `c1 set x a` is a call, `c1 = a` answers the last call of c1,
 * `c1 !` fails it, and `c1 ?` gives it up. `-` stands for an absent value.
 */
function historyOf(text: string): History {
  const history = createHistory();
  const last = new Map<string, ReturnType<History['call']>>();
  const value = (word: string) => (word === '' || word === '-' ? undefined : word);
  for (const line of text.split(/;\s*/)) {
    const [client = '', op, key = '', first = '', second = ''] = line.split(/\s+/);
    const handle = last.get(client)!;
    if (op === '=')
      handle.ok((/^(?:true|false|null)$/.test(key) ? JSON.parse(key) : value(key)) as undefined);
    else if (op === '!') handle.fail();
    else if (op === '?') handle.unknown();
    else if (op === undefined) continue;
    else if (op === 'set') last.set(client, history.call(client, { key, op, value: first }));
    else if (op === 'cas')
      last.set(client, history.call(client, { key, op, expected: value(first), value: second }));
    else last.set(client, history.call(client, { key, op: op as 'get' | 'delete' }));
  }
  return history;
}

/**
 * Judges histories in short form, one in each line. A line is linearizable unless it is followed by
 * `! n why`: it has a counter-example of n operations, whose text ends with the reason.
 */
const judge =
  (t: ExecutionContext) =>
  (texts: TemplateStringsArray, ...values: unknown[]) => {
    const text = String.raw(texts, ...values);
    for (const [, history, count, why] of text.matchAll(/^ *(.+)\n(?: *! (\d+) (.+)\n)?/gm)) {
      const verdict = checkLinearizable(historyOf(history!));
      t.is(hasOrder(historyOf(history!).operations), count === undefined, history);
      if (count === undefined) t.true(verdict.linearizable, history);
      else if (verdict.linearizable !== false) t.fail(`found linearizable: ${history}`);
      else {
        t.is(verdict.text.split('\n').at(-1), why);
        t.is(verdict.operations.length, Number(count), verdict.text);
        t.false(hasOrder(verdict.operations));
      }
    }
  };

const REST = 'and no order of these operations explains that; without this operation there is one';

test('an empty history and operations of a single client are linearizable', (t) => {
  t.deepEqual(checkLinearizable([]), { linearizable: true, configurations: 0 });
  judge(t)`
    a get x; a = -; a set x 1; a = null; a get x; a = 1; a cas x 1 2; a = true; a cas x 1 3; a = false; a delete x; a = true; a delete x; a = false
  `;
});

test('a stale read is not linearizable', (t) => {
  const before = 'a set x 1; a =; b get x; b = 1; a set x 2; a =;';
  judge(t)`
    ${before} b get x; b = 2
    ${before} c set x 3; c ?; b get x; b = 1; a get x; a = 3
    ! 3 b get x -> '1' returned after set x '2' by a had completed, and nothing wrote '1' since
    a set x 1; a =; a set x 2; b get x; b = 1; a =
  `;
});

test('a lost write is not linearizable', (t) => {
  judge(t)`
    a set x 1; a =; b get x; b = -
    ! 2 b get x -> absent returned after set x '1' by a had completed, and nothing wrote absent since
    a set x 1; b set x 2; a =; b =; c get x; c = -
    ! 2 c get x -> absent returned after set x '2' by b had completed, and nothing wrote absent since
  `;
});

test('a read of a value that nobody wrote, or wrote only later, is not linearizable', (t) => {
  judge(t)`
    a set x 1; a =; b get x; b = 7
    ! 1 b get x -> '7' returned, though nothing had written '7'
    b get x; b = 1; a set x 1; a =
    ! 1 b get x -> '1' returned, though nothing had written '1'
    a set x 1; a !; b get x; b = 1
    ! 1 b get x -> '1' returned, though nothing had written '1'
    b get x; a set x 1; b = 1; a =
  `;
});

test('two reads that go back in time are not linearizable', (t) => {
  const before = 'w set x 1; w =; w set x 2; a get x; a = 2;';
  judge(t)`
    ${before} b get x; b = 2; w =
    ${before} b get x; b = 1; w =
    ! 4 b get x -> '1' returned after get x -> '2' by a had completed, and nothing wrote '1' since
    w set x 1; w =; w set x 2; a get x; b get x; a = 2; b = 1; w =
  `;
});

test('concurrent writes take effect in either order, but in one', (t) => {
  for (const [first, second] of [
    [1, 2],
    [2, 1],
  ])
    judge(t)`
      a set x 1; b set x 2; a =; b =; c get x; c = ${second}; d get x; d = ${second}
      a set x 1; b set x 2; c get x; c = ${first}; a =; b =; d get x; d = ${second}
      a set x 1; b set x 2; a =; b =; c get x; c = ${first}; d get x; d = ${second}
      ! 4 d get x -> '${second}' returned after get x -> '${first}' by c had completed, and nothing wrote '${second}' since
    `;
});

test('a write of unknown outcome may take effect later, once', (t) => {
  for (const lost of ['a ?', 'q get x']) {
    const before = `a set x 1; a =; b set x 2; b =; a set x 3; ${lost}; c get x; c = 2;`;
    judge(t)`
      ${before}
      ${before} d get x; d = 3
      ${before} d get x; d = 3; d set x 4; d =; d get x; d = 4
      ${before} d get x; d = 3; d set x 4; d =; d get x; d = 4; d get x; d = 3
      ! 4 d get x -> '3' returned after set x '4' by d had completed, though '3' was written only once, and get x -> '3' by d had seen that before
      ${before} d get x; d = 3; e get x; e = 2
      ! 4 e get x -> '2' returned after get x -> '3' by d had completed, and nothing wrote '2' since
    `;
  }
});

test('a delete returns whether there was a value, and takes effect once', (t) => {
  judge(t)`
    a set x 1; a =; a delete x; b get x; b = -; a = true; b get x; b = -
    a set x 1; a =; a delete x; a ?; b get x; b = 1; b get x; b = -
    a set x 1; a =; a delete x; a = true; b get x; b = 1
    ! 3 b get x -> '1' returned after delete x -> true by a had completed, and nothing wrote '1' since
    a delete x; a = true
    ! 1 a delete x -> true returned, though nothing had written anything but absent
    a set x 1; a =; b delete x; b = false
    ! 2 b delete x -> false returned after set x '1' by a had completed, and nothing wrote absent since
    a set x 1; a =; b delete x; c delete x; b = true; c = true
    ! 3 c delete x -> true returned, ${REST}
  `;
});

test('a cas takes effect if it finds the expected value', (t) => {
  judge(t)`
    a cas x - 1; b cas x - 2; a = true; b = false; c get x; c = 1
    a cas x - 1; b cas x 1 2; b = true; a = true
    a set x 1; a =; b cas x 1 2; b ?; c get x; c = 1; d get x; d = 2
    a cas x - 1; b cas x - 2; a = true; b = true
    ! 2 b cas x absent => '2' -> true returned, ${REST}
    a set x 1; a =; b cas x 1 2; b = false
    ! 2 b cas x '1' => '2' -> false returned after set x '1' by a had completed, and nothing wrote anything but '1' since
    a set x 1; a =; b cas x 3 2; b ?; c get x; c = 2
    ! 2 c get x -> '2' returned, ${REST}
  `;
});

test('a set may return the previous value', (t) => {
  judge(t)`
    a set x 1; a = null; b set x 2; c set x 3; b = 3; c = 1
    a set x 1; a =; b set x 2; b = null
    ! 2 b set x '2' -> ok, was absent returned after set x '1' by a had completed, and nothing wrote absent since
    b set x 2; b = 7
    ! 1 b set x '2' -> ok, was '7' returned, though nothing had written '7'
  `;
});

test('a value that was written twice may be read again', (t) => {
  const before = 'a set x 1; a =; b set x 2; b =;';
  judge(t)`
    ${before} c set x 1; d get x; d = 1; d get x; d = 1; c =
    ${before} c set x 1; c ?; d get x; d = 2; d get x; d = 1
    ${before} c set x 1; d get x; d = 1; d set x 3; d =; d get x; d = 1; c =
    ! 4 d get x -> '1' returned, ${REST}
    a set x 1; c get x; b set x 1; a =; b =; c = 1; c set x 1; c =
  `;
});

test('an excused write can be taken just before its return', (t) => {
  judge(t)`
    c8 set x v2; c2 set x v4; c1 set x v5; c8 = v4; c1 =; c9 get x; c9 = v5
    c0 set x 1; c1 set x 0; c0 =; c0 set x 0; c2 set x 1; c1 =; c0 =; c1 set x 1; c1 = 0; c2 = 0
  `;
});

test('each key is judged by itself, and the first that fails is reported', (t) => {
  const text = 'a set x 1; b set y 1; a =; b =; a get y; a = 1; b get x; b = 1; c get z; c = -';
  t.true(checkLinearizable(historyOf(text)).linearizable);
  const verdict = checkLinearizable(historyOf(`${text}; c get z; c = 5; a get y; a = -`));
  t.like(verdict, { linearizable: false, key: 'y' });
});

test('at the limit the text says how much some order explains', (t) => {
  const verdict = checkLinearizable(
    historyOf(
      'a set x 1; b set x 2; a =; b =; c set x 3; d set x 4; c =; d =; a get x; a = 3; b get x; b = 3',
    ),
    { limit: 1 },
  );
  t.regex(
    'text' in verdict ? verdict.text : '',
    /^undecided: key x, the limit of 1 was reached: some order explains the first \d of its 6 completed/,
  );
});

test('the text is a table in order of call, with times if they were given', (t) => {
  const clock = { now: 0 };
  const history = createHistory(clock);
  const set = history.call('writer', { key: 'x', op: 'set', value: "it's" });
  clock.now = 12.5001;
  set.ok();
  history.call('lost', { key: 'x', op: 'delete' });
  clock.now = 14;
  const cas = history.call('c', { key: 'x', op: 'cas', expected: "it's", value: 'b' });
  clock.now = 15;
  cas.ok(true);
  const read = history.call('r', { key: 'x', op: 'get' });
  clock.now = 18;
  read.ok("it's");
  const verdict = checkLinearizable(history);
  if (verdict.linearizable !== false) return t.fail();
  t.deepEqual(verdict.text.split('\n'), [
    'not linearizable: key x, 3 of its 4 operations: client, operation -> result, [call..return]',
    "  writer  set x 'it's' -> ok           [1..2] 0..12.5 ms",
    "  c       cas x 'it's' => 'b' -> true  [4..5] 14..15 ms *",
    "  r       get x -> 'it's'              [6..7] 15..18 ms",
    '  * its write alone violates linearizability, whatever it read',
    "r get x -> 'it's' returned after cas x 'it's' => 'b' -> true by c had completed, and nothing wrote 'it's' since",
  ]);
  t.deepEqual(verdict.operations, [
    history.operations[0]!,
    history.operations[2]!,
    history.operations[3]!,
  ]);
});

test('a history is cut at its first failure, and pending operations there are open', (t) => {
  const verdict = checkLinearizable(
    historyOf('w set x 1; w =; w set x 2; a get x; a = 2; b get x; b = 1; w =; c get x; c = 9'),
  );
  if (verdict.linearizable !== false) return t.fail();
  t.deepEqual(
    verdict.operations.map(({ outcome }) => outcome),
    ['ok', 'open', 'ok', 'ok'],
  );
});
