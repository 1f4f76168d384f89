import { check } from '@trunkline/simulation';

const jobs = check.createObjectHistory<check.QueueCommand, check.QueueResult>();
jobs.call('c1', { op: 'enqueue', value: 'a' }).ok();
jobs.call('c2', { op: 'dequeue' }).ok('a');
jobs.call('c3', { op: 'dequeue' }).ok('a'); // delivered twice
const verdict = check.object(jobs, check.models.queue());
console.log(verdict.linearizable === false ? verdict.text : 'linearizable');

const accounts = check.createObjectHistory<check.TransactionCommand, check.TransactionResult>();
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
const checked = check.transactions(accounts);
console.log(checked.valid ? 'serializable' : checked.text);
