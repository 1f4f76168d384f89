// Explains a counter-example: a table of its operations, and the reason in one sentence.

import { formatTime } from '../kernel/trace.ts';
import { accepts, type Effect, type Value } from './effect.ts';
import type { Operation } from './history.ts';

/**
 * Formats a counter-example: one line per operation, and a last line with the reason.
 * @param effects the part of `prefix` that remains after `shrink`.
 * @param prefix the shortest prefix that fails, as far as `shortestFailing` could tell within its
 * limit, so the operation that returned last is the culprit.
 * @param total the number of all operations on the key.
 */
export function explain(
  key: string,
  effects: readonly Effect[],
  prefix: readonly Effect[],
  total: number,
): string {
  // Operations whose results show the values that they found; `shrink` drops results that are not
  // needed.
  const looked = new Set(
    prefix.filter((effect) => effect.needs !== 'any').map((effect) => effect.operation),
  );
  const head = `not linearizable: key ${key}, ${effects.length} of its ${total} operations: client, operation -> result, [call..return]`;
  const rows = effects.map(({ operation, needs }) => [
    operation.client,
    told(operation),
    `${span(operation)}${needs === 'any' && looked.has(operation) ? ' *' : ''}`,
  ]);
  const note = rows.some((row) => row[2]!.endsWith('*'))
    ? ['  * its write alone violates linearizability, whatever it read']
    : [];
  return [head, ...table(rows), ...note, reason(effects, prefix)].join('\n');
}

/**
 * Explains why `effects` fail. Writes are looked up in the whole prefix, because otherwise the
 * words "nothing had written" might be true only for the operations in the table.
 */
function reason(effects: readonly Effect[], prefix: readonly Effect[]): string {
  const certain = effects
    .filter((effect) => effect.certain)
    .sort((a, b) => b.returned - a.returned);
  const culprit = certain[0]!;
  const who = `${culprit.operation.client} ${told(culprit.operation)} returned`;
  const what =
    culprit.needs === 'is' ? quoted(culprit.needed) : `anything but ${quoted(culprit.needed)}`;
  const writes = prefix.filter(
    (effect) =>
      effect.operation !== culprit.operation && effect.writes && accepts(culprit, effect.value),
  );
  const fromStart = accepts(culprit, undefined);
  if (writes.length === 0 && !fromStart) return `${who}, though nothing had written ${what}`;

  const others = certain.filter(
    (effect) => effect.returned < culprit.called && showsOther(effect, culprit),
  );
  const since = others.find((other) => writes.every((write) => write.returned < other.called));
  if (since !== undefined)
    return `${who} after ${named(since)} had completed, and nothing wrote ${what} since`;

  const isWrittenOnce = writes.length === 1 && !fromStart;
  for (const other of isWrittenOnce ? others : []) {
    const seen = certain.find(
      (effect) =>
        effect.returned < other.called && effect.needs === 'is' && accepts(culprit, effect.needed),
    );
    if (seen !== undefined)
      return `${who} after ${named(other)} had completed, though ${what} was written only once, and ${named(seen)} had seen that before`;
  }
  return `${who}, and no order of these operations explains that; without this operation there is one`;
}

/**
 * Returns true if, when `effect` took effect, the key certainly held a value that `culprit` cannot
 * have found. An effect that does not write needs 'is' or 'not'.
 */
function showsOther(effect: Effect, culprit: Effect): boolean {
  if (effect.writes) return !accepts(culprit, effect.value);
  return effect.needs === 'is'
    ? !accepts(culprit, effect.needed)
    : culprit.needs === 'is' && culprit.needed === effect.needed;
}

function named({ operation }: Effect): string {
  return `${operation.op === 'set' && operation.result === undefined ? asked(operation) : told(operation)} by ${operation.client}`;
}

/** Formats an operation and its answer, or '?' without one. */
export function told(operation: Operation): string {
  return `${asked(operation)} -> ${operation.outcome === 'ok' ? answered(operation) : '?'}`;
}

function asked(operation: Operation): string {
  const { op, key } = operation;
  if (op === 'set') return `set ${key} ${quoted(operation.value)}`;
  return op === 'cas'
    ? `cas ${key} ${quoted(operation.expected)} => ${quoted(operation.value)}`
    : `${op} ${key}`;
}

function answered({ op, result }: Operation): string {
  if (op === 'get') return quoted(result as Value);
  // A set may return the previous value, which is null if the key was absent.
  if (op === 'set' && result !== undefined)
    return `ok, was ${quoted((result as string | null) ?? undefined)}`;
  return result === undefined ? 'ok' : String(result);
}

function quoted(value: Value): string {
  return value === undefined ? 'absent' : `'${JSON.stringify(value).slice(1, -1)}'`;
}

function span({ outcome, called, returned, calledAt, returnedAt }: Operation): string {
  const ended = outcome === 'ok';
  const end = ended && returnedAt !== undefined ? formatTime(returnedAt) : '?';
  const times = calledAt === undefined ? '' : ` ${formatTime(calledAt)}..${end} ms`;
  return `[${called}..${ended ? returned : '?'}]${times}`;
}

/** Formats rows as lines of padded columns. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  );
}
