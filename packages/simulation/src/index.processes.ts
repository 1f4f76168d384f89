// The public entry: the scenario of a simulation on real processes.
export type { ProcessNetwork } from './processes/process-network.ts';
export {
  type ProcessRun,
  type ProcessRunOptions,
  runOnProcesses,
} from './processes/run-on-processes.ts';
