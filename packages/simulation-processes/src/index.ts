// The public entry: the scenario of a simulation on real processes.
export type { ProcessNetwork } from './process-network.ts';
export { type ProcessRun, type ProcessRunOptions, runOnProcesses } from './run-on-processes.ts';
