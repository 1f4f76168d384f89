// Tests of reading address entries.

import test from 'ava';
import { readAddressEntry } from './address-list.ts';

const id = 'ab'.repeat(32);

test('an entry is read as it was sent, without surrounding white space', (t) => {
  for (const address of [
    'host:1',
    '[::1]:26656',
    'ws://host:80/p2p',
    'wss://host/p2p',
    'a-name',
    'inmem://a',
  ])
    t.deepEqual(readAddressEntry({ nodeId: id, address })?.entry, { nodeId: id, address });
  t.deepEqual(readAddressEntry({ nodeId: id, address: ' host:1 ' })?.entry, {
    nodeId: id,
    address: 'host:1',
  });
});

test('unknown members are ignored', (t) => {
  t.deepEqual(readAddressEntry({ nodeId: id, address: 'host:1', load: 7 })?.entry, {
    nodeId: id,
    address: 'host:1',
  });
  t.deepEqual(
    readAddressEntry(JSON.parse(`{"nodeId":"${id}","address":"host:1","__proto__":{"x":1}}`))
      ?.entry,
    { nodeId: id, address: 'host:1' },
  );
});

test('all spellings of one entry have one key, and two nodes at one address have two', (t) => {
  const key = (nodeId: string, address: string) => readAddressEntry({ nodeId, address })?.key;
  t.is(key(id, 'tcp://Host:1'), key(id, 'host:1'));
  t.not(key(id, 'host:1'), key(id, 'host:2'));
  t.not(key(id, 'host:1'), key('cd'.repeat(32), 'host:1'));
});

test('an invalid entry is refused', (t) => {
  const garbage: unknown[] = [
    null,
    undefined,
    7,
    Number.NaN,
    true,
    '',
    'host:1',
    `${id}@host:1`,
    [],
    [id, 'host:1'],
    {},
    () => {},
  ];
  for (const value of garbage) t.is(readAddressEntry(value), undefined, String(value));
});

test('an invalid node id is refused', (t) => {
  for (const nodeId of [
    undefined,
    null,
    7,
    '',
    id.toUpperCase(),
    id.slice(1),
    `${id}a`,
    `${id}\n`,
    [id],
    { toString: () => id },
  ])
    t.is(readAddressEntry({ nodeId, address: 'host:1' }), undefined, String(nodeId));
});

test('an address that is invalid or cannot be dialed is refused', (t) => {
  const wrong = [
    undefined,
    null,
    7,
    ['host:1'],
    '',
    '  ',
    'host\u0000:1',
    'host\n:1',
    'ho\u0085st:1',
    'mem:a\u202eb',
    'mem:a\u2028b',
    'mem:a\ud800b',
    `${id}@host:1`,
    'user@host:1',
    'ws://u@host:1',
  ];
  const undialable = [
    'host:0',
    'ws://host:0/p',
    ':80',
    '0.0.0.0:80',
    '[::]:80',
    '[::ffff:0.0.0.0]:80',
    'tcp://:80',
    '[fe80::1%eth0]:80',
    'ws://[fe80::1]:80/p',
  ];
  for (const address of [...wrong, ...undialable])
    t.is(readAddressEntry({ nodeId: id, address }), undefined, String(address));
});

test('an address has at most 256 characters', (t) => {
  t.truthy(readAddressEntry({ nodeId: id, address: 'a'.repeat(256) }));
  t.is(readAddressEntry({ nodeId: id, address: 'a'.repeat(257) }), undefined);
  t.is(readAddressEntry({ nodeId: id, address: 'a'.repeat(1e6) }), undefined);
});
