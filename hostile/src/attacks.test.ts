// Runs the attacks on plain TCP that are neither heavy nor slow, with little effort.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'tcp', ({ isSlow, isHeavy }) => isSlow !== true && isHeavy !== true);
