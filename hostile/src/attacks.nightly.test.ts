// Runs the attacks that the tests of a commit leave out: floods, and those that are heavy, wait for
// a deadline of the victim, or need a victim of their own.

import test from 'ava';
import { attackTests, isShort } from './testing/attack-tests.ts';

attackTests(test, (attack) => !isShort(attack));
