// Histories of a key-value store: the operations and results of its clients, in order.
// `check.linearizable` checks them.

/**
 * A command of a client. Values are strings; `undefined` stands for an absent key, and every key is
 * absent at first.
 */
export type OperationCommand =
  | { readonly key: string; readonly op: 'get' }
  | { readonly key: string; readonly op: 'set'; readonly value: string }
  | { readonly key: string; readonly op: 'delete' }
  /** Writes `value` if the key holds `expected` at that moment. */
  | {
      readonly key: string;
      readonly op: 'cas';
      readonly expected: string | undefined;
      readonly value: string;
    };

/**
 * The result of a completed command:
 * - get: the value read; `undefined` if the key was absent
 * - set: the previous value, `null` if the key was absent; `undefined` if that is not known
 * - delete: true if the key existed; `undefined` if that is not known
 * - cas: true if it wrote
 */
export type OperationResult<C extends OperationCommand> = {
  get: string | undefined;
  set: string | null | undefined;
  delete: boolean | undefined;
  cas: boolean;
}[C['op']];

/** An operation of a history, as plain data. */
export type Operation = OperationCommand & {
  readonly client: string;
  /**
   * `ok`: the operation completed. `failed`: it certainly had no effect. `open` (no answer yet) and
   * `unknown` (the client gave up): it may take effect at any time after its call, or never.
   */
  readonly outcome: 'open' | 'ok' | 'failed' | 'unknown';
  /** The result of an `ok` operation: see OperationResult. */
  readonly result?: string | boolean | null | undefined;
  /** Position of the call in the order of all calls and answers of the history: 1, 2, 3 ... */
  readonly called: number;
  /**
   * Position of the answer in the same order; `undefined` while the operation is open. For an
   * unknown operation, it is only the position at which the client gave up.
   */
  readonly returned?: number | undefined;
  /**
   * Time of the call in milliseconds of the history's clock; undefined without one. It has no
   * effect on the check, but a failure shows it.
   */
  readonly calledAt?: number | undefined;
  /** Time of the answer. */
  readonly returnedAt?: number | undefined;
};

/** Takes the answer to an operation; a second answer throws a TypeError. */
export interface OperationHandle<C extends OperationCommand = OperationCommand> {
  /**
   * Reports that the operation completed. Throws a TypeError if the result does not fit the
   * command.
   */
  ok(result?: OperationResult<C>): void;
  /** Reports that the operation has had no effect and never will. */
  fail(): void;
  /**
   * Reports that the operation may have taken effect, or may still do so. This has the same meaning
   * as no answer.
   */
  unknown(): void;
}

/**
 * Records the operations of all clients. The order in which its methods are called is the order of
 * the history.
 */
export interface History {
  /**
   * Records a call of `client`. A client whose last operation is open or unknown may call again,
   * which means that it has given up that operation. Throws a TypeError if `op` is unknown.
   */
  call<C extends OperationCommand>(client: string, command: C): OperationHandle<C>;
  /** All operations in order of call. */
  readonly operations: readonly Operation[];
}

/**
 * Creates an empty history.
 *
 * @param clock gives the time of each call and answer; pass the simulation, so that a failure shows
 * the moment of the violation.
 */
export function createHistory(clock?: { readonly now: number }): History {
  const operations: Operation[] = [];
  let sequence = 0;
  return {
    operations,
    call(client, command) {
      if (!COMMANDS.includes(command.op))
        throw new TypeError(
          `history.call: op must be one of ${COMMANDS.join(', ')}, got ${String(command.op)}`,
        );
      const operation: Answered = {
        ...command,
        client,
        outcome: 'open',
        called: ++sequence,
        calledAt: clock?.now,
      };
      operations.push(operation as Operation);
      const answer = (outcome: Operation['outcome']) => {
        if (operation.outcome !== 'open')
          throw new TypeError(
            `${command.op} ${command.key} of ${client} already has an outcome: ${operation.outcome}`,
          );
        operation.outcome = outcome;
        operation.returned = ++sequence;
        operation.returnedAt = clock?.now;
      };
      return {
        ok(result) {
          if (!fits(command, result))
            throw new TypeError(
              `${command.op} ${command.key} of ${client} cannot result in ${String(result)}`,
            );
          answer('ok');
          operation.result = result;
        },
        fail: () => answer('failed'),
        unknown: () => answer('unknown'),
      };
    },
  };
}

/** An operation as its handle modifies it. */
type Answered = {
  -readonly [K in 'outcome' | 'result' | 'returned' | 'returnedAt']?: Operation[K];
} & Omit<Operation, 'outcome' | 'result' | 'returned' | 'returnedAt'>;

function fits(command: OperationCommand, result: unknown): boolean {
  if (command.op === 'cas') return typeof result === 'boolean';
  if (command.op === 'delete') return typeof result === 'boolean' || result === undefined;
  return (
    typeof result === 'string' || result === undefined || (command.op === 'set' && result === null)
  );
}

const COMMANDS = ['get', 'set', 'delete', 'cas'];
