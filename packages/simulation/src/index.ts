// The public entry for simulations: a deterministic cluster for tests, with virtual time, injected
// faults, and a trace with a hash.
export { assertDeterministic } from './explore/assert-deterministic.ts';
export { type ExploreResult, explore } from './explore/explore.ts';
export type { ExploreOptions, ExploreProgress } from './explore/explore-options.ts';
export type { ExploreFailure } from './explore/failure.ts';
export type { Scenario } from './explore/local-runner.ts';
export type { ExploreProfile } from './explore/profiles.ts';
export { describeFault, type Fault, type ScheduledFault } from './faults/fault.ts';
export type { Nemesis, NemesisContext } from './faults/nemesis.ts';
/** Histories of what clients saw, and checkers of whether one correct object explains them. */
export * as check from './index.check.ts';
/**
 * Functions that create nemeses: `createSimulation({ seed, nemesis: nemeses.swarm() })`. All
 * options are optional. Each nemesis plans trouble that comes and goes for `duration` (default
 * 30,000 virtual ms) and ends with `recover`. If there are too few nodes for its kind of trouble,
 * it plans only `recover`. When several nemeses run at once, a `heal` or a crash that one nemesis
 * plans also affects the faults of the others.
 */
export * as nemeses from './index.nemeses.ts';
export type { DelayDistribution } from './kernel/distributions.ts';
export type { NodeReport } from './kernel/node-report.ts';
export type { RecordedEvent } from './kernel/recorder.ts';
export { SimulationError } from './kernel/simulation-error.ts';
export type { TraceSummary } from './kernel/trace.ts';
export type {
  InterceptedMessage,
  Interceptor,
  InterceptorVerdict,
} from './network/interceptors.ts';
export type { LinkOptions } from './network/link-settings.ts';
export type { SimulationLevel } from './network/sim-network.ts';
export type { SimulationLeak } from './nodes/leaks.ts';
export type {
  NodeContext,
  NodeSetup,
  NodeStop,
  SimClock,
  SimTransportOptions,
} from './nodes/node-context.ts';
export type { DiskOptions } from './nodes/node-store.ts';
export type { Recording } from './recording.ts';
export {
  createSimulation,
  type Simulation,
} from './simulation.ts';
export type { SimulationOptions } from './simulation-options.ts';
