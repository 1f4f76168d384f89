// Runs the attacks over tcp that the tests of a commit leave out because they are heavy or wait for a
// deadline of the victim.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'tcp', ({ isSlow, isHeavy }) => isSlow === true || isHeavy === true);
