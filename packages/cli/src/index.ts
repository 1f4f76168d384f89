// The command trunkline as a function, for programs that embed it, and for tests.

export { runCliProcess } from './command.ts';
export { runCli } from './run.ts';
export type { CliTerminal } from './terminal.ts';
