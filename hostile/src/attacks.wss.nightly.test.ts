// Runs every attack over wss.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'wss', () => true);
