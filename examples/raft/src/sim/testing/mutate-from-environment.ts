// For `node --import`: the edits of a mutant, as JSON in the environment.

import { mutate } from './hooks.ts';

mutate(JSON.parse(process.env['MUTANT'] ?? '[]'));
