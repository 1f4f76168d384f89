// Runs the programs in the texts that search with thousands of runs.

import test from 'ava';
import { findPrograms, isSearch, testProgram } from './programs.ts';

for (const program of findPrograms())
  if (isSearch(program))
    test.serial(`${program.where} runs and exits by itself`, (t) => testProgram(t, program));
