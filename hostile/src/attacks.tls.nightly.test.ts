// Runs every attack over tls.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'tls', () => true);
