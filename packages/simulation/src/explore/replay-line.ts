// Replay lines: a shell command at the end of each failure, which runs the same seed of the
// scenario again with the smallest schedule found.

import { type LinkTrouble, TROUBLES } from './link-troubles.ts';
import { atExit, commandLine, environment } from './runtime.ts';

/** A run of a scenario, as named by `SEED` in the environment. */
export interface Replay {
  readonly scenario: string;
  readonly seed: number;
  /** The name of the profile; undefined for the one that the seed has in the search, if any. */
  readonly profile: string | undefined;
  /** Positions, in the planned list, of the faults to inject. Undefined means all of them. */
  readonly only: readonly number[] | undefined;
  /** The disturbances to remove from the link. */
  readonly without: readonly LinkTrouble[];
}

/**
 * Returns a replay line, for example 'SEED=election:3:2,5-7 npm test'. `command` is the command
 * that runs the search; default: the one that is running.
 */
export function replayLine(replay: Replay, command = runningCommand()): string {
  return `SEED=${quoted(replayText(replay))} ${command}`;
}

/**
 * Formats the value of SEED: scenario, seed, profile, faults, and the disturbances removed from the
 * link. Examples: 'election:3', 'election:3:2,5-7', 'election:3@loss:none-loss-burst',
 * 'election:3:all-loss'.
 */
function replayText({ scenario, seed, profile, only, without }: Replay): string {
  const faults = only === undefined ? (without.length === 0 ? undefined : 'all') : ranges(only);
  const run = profile === undefined ? seed : `${seed}@${profile}`;
  return [scenario, run, ...(faults === undefined ? [] : [[faults, ...without].join('-')])].join(
    ':',
  );
}

/**
 * Returns the run that SEED in the environment asks for, or undefined if SEED is not set. If no
 * search of the name in SEED calls this, for example because the name is misspelled, a message at
 * the end of the thread says so.
 *
 * @throws TypeError if SEED does not name a scenario and a seed.
 */
export function environmentReplay(scenario: string): Replay | undefined {
  const text = environment('SEED');
  if (text === undefined || text === '') return undefined;
  const match =
    /^([^:]+):(-?\d+)(?:@(\w+))?(?::(all|none|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)((?:-[a-z]+)*))?$/.exec(
      text,
    );
  const seed = Number(match?.[2]);
  const without = (match?.[5] ?? '').split('-').filter((word) => word !== '') as LinkTrouble[];
  if (
    match === null ||
    !Number.isSafeInteger(seed) ||
    !without.every((word) => TROUBLES.includes(word))
  ) {
    const example = `${scenario}:${/^-?\d+$/.test(text) ? text : '7'}`;
    throw new TypeError(
      `explore: SEED in the environment must name a scenario and its seed, as the replay line of a failure does: SEED=${quoted(example)}; got ${JSON.stringify(text)}`,
    );
  }
  const name = match[1]!;
  if (searches.size === 0) atExit(reportMissed);
  searches.set(name, (searches.get(name) ?? new Set()).add(scenario));
  return {
    scenario: name,
    seed,
    profile: match[3],
    only: match[4] === undefined || match[4] === 'all' ? undefined : places(match[4]),
    without,
  };
}

/** The searches of this thread, by the name that SEED had when they began. */
const searches = new Map<string, Set<string>>();

function reportMissed(): void {
  for (const [asked, ran] of searches)
    if (!ran.has(asked))
      // biome-ignore lint/style/noRestrictedGlobals: a search has no observer
      console.error(
        `explore: SEED asks for the search ${JSON.stringify(asked)}, which did not run here; these ran: ${[...ran].join(', ')}`,
      );
}

/** Formats [2, 5, 6, 7] as '2,5-7'. */
function ranges(numbers: readonly number[]): string {
  const parts: [first: number, last: number][] = [];
  for (const number of numbers) {
    const open = parts.at(-1);
    if (open !== undefined && open[1] === number - 1) open[1] = number;
    else parts.push([number, number]);
  }
  return (
    parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',') ||
    'none'
  );
}

function places(text: string): number[] {
  if (text === 'none') return [];
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    return Array.from(
      { length: Math.min(last - first + 1, MOST_FAULTS) },
      (_, index) => first + index,
    );
  });
}

/**
 * Returns the command that started this process: the command of its package script, or its command
 * line.
 *
 * @param words the program, its flags, the script, and its arguments.
 */
export function runningCommand(words: readonly string[] = commandLine()): string {
  const script = environment('npm_lifecycle_event') ?? '';
  const isScript = script !== '' && script !== 'npx' && environment('npm_command') !== 'exec';
  return (isScript ? scriptWords(script, words) : programWords(words)).map(quoted).join(' ');
}

/**
 * The command of a package script and the arguments added to it, such as `npm test` or
 * `npx pnpm@12 sim --nodes 5`.
 */
function scriptWords(script: string, [, ...words]: readonly string[]): string[] {
  const [file = '', ...args] = words.slice(words.findIndex((word) => !word.startsWith('-')));
  const [, manager = 'npm', major] =
    /^(\w+)\/(\d+)/.exec(environment('npm_config_user_agent') ?? '') ?? [];
  const isFetched = /[\\/](?:_npx|dlx)[\\/]/.test(environment('npm_execpath') ?? '');
  const run = isFetched ? ['npx', `${manager}@${major}`] : [manager];
  const line = script === 'test' || manager !== 'npm' ? [...run, script] : [...run, 'run', script];
  const text = environment('npm_lifecycle_script') ?? '';
  // If the script's program has started this process, the arguments are not those of the script.
  if (!text.includes(programOf(file))) return line;
  // npm appends added arguments after the script's own ones.
  let own = args.length;
  while (own > 0 && !text.trimEnd().endsWith(args.slice(0, own).join(' '))) own--;
  const added = args.slice(own);
  if (added.length === 0) return line;
  return manager === 'npm' ? [...line, '--', ...added] : [...line, ...added];
}

/** The command of a program, such as `node search.js` or `npx ava search.test.js`. */
function programWords([node = 'node', ...rest]: readonly string[]): string[] {
  const at = rest.findIndex((word) => !word.startsWith('-'));
  const file = rest[at] ?? '';
  // A worker process of a test runner lacks the runner's arguments.
  if (isInstalled(file) && /\b(?:worker|child|fork)/i.test(file)) return ['npx', programOf(file)];
  if (at === 0 && isInstalled(file)) return ['npx', programOf(file), ...rest.slice(1)];
  return [node.replace(/^.*[\\/]/, ''), ...rest];
}

function isInstalled(file: string): boolean {
  return /[\\/]node_modules[\\/]/.test(file);
}

/**
 * The name of a program: 'ava' for node_modules/ava/entrypoints/cli.mjs and node_modules/.bin/ava,
 * otherwise the name of the file.
 */
function programOf(file: string): string {
  const tail = file.split(/[\\/]node_modules[\\/]/).at(-1)!;
  const [scope = '', name = ''] = tail.split(/[\\/]/);
  if (!isInstalled(file)) return file.replace(/^.*[\\/]/, '');
  return scope === '.bin' || scope.startsWith('@') ? name : scope;
}

/** Quotes a word for a POSIX shell if necessary. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Maximum number of faults in one range of SEED. */
const MOST_FAULTS = 1_000_000;
