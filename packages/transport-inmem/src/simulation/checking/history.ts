// What the clients of a key-value store did and saw, in order: what checkLinearizable judges.

/** What a client asks for. Values are strings; `undefined` is an absent key, and every key is absent at first. */
export type Command =
  | { readonly key: string; readonly op: 'get' }
  | { readonly key: string; readonly op: 'set'; readonly value: string }
  | { readonly key: string; readonly op: 'delete' }
  /** Writes `value` if the key holds `expected` at that moment. */
  | { readonly key: string; readonly op: 'cas'; readonly expected: string | undefined; readonly value: string };

/**
 * What a completed command saw:
 * - get: the value read; `undefined` where the key was absent
 * - set: the value before, `null` where the key was known to be absent; `undefined` where that was not looked at
 * - delete: whether there was something to delete; `undefined` where that was not looked at
 * - cas: whether it happened
 */
export type ResultOf<C extends Command> = { get: string | undefined; set: string | null | undefined; delete: boolean | undefined; cas: boolean }[C['op']];

/** One operation of a history: plain data. */
export type Operation = Command & {
  readonly client: string;
  /**
   * `ok`: it completed. `failed`: it certainly took no effect. `open` (no answer yet) and `unknown` (the client gave up): it may take
   * effect at any time after its call, or never.
   */
  readonly outcome: 'open' | 'ok' | 'failed' | 'unknown';
  /** Of an `ok` operation: see ResultOf. */
  readonly result?: string | boolean | null | undefined;
  /** Where its call stands in the order of all calls and answers of the history: 1, 2, 3 ... */
  readonly called: number;
  /** The same for its answer; `undefined` while it is open. Of an unknown operation it only says when the client gave up. */
  readonly returned?: number | undefined;
  /** Virtual milliseconds, for printing alone. */
  readonly calledAt?: number | undefined;
  readonly returnedAt?: number | undefined;
};

/** Takes the one answer to an operation; a second is a TypeError. `at` is virtual milliseconds, for printing alone. */
export interface Handle<C extends Command = Command> {
  /** It completed; a result that does not fit the command is a TypeError. */
  ok(result?: ResultOf<C>, at?: number): void;
  /** It certainly did not take effect, nor will it. */
  fail(at?: number): void;
  /** It may have taken effect, or may do so later: the same as no answer at all. */
  unknown(at?: number): void;
}

/** Records the operations of all clients. What counts is the order in which its methods are called. */
export interface History {
  /** `client` calls. One whose last operation is open or unknown may call again: it gave that one up. */
  call<C extends Command>(client: string, command: C, at?: number): Handle<C>;
  /** In order of call. */
  readonly operations: readonly Operation[];
}

/** An empty history. */
export function createHistory(): History {
  const operations: Operation[] = [];
  let sequence = 0;
  return {
    operations,
    call(client, command, at) {
      if (!COMMANDS.includes(command.op)) throw new TypeError(`history.call: op is one of ${COMMANDS.join(', ')}, not ${String(command.op)}`);
      const operation: Answered = { ...command, client, outcome: 'open', called: ++sequence, calledAt: at };
      operations.push(operation as Operation);
      const answer = (outcome: Operation['outcome'], at: number | undefined) => {
        if (operation.outcome !== 'open') throw new TypeError(`${command.op} ${command.key} of ${client} is answered already: ${operation.outcome}`);
        operation.outcome = outcome;
        operation.returned = ++sequence;
        operation.returnedAt = at;
      };
      return {
        ok(result, at) {
          if (!fits(command, result)) throw new TypeError(`${command.op} ${command.key} of ${client} cannot result in ${String(result)}`);
          answer('ok', at);
          operation.result = result;
        },
        fail: (at) => answer('failed', at),
        unknown: (at) => answer('unknown', at),
      };
    },
  };
}

/** An operation as its handle sees it. */
type Answered = { -readonly [K in 'outcome' | 'result' | 'returned' | 'returnedAt']?: Operation[K] } & Omit<
  Operation,
  'outcome' | 'result' | 'returned' | 'returnedAt'
>;

function fits(command: Command, result: unknown): boolean {
  if (command.op === 'cas') return typeof result === 'boolean';
  if (command.op === 'delete') return typeof result === 'boolean' || result === undefined;
  return typeof result === 'string' || result === undefined || (command.op === 'set' && result === null);
}

const COMMANDS = ['get', 'set', 'delete', 'cas'];
