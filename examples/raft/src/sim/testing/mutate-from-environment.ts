// For `node --import`: applies the edits of a mutant, given as JSON in the environment variable
// MUTANT.

import { mutate } from './hooks.ts';

mutate(JSON.parse(process.env['MUTANT'] ?? '[]'));
