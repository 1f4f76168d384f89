// The command trunkline as a function, for programs that embed it, and for tests.

export { main } from './command.ts';
export { run } from './run.ts';
export type { Terminal } from './terminal.ts';
