import test from 'ava';
import { decay, logarithm } from './portable-math.ts';

test('decay and logarithm agree with Math to twelve digits', (t) => {
  for (let i = 1; i < 2_000; i++) {
    const x = i / 37;
    t.true(Math.abs(decay(x) / Math.exp(-x) - 1) < 1e-12, `e^-${x}`);
    t.true(Math.abs(logarithm(x) - Math.log(x)) < 1e-12, `ln ${x}`);
  }
  t.is(decay(0), 1);
  t.is(decay(1_000), 0);
  t.true(Math.abs(logarithm(1e-9) - Math.log(1e-9)) < 1e-12);
});
