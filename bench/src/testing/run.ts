// Runs a benchmark as its users do: as a process with arguments.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** @param program the file name of the program, beside `index.js`, or its URL. */
export async function run(
  program: string,
  ...args: string[]
): Promise<{ code: number; output: string; errors: string }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(program, new URL('../', import.meta.url))), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, output, errors };
}
