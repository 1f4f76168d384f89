// The command trunkline of this process.

import process from 'node:process';
import { processTerminal } from './process-terminal.ts';
import { runCli } from './run.ts';

/** Runs the command with the arguments of this process, and sets its exit code. */
export async function runCliProcess(): Promise<void> {
  const code = await runCli(process.argv.slice(2), processTerminal());
  // A listener for keys, or an input that was not read to its end, would keep the process alive.
  process.stdin.unref?.();
  process.exitCode = code;
}
