// Reads and writes a corpus on disk: one input a line, in base64, the smallest first.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Returns the inputs in a target's file; none if there is no file. */
export function readCorpus(name: string): Uint8Array[] {
  const path = pathOf(name);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => new Uint8Array(Buffer.from(line, 'base64')));
}

export function writeCorpus(name: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(
    pathOf(name),
    inputs.map((input) => `${Buffer.from(input).toString('base64')}\n`).join(''),
  );
}

function pathOf(name: string): string {
  return `${FOLDER}/${name}.txt`;
}

/** The `corpus` folder beside `dist`. */
const FOLDER = fileURLToPath(new URL('../../corpus', import.meta.url));
