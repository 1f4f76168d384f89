// Runs the command: parses its arguments, and turns errors into messages and exit codes.

import { fileError } from '@trunkline/transport-core/node';
import { CommanderError } from 'commander';
import { exitCodeOf, exitCodeOfEnd, OK, USAGE, UsageError } from './exit-codes.ts';
import { errorText, toJson } from './output.ts';
import { createProgram } from './program.ts';
import { Progress } from './progress.ts';
import type { CliTerminal } from './terminal.ts';

/** Commander's codes for the help and the version. */
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
  const asJson = args.includes('--json');
  const progress = new Progress(given, !asJson);
  const terminal = progress.terminal;
  let code = OK;
  let help = '';
  let failure: unknown;
  try {
    const program = createProgram(terminal, {
      exit: (exit) => (code = exit),
      help: (text) => (help += text),
    });
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) failure = error;
    else if (!HELP.has(error.code)) failure = usageError(error);
    else if (error.exitCode === 0) await given.out(asJson ? `${toJson({ help })}\n` : help);
    else if (asJson) failure = new UsageError('which command? --help lists the commands');
    else {
      given.err(help);
      code = USAGE;
    }
  } finally {
    progress.stop();
  }
  if (given.interrupted.aborted) {
    const { reason } = given.interrupted;
    const end = exitCodeOfEnd(reason);
    if (end !== undefined) return end;
    failure = fileError(reason, 'cannot write', 'the standard output');
  }
  if (failure === undefined) return code;
  given.err(errorText(failure, asJson));
  return exitCodeOf(failure);
}
