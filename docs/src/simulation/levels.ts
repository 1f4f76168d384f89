import { check } from '@trunkline/simulation';

const jobs = check.createObjectHistory<check.QueueCommand, check.QueueResult>();
jobs.call('c1', { op: 'enqueue', value: 'a' }).ok();
jobs.call('c2', { op: 'dequeue' }).ok('a');
jobs.call('c3', { op: 'dequeue' }).ok('a'); // delivered twice
const queue = check.object(jobs, check.models.queue());
console.log(queue.linearizable === false ? queue.text : 'linearizable');

const accounts = check.createObjectHistory<check.TransactionCommand, check.TransactionResult>();
const [on, off] = [
  accounts.call('c1', [
    { op: 'read', key: 'x' },
    { op: 'write', key: 'y', value: '1' },
  ]),
  accounts.call('c2', [
    { op: 'read', key: 'y' },
    { op: 'write', key: 'x', value: '2' },
  ]),
];
on.ok([null, undefined]); // neither transaction saw the other: write skew
off.ok([null, undefined]);
for (const level of ['snapshot', 'serializable'] as const) {
  const verdict = check.transactions(accounts, { level });
  console.log(level, verdict.valid ? 'holds' : `is violated\n${verdict.text}`);
}
