// Calls of objects: their groups, and how messages show them.

import type { ObjectCall } from './object-history.ts';

/** Groups calls by a name that their commands give. */
export function grouped<Command, Result>(
  calls: readonly ObjectCall<Command, Result>[],
  nameOf: (command: Command) => string,
): Map<string, ObjectCall<Command, Result>[]> {
  const groups = new Map<string, ObjectCall<Command, Result>[]>();
  for (const call of calls) {
    const name = nameOf(call.command);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [call]);
    else group.push(call);
  }
  return groups;
}

/** Formats a call with its client and its place in the history. */
export function line<Command, Result>(call: ObjectCall<Command, Result>): string {
  const { client, outcome, called, returned } = call;
  return `${client}  ${wordsOf(call)}  [${called}..${outcome === 'ok' ? returned : '?'}]`;
}

/** Formats the command and the result of a call. */
export function wordsOf<Command, Result>({
  command,
  outcome,
  result,
}: ObjectCall<Command, Result>) {
  const { op, object, ...rest } = command as Record<string, unknown>;
  const words = [op, ...(object === undefined ? [] : [object]), ...Object.values(rest).map(textOf)];
  const answer = outcome === 'ok' ? (result === undefined ? 'ok' : textOf(result)) : '?';
  return `${words.join(' ')} -> ${answer}`;
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
