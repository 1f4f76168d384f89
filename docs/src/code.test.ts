// Checks that the code in the texts comes from files which are compiled, checked and run. An HTML
// comment on the line above a block names the file: `docs/src/x.ts` for the whole file, or
// `from docs/src/x.ts` for consecutive lines of it. A block of language `text` below a whole file
// is the file's output.

import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as noise from '@trunkline/stream-noise';
import * as inmem from '@trunkline/transport-inmem';
import * as tcp from '@trunkline/transport-tcp';
import * as ws from '@trunkline/transport-ws';
import test from 'ava';
import { type Block, blocksOf, isExcerpt, tableBelow } from './markdown.ts';
import { read, root, texts } from './texts.ts';

const isCode = ({ language }: Block) =>
  ['ts', 'js', 'mjs', 'typescript', 'javascript'].includes(language);
const programs = new Map<string, { where: string; prints: string | undefined }>();

// Examples are excluded: the code in their READMEs is compiled by their own tests.
for (const path of texts.filter((each) => !each.startsWith('examples/'))) {
  const blocks = blocksOf(read(path));
  for (const [i, block] of blocks.entries()) {
    if (!isCode(block)) continue;
    const { note, code } = block;
    const where = `${path}:${block.line}`;
    const whole = /^(docs\/src\/\S+\.ts)$/.exec(note ?? '')?.[1];
    const partOf = /^from (\S+\.ts)$/.exec(note ?? '')?.[1];
    if (whole !== undefined) {
      test(`${where} is the whole of ${whole}`, (t) => t.is(code, read(whole)));
      const next = blocks[i + 1];
      if (!whole.endsWith('.test.ts'))
        programs.set(whole, { where, prints: next?.language === 'text' ? next.code : undefined });
    } else if (partOf !== undefined) {
      test(`${where} is a part of ${partOf}`, (t) =>
        t.true(isExcerpt(code, read(partOf)), `these lines do not stand in ${partOf}:\n${code}`));
    } else if (!/^in place of a line of \S+\.ts$/.test(note ?? '')) {
      test(`${where} names its file`, (t) =>
        t.fail(
          'a block of code needs a comment on the line above: <!-- docs/src/x.ts --> or <!-- from docs/src/x.ts -->',
        ));
    }
  }
}

for (const [file, { where, prints }] of programs) {
  if (!/^\s*(await |for await|console)/m.test(read(file))) continue;
  test.serial(`${where} runs and exits by itself`, async (t) => {
    // Searches take longer on a machine that does other work.
    t.timeout(600_000);
    const { code, output, errors } = await run(compiled(file));
    t.is(errors, '');
    t.is(code, 0);
    if (prints !== undefined) t.is(output.replace(PORT, ':PORT'), prints.replace(PORT, ':PORT'));
  });
}

test.serial('the first program runs in memory once one line is changed', async (t) => {
  const file = 'docs/src/hello/hello.ts';
  const change = blocksOf(read('README.md')).find(
    ({ note }) => note === `in place of a line of ${file}`,
  );
  const name = /^const (\w+) = /.exec(change?.code ?? '')?.[1];
  t.truthy(name, 'README.md shows the line');
  const lines = read('docs/dist/hello/hello.js').split('\n');
  const at = lines.findIndex((line) => line.startsWith(`const ${name} = `));
  t.true(at >= 0, `hello.ts has a line 'const ${name} = …'`);
  lines[at] = change!.code.trim();
  const path = join(root, 'docs/dist/hello/hello-in-memory.js');
  writeFileSync(path, lines.join('\n'));
  t.teardown(() => rmSync(path));
  const { code, output, errors } = await run(path);
  t.is(errors, '');
  t.is(code, 0);
  t.is(output, 'inmem://greeter says: Hello, Ada!\n');
});

test('the README names the two commands', (t) => {
  const commands = blocksOf(read('README.md')).flatMap(({ language, code }) =>
    language === 'sh' ? code.split('\n') : [],
  );
  for (const command of ['npx pnpm@12 demo', 'npx pnpm@12 test']) {
    t.true(
      commands.some((line) => line.replace(/\s+#.*$/, '') === command),
      command,
    );
  }
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  t.truthy(scripts['demo']);
  t.truthy(scripts['test']);
});

test('the table of backends names what the packages export', (t) => {
  const exported = new Set([inmem, tcp, ws, noise].flatMap((each) => Object.keys(each)));
  const named = tableBelow(read('README.md'), 'Which backend').flatMap(
    ([, made = '']) => made.match(/(?<=`)\w+/g) ?? [],
  );
  const functions = named.filter((name) => /^[a-z]/.test(name));
  t.true(functions.length >= 8);
  for (const name of functions) t.true(exported.has(name), name);
});

test('the first program has about twenty lines', (t) =>
  t.true(read('docs/src/hello/hello.ts').trimEnd().split('\n').length <= 25));

const PORT = /(?<=127\.0\.0\.1|\[::1\]):\d+/g;

const compiled = (file: string): string =>
  join(root, file.replace('docs/src/', 'docs/dist/').replace(/\.ts$/, '.js'));

/** Runs a program with no network but this machine's, as a reader would. */
function run(path: string): Promise<{ code: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const result = { output: '', errors: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (result.output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (result.errors += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...result }));
  });
}
