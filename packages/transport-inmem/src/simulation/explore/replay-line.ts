// The line that a failure ends with: pasted into a shell, it runs that seed of that scenario again, under the smallest plan that was found.

import { commandLine, environment } from './host.ts';
import { TROUBLES, type Trouble } from './troubles.ts';

/** A run of a scenario, as `SEED` in the environment names it. */
export interface Replay {
  readonly scenario: string;
  readonly seed: number;
  /** The places of the faults that happen, in the list that is planned. Undefined: all of them. */
  readonly only: readonly number[] | undefined;
  /** What is taken from the link. */
  readonly without: readonly Trouble[];
}

/** 'SEED=election:3:2,5-7 npm test'. `command` is what runs the search: by default the command that runs now. */
export function replayLine(replay: Replay, command = runningCommand()): string {
  return `SEED=${quoted(replayText(replay))} ${command}`;
}

/** 'election:3', 'election:3:2,5-7', 'election:3:none-loss-burst', 'election:3:all-loss': scenario, seed, faults, and what the link is without. */
function replayText({ scenario, seed, only, without }: Replay): string {
  const faults = only === undefined ? (without.length === 0 ? undefined : 'all') : ranges(only);
  return [scenario, seed, ...(faults === undefined ? [] : [[faults, ...without].join('-')])].join(':');
}

/**
 * The run that the environment asks for in SEED; undefined if it asks for none.
 * @throws TypeError if SEED does not name a scenario and a seed.
 */
export function environmentReplay(scenario: string): Replay | undefined {
  const text = environment('SEED');
  if (text === undefined || text === '') return undefined;
  const match = /^([^:]+):(-?\d+)(?::(all|none|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)((?:-[a-z]+)*))?$/.exec(text);
  const seed = Number(match?.[2]);
  const without = (match?.[4] ?? '').split('-').filter((word) => word !== '') as Trouble[];
  if (match === null || !Number.isSafeInteger(seed) || !without.every((word) => TROUBLES.includes(word))) {
    const example = `${scenario}:${/^-?\d+$/.test(text) ? text : '7'}`;
    throw new TypeError(
      `explore: SEED in the environment must name a scenario and its seed, as a failure's replay line does: SEED=${quoted(example)}; got ${JSON.stringify(text)}`,
    );
  }
  return { scenario: match[1]!, seed, only: match[3] === undefined || match[3] === 'all' ? undefined : places(match[3]), without };
}

/** [2, 5, 6, 7] as '2,5-7'. */
function ranges(numbers: readonly number[]): string {
  const parts: [first: number, last: number][] = [];
  for (const number of numbers) {
    const open = parts.at(-1);
    if (open !== undefined && open[1] === number - 1) open[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',') || 'none';
}

function places(text: string): number[] {
  if (text === 'none') return [];
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: Math.min(last - first + 1, MOST_FAULTS) }, (_, index) => first + index);
  });
}

/**
 * The command that this process was started by: its package script, or its own command line.
 * @param words the program, its flags, the script, and its arguments.
 */
export function runningCommand(words: readonly string[] = commandLine()): string {
  const script = environment('npm_lifecycle_event') ?? '';
  const isScript = script !== '' && script !== 'npx' && environment('npm_command') !== 'exec';
  return (isScript ? scriptWords(script, words) : programWords(words)).map(quoted).join(' ');
}

/** `npm test`, `npx pnpm@12 sim --nodes 5`: the script, and the arguments that were added to it. */
function scriptWords(script: string, [, ...words]: readonly string[]): string[] {
  const [file = '', ...args] = words.slice(words.findIndex((word) => !word.startsWith('-')));
  const [, manager = 'npm', major] = /^(\w+)\/(\d+)/.exec(environment('npm_config_user_agent') ?? '') ?? [];
  const isFetched = /[\\/](?:_npx|dlx)[\\/]/.test(environment('npm_execpath') ?? '');
  const run = isFetched ? ['npx', `${manager}@${major}`] : [manager];
  const line = script === 'test' || manager !== 'npm' ? [...run, script] : [...run, 'run', script];
  const text = environment('npm_lifecycle_script') ?? '';
  // A process that the script's own program has started has arguments of its own.
  if (!text.includes(programOf(file))) return line;
  // npm appends what was added; the script's own arguments stand before.
  let own = args.length;
  while (own > 0 && !text.trimEnd().endsWith(args.slice(0, own).join(' '))) own--;
  const added = args.slice(own);
  if (added.length === 0) return line;
  return manager === 'npm' ? [...line, '--', ...added] : [...line, ...added];
}

/** `node search.js`, `npx ava search.test.js`. */
function programWords([node = 'node', ...rest]: readonly string[]): string[] {
  const at = rest.findIndex((word) => !word.startsWith('-'));
  const file = rest[at] ?? '';
  // A test runner's worker is started by the runner, which has the arguments.
  if (isInstalled(file) && /\b(?:worker|child|fork)/i.test(file)) return ['npx', programOf(file)];
  if (at === 0 && isInstalled(file)) return ['npx', programOf(file), ...rest.slice(1)];
  return [node.replace(/^.*[\\/]/, ''), ...rest];
}

function isInstalled(file: string): boolean {
  return /[\\/]node_modules[\\/]/.test(file);
}

/** 'ava' for node_modules/ava/entrypoints/cli.mjs and node_modules/.bin/ava; otherwise the name of the file. */
function programOf(file: string): string {
  const tail = file.split(/[\\/]node_modules[\\/]/).at(-1)!;
  const [scope = '', name = ''] = tail.split(/[\\/]/);
  if (!isInstalled(file)) return file.replace(/^.*[\\/]/, '');
  return scope === '.bin' || scope.startsWith('@') ? name : scope;
}

/** As a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** In one range of a plan. */
const MOST_FAULTS = 1_000_000;
