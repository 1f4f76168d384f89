// The public entry for simulations: a deterministic cluster for tests, with virtual time, injected
// faults, and a trace with a hash.
export {
  type Command,
  createHistory,
  type Handle,
  type History,
  type Operation,
} from './checking/history.ts';
export {
  type CheckOptions,
  checkLinearizable,
  type LinearizabilityVerdict,
} from './checking/linearizable.ts';
export { assertDeterministic } from './explore/assert-deterministic.ts';
export { type Exploration, explore } from './explore/explore.ts';
export type { ExploreOptions, Progress } from './explore/explore-options.ts';
export type { Failure, ScenarioError } from './explore/failure.ts';
export type { Scenario } from './explore/local-runner.ts';
export { describeFault, type Fault, type ScheduledFault } from './faults/fault.ts';
export type { Nemesis, NemesisContext } from './faults/nemesis.ts';
export type { NemesisOptions } from './faults/plan.ts';
export type { NemesisKind, SwarmOptions } from './faults/swarm.ts';
export { nemeses } from './faults/swarm.ts';
export type { Delay } from './kernel/distributions.ts';
export { SimulationError } from './kernel/simulation-error.ts';
export type { TraceSummary } from './kernel/trace.ts';
export type {
  InterceptedMessage,
  Interceptor,
  InterceptorVerdict,
} from './network/interceptors.ts';
export type { LinkOptions } from './network/link-settings.ts';
export type { Level } from './network/sim-network.ts';
export type { Direction } from './network/topology.ts';
export type { Leak } from './nodes/leaks.ts';
export type {
  NodeContext,
  Setup,
  SimClock,
  SimTransportOptions,
  Stop,
} from './nodes/node-context.ts';
export type { DiskOptions } from './nodes/node-store.ts';
export {
  createSimulation,
  type Simulation,
} from './simulation.ts';
export type { SimulationOptions } from './simulation-options.ts';
