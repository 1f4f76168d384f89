import {
  checkObject,
  checkTransactions,
  createObjectHistory,
  models,
  type QueueCommand,
  type QueueResult,
  type TransactionCommand,
  type TransactionResult,
} from '@trunkline/simulation';

const jobs = createObjectHistory<QueueCommand, QueueResult>();
jobs.call('c1', { op: 'enqueue', value: 'a' }).ok();
jobs.call('c2', { op: 'dequeue' }).ok('a');
jobs.call('c3', { op: 'dequeue' }).ok('a'); // delivered twice
const verdict = checkObject(jobs, models.queue());
console.log(verdict.linearizable === false ? verdict.text : 'linearizable');

const accounts = createObjectHistory<TransactionCommand, TransactionResult>();
const [on, off] = [
  accounts.call('c1', [
    { op: 'read', key: 'x' },
    { op: 'append', key: 'y', value: '1' },
  ]),
  accounts.call('c2', [
    { op: 'read', key: 'y' },
    { op: 'append', key: 'x', value: '2' },
  ]),
];
on.ok([[], undefined]); // neither transaction saw the other: write skew
off.ok([[], undefined]);
const checked = checkTransactions(accounts);
console.log(checked.serializable ? 'serializable' : checked.text);
