// Tests of receipts that publishers requested.

import test from 'ava';
import { ReceiptRequests } from './deliveries.ts';

test('a receipt is sent once, with the outcome of the copy that requested it', (t) => {
  const told: string[] = [];
  const requests = new ReceiptRequests((_, verdict) => void told.push(verdict));
  const id = { origin: 'a', epoch: 1, sequence: 1 };
  requests.add(id, 'a');
  requests.answer(id, 'b', 'took');
  t.deepEqual(told, []);
  requests.answer(id, 'a', 'ignored');
  requests.answer(id, 'a', 'took');
  t.deepEqual(told, ['ignored']);
  t.true(requests.isEmpty);
});
