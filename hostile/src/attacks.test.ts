// Runs the attacks on plain TCP that are neither heavy nor slow, with little effort: those on a victim
// with default options, which all of them share.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(
  test,
  'tcp',
  ({ isSlow, isHeavy, victim, shortVictim }) =>
    isSlow !== true && isHeavy !== true && victim === undefined && shortVictim === undefined,
);
