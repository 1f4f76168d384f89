// Type-checks programs with the workspace's TypeScript.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Subject } from './subjects.ts';

/** Tells whether all packages that a subject imports are installed. */
export function isInstalled({ imports }: Subject): boolean {
  return imports.every((name) => FOLDERS.some((folder) => existsSync(join(folder, name))));
}

/**
 * Writes the programs; `check` returns the milliseconds that the compiler takes for one.
 * @throws Error if a program does not compile.
 */
export function programs(
  subjects: readonly Subject[],
  methods: number,
): { check(subject: Subject): number; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), 'bench-types-'));
  const folders = new Map(subjects.map((subject) => [subject, write(root, subject, methods)]));
  return {
    check: (subject) => check(folders.get(subject)!),
    remove: () => rmSync(root, { recursive: true }),
  };
}

/** Writes a program as a project of its own. Returns its folder. */
function write(root: string, { name, imports, program }: Subject, methods: number): string {
  const folder = join(root, name.replaceAll(' ', '-'));
  for (const each of imports) {
    const link = join(folder, 'node_modules', each);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(FOLDERS.map((from) => join(from, each)).find(existsSync)!, link);
  }
  writeFileSync(join(folder, 'program.ts'), program(methods));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS }));
  return folder;
}

function check(folder: string): number {
  const { status, stdout } = spawnSync(
    process.execPath,
    [COMPILER, '-p', folder, '--singleThreaded', '--extendedDiagnostics'],
    { encoding: 'utf8' },
  );
  const seconds = /^Total time:\s+([\d.]+)s/m.exec(stdout)?.[1];
  if (status !== 0 || seconds === undefined)
    throw new Error(`the program in ${folder} does not compile (exit code ${status}): ${stdout}`);
  return Number(seconds) * 1_000;
}

const OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: 'es2022',
  module: 'nodenext',
  lib: ['es2022', 'dom'],
  types: [],
};
const COMPILER = fileURLToPath(
  new URL('../../../node_modules/typescript/bin/tsc', import.meta.url),
);
/** The folders in which packages are installed. */
const FOLDERS = ['../../node_modules', '../../peers/node_modules'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
