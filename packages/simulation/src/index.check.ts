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
export {
  type CounterCommand,
  type CounterResult,
  type LockCommand,
  type LockResult,
  type LockState,
  models,
  type ObjectGuide,
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
  checkTransactions as transactions,
  type TransactionsOptions,
  type TransactionsVerdict,
} from './checking/transactions/check-transactions.ts';
export type {
  TransactionCall,
  TransactionCommand,
  TransactionResult,
  TransactionStep,
} from './checking/transactions/transaction.ts';
export type { IsolationLevel } from './checking/transactions/isolation-levels.ts';
export type { Violation } from './checking/violation.ts';
