// Runs a benchmark as its users do: as a process with arguments.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param program the file name of the program, beside `index.js`, or its URL. */
export function run(
  program: string,
  ...args: string[]
): Promise<{ code: number; output: string; errors: string }> {
  const file = fileURLToPath(new URL(program, new URL('../', import.meta.url)));
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { maxBuffer: MOST }, (error, output, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code), output, errors }),
    );
  });
}

/** The most bytes of output. */
const MOST = 2 ** 26;
