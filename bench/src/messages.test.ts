import test from 'ava';
import { answer, check, numbered, SmallMessages } from './messages.ts';

const large = 100_000;

test('an answer passes the check, of a small message and of a large one', (t) => {
  for (const request of [numbered(64, 4_095), numbered(large, 2)]) t.notThrows(() => check(request, answer(request)));
});

test('the answer to another call is noticed', (t) => {
  const messages = new SmallMessages(64);
  const requests = Array.from({ length: 4_096 }, () => messages.take());
  const [first, ...others] = requests as [Uint8Array, ...Uint8Array[]];
  for (const other of others) t.throws(() => check(first, answer(other)), { message: /a wrong answer/ });
  t.throws(() => check(numbered(large, 1), answer(numbered(large, 2))), { message: /a wrong answer/ });
});

test('an answer that was cut is noticed', (t) => {
  const request = numbered(64, 1);
  t.throws(() => check(request, answer(request).subarray(0, 63)), { message: /63 bytes/ });
  t.throws(() => check(numbered(large, 1), answer(numbered(large - 1, 1))), { message: /a wrong answer/ });
});
