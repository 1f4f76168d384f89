// Tests how the tests of a package are run: what is counted, what shares a worker, and what a test
// may not leave behind.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import test from 'ava';
import { grouped, kindOf } from './test-files.mjs';
import { testPackage } from './test-package.mjs';
import { root } from './workspace.mjs';

/** Writes a package with compiled tests, and returns how `testPackage` knows it. */
function planted(t, files) {
  const path = mkdtempSync(join(tmpdir(), 'planted-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  const all = {
    'package.json': '{ "type": "module" }',
    'ava.config.mjs': "export default { files: ['dist/**/*.test.js'], timeout: '10s' };",
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  const tests = Object.keys(files).filter((name) => name.endsWith('.test.js'));
  return { folder: relative(root, path), files: tests };
}

const options = { nightly: false, concurrency: 1, onCases: () => {} };
const head = "import test from 'ava';\n";

test('passed, failed, skipped and hanging tests are counted, and failures are printed in full', async (t) => {
  const job = planted(t, {
    'dist/a.test.js': `${head}test('one', (t) => t.pass());\ntest.skip('two (for a reason)', (t) => t.pass());`,
    'dist/b.test.js': `${head}test('three', (t) => t.is(1, 2, 'it is not'));`,
    'dist/c.test.js': `${head}import 'node:net';\ntest('four', () => new Promise((r) => setTimeout(r, 600_000)));`,
  });
  const result = await testPackage(job, options);
  t.is(result.passed, 1);
  t.deepEqual(result.skips, ['  skipped: .groups › 1 › two (for a reason)']);
  t.true(result.failures.includes('✘ [fail]: .groups › 1 › three it is not'));
  t.true(result.failures.includes('◌ dist › c › four'));
  t.regex(result.details, /it is not\n\n {2}Difference/);
});

test('a test that leaves a process or a temporary file behind fails the run', async (t) => {
  const job = planted(t, {
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
  const result = await testPackage(job, options);
  t.is(result.passed, 1);
  t.is(result.failures.length, 2);
  t.regex(result.failures[0], /left a process behind: \d+, .*600_000/);
  t.regex(result.failures[1], /left a temporary file behind: left-/);
});

test('pure files share a worker; files with hooks, sockets or pages do not', (t) => {
  const { folder, files } = planted(t, {
    'dist/net.js': "import 'node:net';",
    'dist/a.test.js': head,
    'dist/b.test.js': `${head}import { readFileSync } from 'node:fs';`,
    'dist/hooks.test.js': `${head}test.after(() => {});`,
    'dist/io.test.js': `${head}import './net.js';`,
    'dist/page.test.js': "import { chromium } from 'playwright-core';",
  });
  t.deepEqual(
    files.map((file) => kindOf(join(folder, file))),
    ['pure', 'pure', 'pure', 'io', 'page'],
  );
  t.deepEqual(grouped({ folder, files }), [
    '.groups/1.js',
    'dist/hooks.test.js',
    'dist/io.test.js',
    'dist/page.test.js',
  ]);
});
