// Runs the attacks over tcp that the tests of a commit leave out: they are heavy, wait for a deadline
// of the victim, or need a victim of their own.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(
  test,
  'tcp',
  ({ isSlow, isHeavy, victim, shortVictim }) =>
    isSlow === true || isHeavy === true || victim !== undefined || shortVictim !== undefined,
);
