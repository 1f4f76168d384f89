import { check } from '@trunkline/simulation';

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

const ids = check.createObjectHistory<{ op: 'generate' }, string>();
ids.call('c1', { op: 'generate' }).ok('17');
ids.call('c2', { op: 'generate' }).ok('17');
const unique = check.uniqueIds(ids);
console.log(unique.valid === true ? 'unique' : unique.text);
