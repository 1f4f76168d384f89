// Long histories of transactions on a correct database, of many clients.

import type { Random } from '@trunkline/transport-core';
import { createObjectHistory, type ObjectHistory } from '../objects/object-history.ts';
import type {
  TransactionCommand,
  TransactionResult,
  TransactionStep,
} from '../transactions/transaction.ts';

/**
 * Returns a history of transactions that each take effect at one moment between their call and
 * their answer. The keys change over time, so that lists stay short. A share of the transactions
 * fails, and of another share the outcome stays unknown. With `isolated` false, transactions read
 * the state at their call.
 */
export function largeTransactions(
  random: Random,
  op: 'append' | 'write',
  transactions: number,
  clients: number,
  isolated = true,
): ObjectHistory<TransactionCommand, TransactionResult> {
  const history = createObjectHistory<TransactionCommand, TransactionResult>();
  const store = new Map<string, TransactionResult[number]>();
  const draw = (limit: number) => Math.floor(random() * limit);
  const idle = Array.from({ length: clients }, (_, index) => `c${index}`);
  const open: { client: string; run?: () => void; answer: () => void }[] = [];
  for (let called = 0; called < transactions || open.length > 0; ) {
    if (called < transactions && idle.length > 0 && random() < 0.6) {
      const number = ++called;
      const client = idle.pop()!;
      const command = Array.from({ length: 1 + draw(4) }, (_, index): TransactionStep => {
        const key = `k${Math.floor(number / 200) * 8 + draw(10)}`;
        return draw(2) === 0 ? { op: 'read', key } : { op, key, value: `${number}.${index}` };
      });
      const call = history.call(client, command);
      const outcome = random();
      let result: TransactionResult = [];
      const before = isolated ? undefined : new Map(store);
      const run = () => {
        if (outcome >= 0.98) return;
        result = command.map((step) => {
          const value = apply(store, step, op);
          return before === undefined ? value : apply(before, step, op);
        });
      };
      const answer = () =>
        outcome < 0.97 ? call.ok(result) : outcome < 0.98 ? call.unknown() : call.fail();
      open.push({ client, run, answer });
    } else if (open.length > 0) {
      const place = draw(open.length);
      const each = open[place]!;
      if (each.run !== undefined) {
        each.run();
        delete each.run;
      } else {
        each.answer();
        idle.push(each.client);
        open.splice(place, 1);
      }
    }
  }
  return history;
}

function apply(
  store: Map<string, TransactionResult[number]>,
  step: TransactionStep,
  op: 'append' | 'write',
): TransactionResult[number] {
  const value = store.get(step.key) ?? (op === 'append' ? [] : null);
  if (step.op === 'read') return value;
  store.set(step.key, op === 'write' ? step.value : [...(value as string[]), step.value]);
  return undefined;
}
