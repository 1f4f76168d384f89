// The bounds between which the reads of a counter must lie.

import type { CounterCommand, CounterResult } from './commands.ts';
import type { ObjectCall } from './object-history.ts';

/** Returns the reads of a counter outside of their bounds, in order of call. */
export function outOfBounds(calls: readonly ObjectCall<CounterCommand, CounterResult>[]): readonly {
  readonly call: ObjectCall<CounterCommand, CounterResult>;
  readonly least: number;
  readonly most: number;
}[] {
  const events = calls.flatMap((call) => {
    const called = { at: call.called, call, isReturn: false };
    if (call.outcome === 'failed') return [];
    return call.outcome === 'ok'
      ? [called, { at: call.returned!, call, isReturn: true }]
      : [called];
  });
  events.sort((a, b) => a.at - b.at);
  /** The sums of additions that are positive and negative, so far called and so far completed. */
  const called = { up: 0, down: 0 };
  const done = { up: 0, down: 0 };
  const before = new Map<ObjectCall<CounterCommand, CounterResult>, { up: number; down: number }>();
  const outside: { call: (typeof calls)[number]; least: number; most: number }[] = [];
  for (const { call, isReturn } of events) {
    const { command, result } = call;
    if (command.op === 'add')
      (isReturn ? done : called)[command.by > 0 ? 'up' : 'down'] += command.by;
    else if (!isReturn) before.set(call, { ...done });
    else if (result !== undefined) {
      const { up, down } = before.get(call)!;
      const [least, most] = [up + called.down, called.up + down];
      if (result < least || result > most) outside.push({ call, least, most });
    }
  }
  return outside.sort((a, b) => a.call.called - b.call.called);
}
