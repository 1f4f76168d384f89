// The public entry for simulations: a deterministic cluster for tests, with virtual time, injected
// faults, and a trace with a hash.
export {
  createHistory,
  type History,
  type Operation,
  type OperationCommand,
  type OperationHandle,
} from './checking/history.ts';
export {
  checkLinearizable,
  type LinearizableOptions,
  type LinearizableVerdict,
} from './checking/linearizable.ts';
export { checkObject, type ObjectVerdict } from './checking/objects/check-object.ts';
export {
  type CounterCommand,
  type CounterResult,
  type LockCommand,
  type LockResult,
  type LockState,
  models,
  type ObjectModel,
  type QueueCommand,
  type QueueResult,
  type SetCommand,
  type SetResult,
} from './checking/objects/models.ts';
export {
  createObjectHistory,
  type ObjectCall,
  type ObjectCallHandle,
  type ObjectHistory,
} from './checking/objects/object-history.ts';
export {
  checkTransactions,
  type TransactionsVerdict,
} from './checking/transactions/check-transactions.ts';
export type {
  TransactionCall,
  TransactionCommand,
  TransactionResult,
  TransactionStep,
} from './checking/transactions/transaction.ts';
export type { Anomaly } from './checking/transactions/version-orders.ts';
export { assertDeterministic } from './explore/assert-deterministic.ts';
export { type ExploreResult, explore } from './explore/explore.ts';
export type { ExploreOptions, ExploreProgress } from './explore/explore-options.ts';
export type { ExploreFailure, ScenarioError } from './explore/failure.ts';
export type { Scenario } from './explore/local-runner.ts';
export { type ExploreProfile, type ProfileName, profiles } from './explore/profiles.ts';
export { describeFault, type Fault, type ScheduledFault } from './faults/fault.ts';
export type { Nemesis, NemesisContext } from './faults/nemesis.ts';
export type { NemesisOptions } from './faults/plan.ts';
export type { NemesisKind, SwarmOptions } from './faults/swarm.ts';
export { nemeses } from './faults/swarm.ts';
export type { DelayDistribution } from './kernel/distributions.ts';
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
export type { SimulationLevel } from './network/sim-network.ts';
export type { Direction } from './network/topology.ts';
export type { SimulationLeak } from './nodes/leaks.ts';
export type {
  NodeContext,
  NodeSetup,
  NodeStop,
  SimClock,
  SimTransportOptions,
} from './nodes/node-context.ts';
export type { DiskOptions } from './nodes/node-store.ts';
export type { RecordedFailure, RecordedSearch, Recording } from './recording.ts';
export {
  createSimulation,
  type Simulation,
} from './simulation.ts';
export type { SimulationOptions } from './simulation-options.ts';
