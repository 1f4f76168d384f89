// The namespace `check` of the main entry: histories of what clients saw, and the checkers that
// judge them.
export {
  createHistory,
  type History,
  type Operation,
  type OperationCommand,
  type OperationHandle,
  type OperationResult,
} from './checking/history.ts';
export {
  checkLinearizable as linearizable,
  type LinearizableOptions,
  type LinearizableVerdict,
} from './checking/linearizable.ts';
export { checkObject as object, type ObjectVerdict } from './checking/objects/check-object.ts';
export type {
  CounterCommand,
  CounterResult,
  LockCommand,
  LockResult,
  QueueCommand,
  QueueResult,
  SetCommand,
  SetResult,
} from './checking/objects/commands.ts';
export {
  type LockState,
  models,
  type ObjectGuide,
  type ObjectModel,
} from './checking/objects/models.ts';
export {
  createObjectHistory,
  type ObjectCall,
  type ObjectCallHandle,
  type ObjectHistory,
} from './checking/objects/object-history.ts';
export type { Pattern } from './checking/objects/patterns.ts';
export {
  checkCounter as counter,
  checkSet as set,
  checkTotalQueue as totalQueue,
  checkUniqueIds as uniqueIds,
  type TallyVerdict,
} from './checking/objects/tallies.ts';
export {
  checkTransactions as transactions,
  type TransactionsOptions,
  type TransactionsVerdict,
} from './checking/transactions/check-transactions.ts';
export type { IsolationLevel } from './checking/transactions/isolation-levels.ts';
export type {
  TransactionCall,
  TransactionCommand,
  TransactionResult,
  TransactionStep,
} from './checking/transactions/transaction.ts';
export type { Violation } from './checking/violation.ts';
