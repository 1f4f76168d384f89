// Runs the command: parses its arguments, and turns errors into messages and exit codes.

import { CommanderError } from 'commander';
import { exitCodeOf, INTERRUPTED, OK, USAGE, UsageError } from './exit-codes.ts';
import { errorText } from './output.ts';
import { createProgram } from './program.ts';
import { Progress } from './progress.ts';
import type { CliTerminal } from './terminal.ts';

/** Commander's codes for the help and the version, which it has printed already. */
const HELP: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.helpDisplayed',
  'commander.version',
]);

/** Returns commander's error about an argument or option as one line. */
function usageError({ message }: CommanderError): UsageError {
  const line = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return new UsageError(`${line.trim()}; --help shows the arguments and options`);
}

/**
 * Runs `trunkline` with arguments, without the names of Node and the script. Resolves to the exit
 * code; never rejects.
 */
export async function runCli(args: readonly string[], given: CliTerminal): Promise<number> {
  const progress = new Progress(given);
  const terminal = progress.terminal;
  let code = OK;
  try {
    const program = createProgram(terminal, (exit) => (code = exit));
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    progress.stop();
    if (given.interrupted.aborted) return INTERRUPTED;
    if (error instanceof CommanderError && HELP.has(error.code))
      return error.exitCode === 0 ? OK : USAGE;
    const shown = error instanceof CommanderError ? usageError(error) : error;
    given.err(errorText(shown, args.includes('--json')));
    return exitCodeOf(shown);
  } finally {
    progress.stop();
  }
  return given.interrupted.aborted ? INTERRUPTED : code;
}
