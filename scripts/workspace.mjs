// Helpers for the scripts: they list the packages, run other programs, and find the source of a
// compiled line.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folders of the packages that are published, relative to the root. */
export const published = subfolders('packages');

/** The folders of all packages, transport-core first. */
export const packages = [
  ...published,
  ...subfolders('examples'),
  ...['bench', 'browser', 'consumer', 'docs', 'evaluation', 'fuzz', 'hostile'],
];

/** The programs of our tools: scripts that Node runs. */
export const tools = {
  attw: 'node_modules/@arethetypeswrong/cli/dist/index.js',
  ava: 'node_modules/ava/entrypoints/cli.mjs',
  biome: 'node_modules/@biomejs/biome/bin/biome',
  publint: 'node_modules/publint/src/cli.js',
  tsc: 'node_modules/typescript/bin/tsc',
};

/** Runs a command of pnpm for all published packages: by itself, if it has started this script. */
export function pnpm(args, options) {
  const isParent = process.env.npm_config_user_agent?.startsWith('pnpm');
  const [command, ...first] = isParent ? ['pnpm'] : ['npx', '--yes', 'pnpm@12'];
  return run(command, [...first, '-r', '--filter', './packages/*', ...args], options);
}

/** Returns the manifest of the package in a folder. */
export function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Returns every file below a folder, relative to it; none if the folder does not exist. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** Returns the paths of the TypeScript files that a package ships: all but its tests. */
export function shippedSources(folder) {
  return filesBelow(join(root, folder, 'src'))
    .filter((file) => /\.ts$/.test(file) && !/\.test\.|(^|\/)testing\//.test(file))
    .map((file) => join(root, folder, 'src', file));
}

/**
 * Returns the commit on which this branch is based or, on the main branch, the one before the last;
 * undefined in a clone of a single commit.
 */
export function baseCommit() {
  const base = git('merge-base', 'HEAD', 'origin/main');
  const isOurs = base !== '' && base !== git('rev-parse', 'HEAD');
  return isOurs ? base : git('rev-parse', '--verify', '-q', 'HEAD~1') || undefined;
}

/** Returns what a command of git prints; empty if it fails. */
export function git(...args) {
  return spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
}

/**
 * The source maps read so far, by compiled file. With `--enable-source-maps`, Node would read the
 * map of every file that it loads.
 */
const maps = new Map();

/**
 * Returns the source of a position in a compiled file, as `{ file, line, column }`: the file is
 * relative to the root, and both positions count from 0. Undefined if it is not known.
 */
export function sourceAt(path, line, column) {
  if (!maps.has(path) && existsSync(`${path}.map`))
    maps.set(path, new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8'))));
  const entry = maps.get(path)?.findEntry(line, column);
  if (entry?.originalSource === undefined) return undefined;
  const file = relative(root, join(dirname(path), entry.originalSource));
  return { file, line: entry.originalLine, column: entry.originalColumn };
}

/** Replaces each position such as `/path/dist/file.js:1:2` in a text by that in the source. */
export function withSourceLines(text) {
  const position = /(?:file:\/\/)?(\/[^\s()]*\/dist\/[^\s()]+\.js):(\d+):(\d+)/g;
  return text.replace(position, (whole, path, line, column) => {
    const at = sourceAt(path, line - 1, column - 1);
    return at === undefined ? whole : `${at.file}:${at.line + 1}:${at.column + 1}`;
  });
}

/** Runs one of our tools on the Node that runs this script. */
export const runTool = (tool, args, options) =>
  run(process.execPath, [join(root, tool), ...args], options);

/**
 * Runs a program to its end and returns `{ code, output }`; `code` is 1 if a signal ended the
 * program. Its output goes to the same place as ours or, if `capture` is 'all' or 'stdout', into
 * `output` and, as it arrives, to `onOutput`. A program that has not ended after `limit`
 * milliseconds, or whose captured output pauses for `silence` milliseconds, is killed, and the last
 * line of `output` says so. With `isGroup`, its children are killed, too, and Ctrl+C does not reach
 * them.
 */
export async function run(command, args, options = {}) {
  const { cwd = root, env, capture, limit, silence, onOutput, isGroup = false } = options;
  const stdio = ['ignore', capture ? 'pipe' : 'inherit', capture === 'all' ? 'pipe' : 'inherit'];
  const child = spawn(command, args, { cwd, env, stdio, detached: isGroup });
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  let output = '';
  const collect = (text) => {
    output += text;
    silent?.refresh();
    onOutput?.(text);
  };
  for (const stream of streams) stream.setEncoding('utf8').on('data', collect);
  const kill = (reason) => {
    collect(`killed: ${reason}\n`);
    process.kill(isGroup ? -child.pid : child.pid, 'SIGKILL');
    // Child processes of the program may hold the pipes open.
    for (const stream of streams) stream.destroy();
  };
  const killAfter = (delay, reason) =>
    delay === undefined ? undefined : setTimeout(kill, delay, `${reason} ${delay / 1_000} s`);
  const slow = killAfter(limit, 'it had not ended after');
  const silent = killAfter(silence, 'it had printed nothing for');
  const [code] = await once(child, 'close');
  clearTimeout(slow);
  clearTimeout(silent);
  return { code: code ?? 1, output };
}

/**
 * Returns the seconds of CPU that this process and the processes that it has waited for have used,
 * or undefined if this is not Linux.
 */
export function cpuSeconds() {
  if (process.platform !== 'linux') return undefined;
  // The user and system times of this process, and of the children that it has waited for.
  const times = readFileSync('/proc/self/stat', 'utf8').split(' ').slice(13, 17);
  return times.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/**
 * Returns the running processes with a variable in their environment, given as `NAME=value`:
 * `{ pid, command }` for each. Empty if this is not Linux.
 */
export function processesWith(variable) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
        return variables.includes(variable) ? [{ pid: Number(pid), command }] : [];
      } catch {
        return []; // It has ended, or belongs to somebody else.
      }
    });
}

/** The clock ticks of a second in /proc, the same on every Linux. */
const TICKS = 100;

function subfolders(folder) {
  const names = readdirSync(join(root, folder)).sort();
  return names
    .map((name) => `${folder}/${name}`)
    .filter((path) => existsSync(join(root, path, 'package.json')));
}
