// Tests of replay lines.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { ExecutionContext } from 'ava';
import test from '../testing/serial.ts';
import { type Replay, replayLine, runningCommand } from './replay-line.ts';

const replay: Replay = {
  scenario: 'raft',
  seed: 7,
  profile: undefined,
  only: undefined,
  without: [],
};

/** Replaces the environment variables that a package manager sets. */
function given(t: ExecutionContext, environment: Readonly<Record<string, string>>): void {
  const { env } = process;
  t.teardown(() => {
    process.env = env;
  });
  process.env = {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('npm_'))),
    ...environment,
  };
}

const npm = (script: string, text: string) => ({
  npm_lifecycle_event: script,
  npm_lifecycle_script: text,
  npm_command: 'run',
  npm_config_user_agent: 'npm/11.1.0 node/v20.20.2 linux x64',
  npm_execpath: '/usr/lib/node_modules/npm/bin/npm-cli.js',
});
const pnpm = {
  npm_config_user_agent: 'pnpm/12.21.0 npm/? node/? linux x64',
  npm_execpath: '/usr/bin/pnpm',
};

const cases: readonly (readonly [
  title: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  line: string,
])[] = [
  [
    'npm test',
    ['node', '--enable-source-maps', '/x/node_modules/ava/entrypoints/cli.mjs'],
    npm('test', 'ava'),
    'npm test',
  ],
  [
    'npm test with a file',
    ['node', '/x/node_modules/.bin/ava', 'a b.js'],
    npm('test', 'ava'),
    "npm test -- 'a b.js'",
  ],
  [
    "a script's own arguments",
    ['node', '/x/sim.js', '--nodes', '5', '--seeds', '9'],
    npm('sim', 'build && node sim.js --nodes 5'),
    'npm run sim -- --seeds 9',
  ],
  [
    'pnpm',
    ['node', '/x/sim.js', '--match', "n1's raft*"],
    { ...npm('soak', 'node sim.js'), ...pnpm },
    `pnpm soak --match 'n1'\\''s raft*'`,
  ],
  [
    'pnpm that npx fetched',
    ['node', '/x/t.mjs'],
    { ...npm('test', 'node t.mjs'), ...pnpm, npm_execpath: '/x/_npx/9c/node_modules/pnpm/pnpm' },
    'npx pnpm@12 test',
  ],
  [
    "a process of the script's program",
    ['node', '/x/node_modules/ava/entrypoints/cli.mjs', 'x'],
    npm('test', 'node scripts/test.mjs'),
    'npm test',
  ],
  [
    'npx ava',
    ['node', '/x/node_modules/ava/entrypoints/cli.mjs', 'dist/a.test.js'],
    { ...npm('npx', 'ava'), npm_command: 'exec' },
    'npx ava dist/a.test.js',
  ],
  ["a test runner's worker", ['node', '/x/node_modules/ava/lib/worker/base.js'], {}, 'npx ava'],
  [
    'npx of a scoped package',
    ['node', '/x/node_modules/@scope/tool/cli.js', 'x'],
    {},
    'npx tool x',
  ],
  [
    'a file',
    ['/usr/bin/node', '--expose-gc', 'search.js', '--all'],
    {},
    'node --expose-gc search.js --all',
  ],
];

for (const [title, argv, environment, line] of cases) {
  test(`the replay line repeats the command that runs: ${title}`, (t) => {
    given(t, environment);
    t.is(runningCommand(argv), line);
  });
}

test('a command may be given, and the plan and the link are written as short as possible', (t) => {
  const line = (more: Partial<Replay>) => replayLine({ ...replay, ...more }, 'node sim.js');
  t.is(line({ seed: -7 }), 'SEED=raft:-7 node sim.js');
  t.is(line({ profile: 'loss' }), 'SEED=raft:7@loss node sim.js');
  t.is(line({ profile: 'loss', only: [1] }), 'SEED=raft:7@loss:1 node sim.js');
  t.is(line({ only: [] }), 'SEED=raft:7:none node sim.js');
  t.is(line({ only: [2, 5, 6, 7, 11] }), 'SEED=raft:7:2,5-7,11 node sim.js');
  t.is(line({ only: [2], without: ['loss', 'burst'] }), 'SEED=raft:7:2-loss-burst node sim.js');
  t.is(line({ without: ['loss'] }), 'SEED=raft:7:all-loss node sim.js');
  t.is(line({ scenario: "it's" }), `SEED='it'\\''s:7' node sim.js`);
});

test('in its own process the line is the command itself', (t) => {
  const code = `import { replayLine } from ${JSON.stringify(new URL('./replay-line.js', import.meta.url).href)};
    console.log(replayLine({ scenario: 'x', seed: 1, profile: undefined, only: undefined, without: [] }));`;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')),
  );
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', code, 'more'], {
    env,
    encoding: 'utf8',
  });
  t.regex(out, /^SEED=x:1 node(?:\.exe)? --input-type=module -e /);
});

test('the line of a program whose flags load modules of this folder runs again', (t) => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'trunkline-line-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'flag.cjs'), '');
  const module = new URL('./replay-line.js', import.meta.url).href;
  writeFileSync(
    join(folder, 'program.mjs'),
    `import { runningCommand } from ${JSON.stringify(module)}; console.log(runningCommand());`,
  );
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')),
  );
  const run = (args: string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' }).trim();
  const line = run(['--require', join(folder, 'flag.cjs'), 'program.mjs']);
  t.regex(line, / --require \.\/flag\.cjs program\.mjs$/);
  t.is(run(line.split(' ').slice(1)), line);
});
