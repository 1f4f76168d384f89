// Tests of the portable logarithm and exponential.

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

test('both give the recorded bits on every platform', (t) => {
  const bits = (x: number) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    return view.getBigUint64(0).toString(16);
  };
  t.deepEqual(
    [0.1, 0.7, 3, 12345.678].map((x) => bits(log(x))),
    WRITTEN_LOG,
  );
  t.deepEqual(
    [-3.2, 0.1, 1, 20.5].map((x) => bits(exp(x))),
    WRITTEN_EXP,
  );
});

const WRITTEN_LOG = [
  'c0026bb1bbb55515',
  'bfd6d3c324e13f4f',
  '3ff193ea7aad030a',
  '4022d79559791e31',
];
const WRITTEN_EXP = [
  '3fa4dec899fffb46',
  '3ff1aec7b35a00d4',
  '4005bf0a8b14576a',
  '41c7d6c4f0bcdd5c',
];
