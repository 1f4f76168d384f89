// Tests how tests are run: what is counted, what shares a worker, what a test may not leave behind,
// and when a program that runs them is killed.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import test from 'ava';
import { kindOf, lanesOf } from './test-files.mjs';
import { testLane } from './test-lane.mjs';
import { root, run } from './workspace.mjs';

/** Writes a package with compiled tests. Returns its folder, and the paths of its tests. */
function planted(t, files) {
  const path = mkdtempSync(join(tmpdir(), 'planted-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  const all = {
    'package.json': '{ "type": "module" }',
    'ava.config.mjs': config('2m'),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  const tests = Object.keys(files).filter((name) => name.endsWith('.test.js'));
  return { folder: relative(root, path), files: tests };
}

/** AVA's configuration; without an event for `timeout`, which is long on a busy machine, it stops. */
const config = (timeout) =>
  `export default { files: ['dist/**/*.test.js'], timeout: '${timeout}' };`;
const head = "import test from 'ava';\n";

test('passed, failed, skipped and hanging tests are counted, and failures are printed in full', async (t) => {
  const { folder, files } = planted(t, {
    'ava.config.mjs': config('10s'),
    'dist/a.test.js': `${head}test('one', (t) => t.pass());\ntest.skip('two (for a reason)', (t) => t.pass());`,
    'dist/b.test.js': `${head}test('three', (t) => t.is(1, 2, 'it is not'));`,
    'dist/c.test.js': `${head}test('four', () => new Promise((r) => setTimeout(r, 600_000)));`,
  });
  let cases = 0;
  const onCase = () => (cases += 1);
  const result = await testLane(files, { cwd: join(root, folder), onCase });
  t.deepEqual(result.passed, ['dist › a › one']);
  t.deepEqual(result.skipped, ['dist › a › two (for a reason)']);
  t.deepEqual(result.failed, [
    'dist › b › three it is not',
    'Timed out while running tests',
    'dist › c › four',
  ]);
  t.regex(result.details, /it is not\n\n {2}Difference/);
  t.is(cases, 4);
});

test('a test that leaves a process or a temporary file behind fails the run', async (t) => {
  const { folder, files } = planted(t, {
    'dist/a.test.js': `${head}
      import { spawn } from 'node:child_process';
      import { mkdtempSync } from 'node:fs';
      import { tmpdir } from 'node:os';
      test('untidy', (t) => {
        spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600_000)'], { stdio: 'ignore', detached: true }).unref();
        mkdtempSync(tmpdir() + '/left-');
        t.pass();
      });`,
  });
  const result = await testLane(files, { cwd: join(root, folder), onCase() {} });
  t.deepEqual(result.passed, ['dist › a › untidy']);
  t.is(result.failed.length, 2);
  t.regex(result.failed[0], /^left a process behind: \d+, .*600_000/);
  t.regex(result.failed[1], /^left a temporary file behind: left-/);
});

test('small files share a worker by their kind; files with hooks and pages have one each', async (t) => {
  const { folder, files } = planted(t, {
    'dist/net.js': "import 'node:net';",
    'dist/a.test.js': head,
    'dist/b.test.js': `${head}import { readFileSync } from 'node:fs';`,
    'dist/c.test.js': `${head}import './net.js';`,
    'dist/d.test.js': `${head}import 'node:tls';`,
    'dist/hooks.test.js': `${head}test.after(() => {});`,
    'dist/page.test.js': "import { chromium } from 'playwright-core';",
  });
  t.deepEqual(
    files.map((file) => kindOf(join(folder, file))),
    ['pure', 'pure', 'io', 'io', 'pure', 'page'],
  );
  const within = (path) => join(folder, path);
  t.deepEqual(await lanesOf([{ folder, files }]), {
    threads: ['dist/hooks.test.js', 'dist/page.test.js', '.groups/pure-1.js'].map(within),
    serial: ['.groups/io-1.js'].map(within),
    processes: [],
  });
});

const node = (source, options) =>
  run(process.execPath, ['-e', source], { capture: 'stdout', ...options });

test('a program is killed if it prints nothing for too long, or does not end in time', async (t) => {
  const silent = await node('setInterval(() => {}, 1_000)', { silence: 500 });
  t.deepEqual(silent, { code: 1, output: 'killed: it had printed nothing for 0.5 s\n' });
  const options = { silence: 60_000, limit: 1_000 };
  const loud = await node('setInterval(() => console.log("."), 10)', options);
  t.is(loud.code, 1);
  t.regex(loud.output, /killed: it had not ended after 1 s\n$/);
  const done = await node('console.log("done"); process.exitCode = 3', { silence: 60_000 });
  t.deepEqual(done, { code: 3, output: 'done\n' });
});
