// Tests of the portable logarithm and exponential. The hashes of golden.test.ts show that both give
// the same bits on every platform.

import test from 'ava';
import { exp, log } from './portable-math.ts';

const close = (a: number, b: number) =>
  a === b || Math.abs(a - b) <= 1e-14 * Math.max(1e-300, Math.abs(b));

test('the logarithm agrees with the platform except for the last bits', (t) => {
  for (let x = 1e-300; x < 1e300; x *= 1.37)
    t.true(
      close(log(x), Math.log(x)) || Math.abs(log(x) - Math.log(x)) < 1e-15,
      `log(${x}) = ${log(x)}`,
    );
  t.is(log(1), 0);
  t.is(log(2), Math.LN2);
});

test('the exponential agrees with the platform except for the last bits', (t) => {
  for (let x = -700; x < 700; x += 0.37)
    t.true(close(exp(x), Math.exp(x)), `exp(${x}) = ${exp(x)}`);
  t.is(exp(0), 1);
  t.is(exp(-1_000), 0);
  t.is(exp(1_000), Number.POSITIVE_INFINITY);
});
