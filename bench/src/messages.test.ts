// Tests that wrong replies are noticed.

import test from 'ava';
import { answer, check, Messages, numbered } from './messages.ts';

const large = 300_000;

test('a correct answer passes the check, for small and large messages', (t) => {
  for (const request of [numbered(64, 4_095), numbered(large, 2)])
    t.notThrows(() => check(request, answer(request)));
});

test('the answer to another call is detected', (t) => {
  for (const size of [64, 1_024, 65_536]) {
    const messages = new Messages(size, 16);
    const requests = Array.from({ length: 32 }, () => messages.take());
    const [first, ...others] = requests as [Uint8Array, ...Uint8Array[]];
    for (const other of others)
      t.throws(() => check(first, answer(other)), { message: /a wrong answer/ });
  }
  t.throws(() => check(numbered(large, 1), answer(numbered(large, 2))), {
    message: /a wrong answer/,
  });
});

test('a truncated answer is detected', (t) => {
  const request = numbered(64, 1);
  t.throws(() => check(request, answer(request).subarray(0, 63)), { message: /63 bytes/ });
  t.throws(() => check(numbered(large, 1), answer(numbered(large - 1, 1))), {
    message: /a wrong answer/,
  });
});

test('the middle of a reply is compared for one reply in sixteen', (t) => {
  const messages = new Messages(1_024, 1);
  const request = messages.take();
  const bent = request.with(500, request[500]! ^ 1);
  for (let i = 0; i < 15; i++) t.notThrows(() => messages.check(request, bent));
  t.throws(() => messages.check(request, bent), {
    message: /differ from those of the request in the middle/,
  });
});

test('the receipt of a large message reveals a piece that is lost or out of place', (t) => {
  const request = numbered(large, 1);
  const piece = 64 * 1024;
  const blank = request.slice().fill(0, piece, 2 * piece);
  const swapped = request.slice();
  swapped.set(request.subarray(piece, 2 * piece), 2 * piece);
  swapped.set(request.subarray(2 * piece, 3 * piece), piece);
  for (const bent of [blank, swapped])
    t.throws(() => check(request, answer(bent)), { message: /a wrong answer/ });
});
