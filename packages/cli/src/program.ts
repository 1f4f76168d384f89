// The command with all its subcommands.

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addBench } from './commands/bench.ts';
import { addCall } from './commands/call.ts';
import { addCert } from './commands/cert.ts';
import { addContext } from './commands/context.ts';
import { addControl } from './commands/control.ts';
import { addDashboard } from './commands/dashboard.ts';
import { addDescribe } from './commands/describe.ts';
import { addGossip } from './commands/gossip.ts';
import { addPing } from './commands/ping.ts';
import { addProxy } from './commands/proxy.ts';
import { addReplay } from './commands/replay.ts';
import { addSchema } from './commands/schema.ts';
import { addSignal } from './commands/signal.ts';
import { addState } from './commands/state.ts';
import { addTop } from './commands/top.ts';
import { addCompletion } from './completion.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { addGlobalOptions } from './node.ts';
import type { CliTerminal } from './terminal.ts';

/** Receives results of the command beside its output. */
export interface ProgramSink {
  /** Sets the exit code of a command that succeeded with the answer no. */
  exit(code: number): void;
  /** Takes the text of the help or the version. */
  help(text: string): void;
}

/** Creates the command. */
export function createProgram(terminal: CliTerminal, { exit, help }: ProgramSink): Command {
  const program = new Command('trunkline')
    .description('Calls methods of Trunkline nodes, watches nodes, and makes certificates.')
    .version(versionOf(), '-V, --version', 'print the version')
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ helpWidth: 100, showGlobalOptions: false })
    .configureOutput({
      writeOut: help,
      writeErr: help,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      // The caller prints the error that is thrown.
      outputError: () => {},
    })
    .addHelpText('after', `\nExit codes:\n${exitCodes()}`);
  addGlobalOptions(program);
  addCall(program, terminal);
  addDescribe(program, terminal);
  addPing(program, terminal, exit);
  addState(program, terminal);
  addTop(program, terminal);
  addDashboard(program, terminal);
  addControl(program, terminal);
  addGossip(program, terminal);
  addBench(program, terminal);
  addProxy(program, terminal);
  addSignal(program, terminal);
  addSchema(program, terminal, exit);
  addReplay(program, terminal);
  addCert(program, terminal);
  addContext(program, terminal);
  addCompletion(program, terminal);
  inherit(program);
  return program;
}

/** Returns the table of exit codes for a terminal of 100 columns. */
export function exitCodes(): string {
  const lines = EXIT_CODES.map(([code, meaning]) => {
    const text = meaning.replaceAll('`', '').replace(/(.{1,92})(?: |$)/g, '$1\n      ');
    return `${String(code).padStart(5)} ${text.trimEnd()}`;
  });
  return lines.join('\n');
}

/** Returns the version of this package. */
function versionOf(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return JSON.parse(manifest).version;
}

/**
 * Gives all subcommands the settings of the program, which commander copies to direct ones only.
 */
function inherit(command: Command): void {
  for (const sub of command.commands) {
    sub.copyInheritedSettings(command);
    inherit(sub);
  }
}
