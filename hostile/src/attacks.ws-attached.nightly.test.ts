// Runs every attack over ws-attached.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'ws-attached', () => true);
