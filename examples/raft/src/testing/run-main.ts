// Runs a program of this example as a process.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * @param program options of Node, and the compiled file
 * @param env variables that differ from those of this process
 */
export function runMain(
  program: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: unknown; out: string; err: string }> {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const options = { cwd, env: { ...process.env, ...env } };
  return new Promise((resolve) =>
    execFile(process.execPath, [...program, ...args], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, out, err }),
    ),
  );
}
