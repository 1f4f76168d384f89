// The brief attacks on bare TCP, and the others with little effort.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'tcp', ({ isSlow, isHeavy }) => isSlow !== true && isHeavy !== true);
