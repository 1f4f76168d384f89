// Reads the mutants from the .txt files of this folder. A mutant is an edit of one line:
//
//   ## packages/gossip/src/topics/dedup.ts             the edited file, for all mutants below it
//   A message that is known is not delivered again.    the rule that the edit breaks
//   - if (this.#known.has(id)) return;                 the text; it occurs only once in the file
//   + if (false) return;                               what replaces it; may be empty
//   ! topics/dedup.test.ts: a second copy is dropped   the file and the title of a test that fails
//
// The file of a test is below the package's `src` folder, or begins with `packages/`, `examples/` or
// another folder of the root. Of a file that runs a suite on a backend, only the named test runs.
// Instead of `!`, a line with `?` says why no test kills the mutant. Lines between mutants may be
// empty. The mutants whose rule begins with `* ` run for each commit.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseCommit, root } from '../scripts/workspace.mjs';

const all = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.txt'))
  .sort()
  .flatMap((name) => parse(name, readFileSync(join(import.meta.dirname, name), 'utf8')));

/** The mutants that a test kills. */
export const MUTANTS = all.filter(({ killer }) => killer !== undefined);

/** The mutants that no test kills, each with a `note` instead of a `killer`. */
export const SURVIVORS = all.filter(({ killer }) => killer === undefined);

/** Returns the files that this branch or, on the main branch, the last commit changed. */
export function changedFiles() {
  const base = baseCommit();
  if (base === undefined) return new Set();
  const args = ['diff', '--name-only', base];
  return new Set(execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n'));
}

function parse(name, text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const mutants = [];
  for (let file; lines.length > 0; ) {
    if (lines[0].startsWith('## ')) file = lines.shift().slice(3);
    const [title = '', from = '', to = '', end = ''] = lines.splice(0, 4);
    if (
      file === undefined ||
      /^(## |[-+!?] )/.test(title) ||
      !from.startsWith('- ') ||
      !/^\+( |$)/.test(to) ||
      !/^! \S+\.test\.ts: .|^\? ./.test(end)
    ) {
      const part = [title, from, to, end].join('\n');
      throw new Error(`mutants/${name}: expected a rule and lines with -, + and !, got\n${part}`);
    }
    const isFixed = title.startsWith('* ');
    const mutant = { rule: isFixed ? title.slice(2) : title, file, isFixed };
    Object.assign(mutant, { from: from.slice(2), to: to.slice(2) });
    if (end.startsWith('? ')) {
      mutants.push({ ...mutant, note: end.slice(2) });
      continue;
    }
    const [, path, test] = /^! (\S+): (.*)$/.exec(end);
    const isInSource = !/^(packages|examples|hostile|evaluation|bench|fuzz|browser)\//.test(path);
    const src = file.slice(0, file.indexOf('/src/') + 5);
    mutants.push({ ...mutant, killer: { file: isInSource ? src + path : path, title: test } });
  }
  return mutants;
}
