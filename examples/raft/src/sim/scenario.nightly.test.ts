// Runs Raft under each nemesis with more seeds than the tests of a commit, and on both levels.

import test from 'ava';
import { nemesisCases } from './testing/nemesis-cases.ts';

for (const level of ['message', 'stream'] as const)
  nemesisCases(test, { level, from: 1, seeds: 5 });
