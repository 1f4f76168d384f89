// Runs the command: parses its arguments, and turns errors into messages and exit codes.

import { CommanderError } from 'commander';
import { exitCodeOf, INTERRUPTED, OK, USAGE } from './exit-codes.ts';
import { errorText } from './output.ts';
import { createProgram } from './program.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs `trunkline` with arguments, without the names of Node and the script. Resolves to the exit
 * code; never rejects.
 */
export async function run(args: readonly string[], given: Terminal): Promise<number> {
  const progress = new Progress(given);
  const terminal = progress.terminal;
  let code = OK;
  try {
    const program = createProgram(terminal, (exit) => (code = exit));
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    progress.stop();
    if (given.interrupted.aborted) return INTERRUPTED;
    // Commander has printed its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE;
    given.err(errorText(error, args.includes('--json')));
    return exitCodeOf(error);
  } finally {
    progress.stop();
  }
  return given.interrupted.aborted ? INTERRUPTED : code;
}
