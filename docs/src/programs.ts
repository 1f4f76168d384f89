// Finds the programs in the texts, and runs them as a reader would. An HTML comment on the line
// above a block of code names its file: `docs/src/x.ts` for the whole file, or `from docs/src/x.ts`
// for some of its lines. A block of language `text` below either is the output of the file.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Block, blocksOf } from './markdown.ts';
import { read, root, texts } from './texts.ts';

/** A program that a text shows whole, or shows in part with its output. */
export interface Program {
  readonly file: string;
  /** The place of the block in the texts. */
  readonly where: string;
  /** The output, if the text shows it. */
  readonly prints: string | undefined;
}

/**
 * The texts whose code is checked. The code in the READMEs of examples is compiled by their tests.
 */
export const checked: readonly string[] = texts.filter((each) => !each.startsWith('examples/'));

/** The programs that the texts show whole, or in part with their output. */
export function findPrograms(): Iterable<Program> {
  const programs = new Map<string, Program>();
  for (const path of checked) {
    const blocks = blocksOf(read(path));
    for (const [i, block] of blocks.entries()) {
      const next = blocks[i + 1];
      const prints = next?.language === 'text' ? next.code : undefined;
      const file = wholeFile(block) ?? (prints === undefined ? undefined : partOf(block));
      if (file === undefined || !file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
      if (!/^\s*(await |for await|console)/m.test(read(file))) continue;
      programs.set(file, { file, where: `${path}:${block.line}`, prints });
    }
  }
  return programs.values();
}

/** Returns the file that the block shows whole. */
export function wholeFile({ note }: Block): string | undefined {
  return /^(docs\/src\/\S+\.(?:ts|yaml))$/.exec(note ?? '')?.[1];
}

/** Returns the file of which the block shows some lines. */
export function partOf({ note }: Block): string | undefined {
  return /^from (\S+\.(?:m?[jt]s|yaml))$/.exec(note ?? '')?.[1];
}

/** True for a program of a recipe; all of these run in one process. */
export function isRecipe({ where }: Program): boolean {
  return where.startsWith('docs/recipes/');
}

/** True for a program that takes seconds: it searches with many runs, or runs in real time. */
export function isSearch({ file }: Program): boolean {
  return file.startsWith('docs/src/libraries/') || file.startsWith('docs/src/processes/');
}

/** Runs a program: it ends by itself, without errors, and prints what the text says. */
export async function testProgram(t: ExecutionContext, { file, prints }: Program): Promise<void> {
  // Searches take longer on a machine that does other work.
  t.timeout(600_000);
  const { code, output, errors } = await run(compiled(file));
  t.is(errors, '');
  t.is(code, 0);
  if (prints !== undefined) testOutput(t, output, prints);
}

/** Tests that a program printed what its text shows, apart from ports. */
export function testOutput(t: ExecutionContext, output: string, prints: string): void {
  t.is(output.replace(PORT, ':PORT'), prints.replace(PORT, ':PORT'));
}

const PORT = /(?<=127\.0\.0\.1|\[::1\]):\d+/g;

/** Returns the path of a compiled program. */
export function compiled(file: string): string {
  return join(root, file.replace('docs/src/', 'docs/dist/').replace(/\.ts$/, '.js'));
}

/** Runs a program with no network but this machine's, as a reader would. */
export function run(
  path: string,
  ...args: string[]
): Promise<{ code: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], {
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
