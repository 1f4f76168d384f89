// Runs the attacks on plain TCP that repeat a single message. They share a victim with default
// options.

import test from 'ava';
import { attackTests, isShort } from './testing/attack-tests.ts';

attackTests(test, 'tcp', isShort);
