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
export { checkObject, type ObjectVerdict } from './checking/objects/check-object.ts';
export {
  type CounterCommand,
  type CounterResult,
  type LockCommand,
  type LockResult,
  type LockState,
  type Model,
  models,
  type QueueCommand,
  type QueueResult,
  type SetCommand,
  type SetResult,
} from './checking/objects/models.ts';
export {
  type Call,
  type CallHandle,
  createObjectHistory,
  type ObjectHistory,
} from './checking/objects/object-history.ts';
export {
  checkTransactions,
  type TransactionsVerdict,
} from './checking/transactions/check-transactions.ts';
export type {
  ListStep,
  TransactionCall,
  TransactionCommand,
  TransactionResult,
} from './checking/transactions/transaction.ts';
export type { Anomaly } from './checking/transactions/version-orders.ts';
export { assertDeterministic } from './explore/assert-deterministic.ts';
export { type Exploration, explore } from './explore/explore.ts';
export type { ExploreOptions, Progress } from './explore/explore-options.ts';
export type { Failure, ScenarioError } from './explore/failure.ts';
export type { Scenario } from './explore/local-runner.ts';
export { type Profile, type ProfileName, profiles } from './explore/profiles.ts';
export { describeFault, type Fault, type ScheduledFault } from './faults/fault.ts';
export type { Nemesis, NemesisContext } from './faults/nemesis.ts';
export type { NemesisOptions } from './faults/plan.ts';
export type { NemesisKind, SwarmOptions } from './faults/swarm.ts';
export { nemeses } from './faults/swarm.ts';
export type { Delay } from './kernel/distributions.ts';
export type { DiskEntry, LogLine, NodeReport, OpenCall } from './kernel/node-report.ts';
export type { NodeStart, RecordedEvent, RecordedEvents } from './kernel/recorder.ts';
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
export type { RecordedFailure, RecordedSearch, Recording } from './recording.ts';
export {
  createSimulation,
  type Simulation,
} from './simulation.ts';
export type { SimulationOptions } from './simulation-options.ts';
