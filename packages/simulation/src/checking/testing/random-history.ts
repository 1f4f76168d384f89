// Random histories of an atomic register: each operation takes effect at one moment between its
// call and its answer.

import type { Random } from '@trunkline/transport-core';
import {
  createHistory,
  type History,
  type OperationCommand,
  type OperationHandle,
} from '../history.ts';
import { apply } from './brute-force.ts';

/** Options of {@link randomHistory}. */
export interface RandomHistory {
  readonly operations: number;
  readonly clients: number;
  /** Default: a single key, `x`. */
  readonly keys?: readonly string[];
  /** Number of distinct values to write; Infinity gives each write a different value. */
  readonly values: number;
  /**
   * Share of operations whose outcome stays unknown. They take effect at any later time, or never.
   */
  readonly unknown: number;
  /**
   * Operations to draw from. Default: half gets, a quarter sets, and an eighth each of deletes and
   * cas.
   */
  readonly ops?: readonly OperationCommand['op'][] | undefined;
}

export function randomHistory(random: Random, options: RandomHistory): History {
  const { operations, clients, keys = ['x'], values, unknown, ops = OPS } = options;
  const history = createHistory();
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const store = new Map<string, string>();
  const busy: (Pending | undefined)[] = Array.from({ length: clients }, () => undefined);
  const lingering: OperationCommand[] = [];
  let written = 0;
  const drawValue = () =>
    `v${values === Number.POSITIVE_INFINITY ? written++ : Math.floor(random() * values)}`;
  const drawCommand = (): OperationCommand => {
    const op = pick(ops);
    const key = pick(keys);
    if (op === 'cas')
      return {
        key,
        op,
        expected: random() < 0.7 ? store.get(key) : drawValue(),
        value: drawValue(),
      };
    return op === 'set' ? { key, op, value: drawValue() } : { key, op };
  };
  const take = (command: OperationCommand) => {
    const { result, value } = apply(command, store.get(command.key));
    if (value === undefined) store.delete(command.key);
    else store.set(command.key, value);
    return result;
  };
  const step = (client: number) => {
    const pending = busy[client];
    if (pending === undefined) {
      if (history.operations.length === operations) return;
      const command = drawCommand();
      busy[client] = {
        command,
        handle: history.call(`c${client}`, command),
        lost: random() < unknown,
        effect: undefined,
      };
    } else if (pending.lost) {
      lingering.push(pending.command);
      if (random() < 0.5) pending.handle.unknown();
      busy[client] = undefined;
    } else if (pending.effect === undefined) pending.effect = { result: take(pending.command) };
    else {
      const looked = pending.command.op === 'get' || pending.command.op === 'cas' || random() < 0.3;
      pending.handle.ok((looked ? pending.effect.result : undefined) as string);
      busy[client] = undefined;
    }
  };
  while (history.operations.length < operations || busy.some((pending) => pending !== undefined)) {
    step(Math.floor(random() * clients));
    if (lingering.length > 0 && random() < 0.05) {
      const [command] = lingering.splice(Math.floor(random() * lingering.length), 1);
      if (random() < 0.7) take(command!);
    }
  }
  return history;
}

interface Pending {
  readonly command: OperationCommand;
  readonly handle: OperationHandle;
  readonly lost: boolean;
  effect: { readonly result: string | boolean | null | undefined } | undefined;
}

const OPS: readonly OperationCommand['op'][] = [
  'get',
  'get',
  'get',
  'get',
  'set',
  'set',
  'delete',
  'cas',
];
