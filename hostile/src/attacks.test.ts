// Runs the attacks on plain TCP that are neither heavy nor slow, with little effort. A quick run
// takes a third of them.

import test from 'ava';
import { attackTests, isInThird } from './testing/attack-tests.ts';

attackTests(
  test,
  'tcp',
  ({ isSlow, isHeavy }, index) => isSlow !== true && isHeavy !== true && isInThird(index),
);
