// Checks that the code in the texts comes from files which are compiled, checked and run. An HTML
// comment on the line above a block names the file: `docs/src/x.ts` for the whole file, or
// `from docs/src/x.ts` for consecutive lines of it. A block of language `text` below either is the
// output of the whole file.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as noise from '@trunkline/security/noise';
import * as inmem from '@trunkline/transport-inmem';
import * as nats from '@trunkline/transport-nats';
import * as tcp from '@trunkline/transport-tcp';
import * as webrtc from '@trunkline/transport-webrtc';
import * as ws from '@trunkline/transport-ws';
import test from 'ava';
import { type Block, blocksOf, isExcerpt, tableBelow } from './markdown.ts';
import {
  checked,
  findPrograms,
  isRecipe,
  isSearch,
  partOf,
  run,
  testProgram,
  wholeFile,
} from './programs.ts';
import { read, root } from './texts.ts';

const isCode = ({ language }: Block) =>
  ['ts', 'js', 'mjs', 'typescript', 'javascript', 'yaml'].includes(language);
for (const path of checked) {
  for (const block of blocksOf(read(path))) {
    if (!isCode(block)) continue;
    const { note, code } = block;
    const where = `${path}:${block.line}`;
    const whole = wholeFile(block);
    const part = partOf(block);
    if (whole !== undefined) {
      test(`${where} is the whole of ${whole}`, (t) => t.is(code, read(whole)));
    } else if (part !== undefined) {
      test(`${where} is a part of ${part}`, (t) =>
        t.true(isExcerpt(code, read(part)), `these lines do not stand in ${part}:\n${code}`));
    } else if (!/^in place of a line of \S+\.ts$/.test(note ?? '')) {
      test(`${where} names its file`, (t) =>
        t.fail(
          'a block of code needs a comment on the line above: <!-- docs/src/x.ts --> or <!-- from docs/src/x.ts -->',
        ));
    }
  }
}

for (const program of findPrograms()) {
  if (isSearch(program) || isRecipe(program)) continue;
  test.serial(`${program.where} runs and exits by itself`, (t) => testProgram(t, program));
}

test.serial('the first program runs in memory with another address', async (t) => {
  const there = 'inmem://greeter';
  t.true(read('README.md').includes(`\`${there}\``), 'README.md names the address');
  const code = read('docs/dist/hello/hello.js');
  const elsewhere = code.replace("'tcp://127.0.0.1:0'", `'${there}'`);
  t.not(elsewhere, code, 'hello.ts has an address');
  const path = join(root, 'docs/dist/hello/hello-in-memory.js');
  writeFileSync(path, elsewhere);
  t.teardown(() => rmSync(path));
  const result = await run(path);
  t.deepEqual([result.errors, result.code, result.output], ['', 0, 'Hello, Ada!\n']);
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
  const exported = new Set(
    [inmem, nats, tcp, webrtc, ws, noise].flatMap((each) => Object.keys(each)),
  );
  const named = tableBelow(read('README.md'), 'Which backend').flatMap(
    ([made = '']) => made.match(/(?<=`)\w+/g) ?? [],
  );
  const functions = named.filter((name) => /^[a-z]/.test(name));
  t.is(functions.length, 5);
  for (const name of functions) t.true(exported.has(name), name);
});
