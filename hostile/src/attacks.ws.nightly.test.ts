// Runs every attack over ws.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'ws', () => true);
