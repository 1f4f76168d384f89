// Runs every attack over noise.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'noise', () => true);
