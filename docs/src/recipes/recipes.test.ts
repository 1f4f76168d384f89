// Runs the programs of the recipes, and checks the form of their pages.

import { join } from 'node:path';
import test from 'ava';
import { linksOf } from '../markdown.ts';
import { compiled, findPrograms, isRecipe, run, testOutput } from '../programs.ts';
import { read, root, texts } from '../texts.ts';
import type { Run } from './run-all.ts';

const INDEX = 'docs/recipes/README.md';
const pages = texts.filter((path) => path.startsWith('docs/recipes/') && path !== INDEX);
const programs = [...findPrograms()].filter(isRecipe);

test.serial('the programs of the recipes print what their pages show', async (t) => {
  t.timeout(300_000);
  const paths = programs.map(({ file }) => compiled(file));
  const { code, output, errors } = await run(join(root, 'docs/dist/recipes/run-all.js'), ...paths);
  t.is(errors, '');
  t.is(code, 0, 'they leave nothing open');
  const runs = output.trimEnd().split('\n');
  t.is(runs.length, programs.length);
  for (const [i, { file, prints }] of programs.entries()) {
    const result = JSON.parse(runs[i]!) as Run;
    t.is(result.error, undefined, file);
    if (prints !== undefined) testOutput(t, result.output, prints);
  }
});

test('there are recipes, and the index lists each of them once', (t) => {
  t.true(pages.length > 0);
  const links = linksOf(read(INDEX));
  for (const path of pages)
    t.is(links.filter((link) => `docs/recipes/${link}` === path).length, 1, path);
});

test('every recipe shows a program and says what to watch for', (t) => {
  for (const path of pages) {
    t.regex(read(path), /^<!-- (from )?docs\/src\//m, path);
    t.regex(read(path), /^## What to watch for$/m, path);
  }
});
