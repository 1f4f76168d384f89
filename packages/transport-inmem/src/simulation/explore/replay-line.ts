// The line that a failure ends with: pasted into a shell, it runs that seed again.

import { commandArguments, environment } from './host.ts';

/** 'SEED=7 npx pnpm@12 test': `command` is what runs the search, by default the script of package.json that runs now, with its arguments. */
export function replayLine(seed: number, command = runningScript()): string {
  return `SEED=${seed} ${command}`;
}

/** The seed that the environment asks for in SEED. @throws TypeError where that is no integer. */
export function environmentSeed(): number | undefined {
  const text = environment('SEED');
  if (text === undefined || text === '') return undefined;
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new TypeError(`explore: SEED in the environment must be an integer, got ${JSON.stringify(text)}`);
  return seed;
}

function runningScript(): string {
  const script = environment('npm_lifecycle_event');
  // npx says its own name.
  const name = script === undefined || script === '' || script === 'npx' ? 'test' : script;
  return ['npx pnpm@12', name, ...commandArguments()].map((word, index) => (index === 0 ? word : quoted(word))).join(' ');
}

/** As a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
