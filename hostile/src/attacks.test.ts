// Runs the attacks that repeat a single message. Those on one carrier share a victim with default
// options.

import test from 'ava';
import { attackTests, isShort } from './testing/attack-tests.ts';

attackTests(test, isShort);
