// Helpers for the scripts: they list the packages, run other programs, and find the source of a
// compiled line.

import { spawn, spawnSync } from 'node:child_process';
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

/** The command that runs pnpm: itself, if it has started this script. */
export const pnpm = process.env.npm_config_user_agent?.startsWith('pnpm')
  ? ['pnpm']
  : ['npx', '--yes', 'pnpm@12'];

/** Packs all packages into tarballs in a folder. */
export function pack(folder) {
  const [command, ...args] = [...pnpm, '-r', '--filter', './packages/*', 'pack'];
  return run(command, [...args, '--pack-destination', folder], { capture: 'all' });
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
export function run(command, args, options = {}) {
  const { cwd = root, env = process.env, capture = 'none', limit, silence } = options;
  const { onOutput, isGroup = false } = options;
  const stdout = capture === 'none' ? 'inherit' : 'pipe';
  const stdio = ['ignore', stdout, capture === 'all' ? 'pipe' : 'inherit'];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio, detached: isGroup });
    let output = '';
    const collect = (text) => {
      output += text;
      silent?.refresh();
      onOutput?.(text);
    };
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    const kill = (reason) => {
      collect(`killed: ${reason}\n`);
      if (isGroup) process.kill(-child.pid, 'SIGKILL');
      else child.kill('SIGKILL');
      child.stdout?.destroy(); // Child processes of the program may hold the pipes open.
      child.stderr?.destroy();
    };
    const killAfter = (delay, reason) =>
      delay === undefined ? undefined : setTimeout(kill, delay, reason);
    const slow = killAfter(limit, `it had not ended after ${limit / 1000} s`);
    const silent = killAfter(silence, `it had printed nothing for ${silence / 1000} s`);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(slow);
      clearTimeout(silent);
      resolve({ code: code ?? 1, output });
    });
  });
}

/**
 * Returns the seconds of CPU that this process and the processes that it has waited for have used,
 * or undefined if this is not Linux.
 */
export function cpuSeconds() {
  if (process.platform !== 'linux') return undefined;
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // The user and system times of this process, and of the children that it has waited for.
  const times = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
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
