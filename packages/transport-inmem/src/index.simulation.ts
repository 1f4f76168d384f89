// The public entry for simulations: a deterministic cluster for tests, with virtual time, injected
// faults, and a trace with a hash.
export {
  type Command,
  createHistory,
  type Handle,
  type History,
  type Operation,
} from './simulation/checking/history.ts';
export {
  type CheckOptions,
  checkLinearizable,
  type Verdict as LinearizabilityVerdict,
} from './simulation/checking/linearizable.ts';
export { assertDeterministic } from './simulation/explore/assert-deterministic.ts';
export { type Exploration, explore } from './simulation/explore/explore.ts';
export type { ExploreOptions, Progress } from './simulation/explore/explore-options.ts';
export type { Failure, ScenarioError } from './simulation/explore/failure.ts';
export type { Scenario } from './simulation/explore/lab.ts';
export { describeFault, type Fault, type ScheduledFault } from './simulation/faults/fault.ts';
export { nemeses } from './simulation/faults/nemeses.ts';
export type { Nemesis, NemesisContext } from './simulation/faults/nemesis.ts';
export type { NemesisOptions } from './simulation/faults/plan.ts';
export type { NemesisKind, SwarmOptions } from './simulation/faults/swarm.ts';
export type {
  InterceptedMessage,
  Interceptor,
  Verdict,
} from './simulation/network/interceptors.ts';
export type { LinkOptions } from './simulation/network/link-settings.ts';
export type { Level } from './simulation/network/sim-network.ts';
export type { Direction } from './simulation/network/topology.ts';
export type { DiskOptions } from './simulation/nodes/node-store.ts';
export type {
  Leak,
  NodeContext,
  Setup,
  SimClock,
  SimTransportOptions,
  Stop,
} from './simulation/nodes/sim-node.ts';
export {
  createSimulation,
  type Simulation,
  type SimulationOptions,
} from './simulation/simulation.ts';
export type { Delay } from './simulation/world/chance.ts';
export { SimulationError } from './simulation/world/simulation-error.ts';
export type { TraceSummary } from './simulation/world/trace.ts';
