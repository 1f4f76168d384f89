// Tests of address lists: their encoding, and the entries that are read from them.

import test from 'ava';
import { peersProtocol } from '../protocol.ts';
import {
  decodeList,
  encodeList,
  LONGEST_LIST,
  readAddressEntries,
  readAddressEntry,
} from './address-list.ts';

const idOf = (i: number) => i.toString(16).padStart(64, '0');
const entry = (i: number, host: string) => ({ nodeId: idOf(i), address: `${host}:${i}` });

test('a list is decoded as it was encoded: 250 entries of the longest names fit, and a list that would be too long loses its last entries', (t) => {
  for (const isTooLong of [false, true]) {
    const host = isTooLong ? 'ü'.repeat(400) : 'h'.repeat(240);
    const addresses = Array.from({ length: 250 }, (_, i) => entry(i, host));
    const encoded = encodeList(addresses);
    const told = decodeList(encoded)!;
    t.true(encoded.length <= LONGEST_LIST);
    t.is(told.length < 250, isTooLong);
    t.true(told.length > 100, `${told.length}`);
    t.deepEqual(told, addresses.slice(0, told.length));
  }
});

test('a list that is too long is refused; a malformed list is decoded to undefined', (t) => {
  const { request } = peersProtocol.methods.addresses;
  t.throws(() => request.decode(new Uint8Array(LONGEST_LIST + 1)), { code: 'resource_exhausted' });
  const nested = `{"addresses":${'['.repeat(60_000)}`;
  for (const text of ['', '[', '{}', '[]', '{"addresses":{}}', nested, '\u0000']) {
    const list = decodeList(new TextEncoder().encode(text));
    t.is(list, undefined, text.slice(0, 20));
  }
});

test('good entries are kept in order, once however they are spelled, and the rest is dropped', (t) => {
  const good = [
    { nodeId: idOf(2), address: 'host:1' },
    { nodeId: idOf(3), address: 'host:1' },
    { nodeId: idOf(2), address: 'ws://host:3/p' },
  ];
  const hostile = JSON.parse(
    '[null,1,-0.5,"x",[],[[[[]]]],{},{"nodeId":{"nodeId":1},"address":["a:1"]},{"__proto__":{"nodeId":"1"}},true]',
  );
  const [copy, undialable] = ['tcp://HOST:1', 'host:0'].map((address) => ({
    nodeId: idOf(2),
    address,
  }));
  const list = [good[0], ...hostile, good[1], copy, good[2], good[1], undialable];
  t.deepEqual(readAddressEntries(list), good);
  t.is(({} as Record<string, unknown>)['nodeId'], undefined);
});

test('of a list of 100,000 entries, only 250 are examined', (t) => {
  const list = Array.from({ length: 100_000 }, (_, n) => ({
    nodeId: idOf(n),
    address: `host:${1 + (n % 60_000)}`,
  }));
  let looks = 0;
  const watched = new Proxy(list, {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
      return Reflect.get(target, key, receiver);
    },
  });
  t.is(readAddressEntries(watched).length, 250);
  t.true(looks <= 250, String(looks));
});

const id = 'ab'.repeat(32);

test('an entry is read as it was sent, without surrounding white space and unknown members', (t) => {
  const read = (given: unknown) => readAddressEntry(given)?.entry;
  const addresses = 'host:1 [::1]:26656 ws://host:80/p2p wss://host/p2p a-name inmem://a';
  for (const address of addresses.split(' '))
    t.deepEqual(read({ nodeId: id, address }), { nodeId: id, address });
  const expected = { nodeId: id, address: 'host:1' };
  t.deepEqual(read({ nodeId: id, address: ' host:1 ' }), expected);
  t.deepEqual(read({ ...expected, load: 7 }), expected);
  const hostile = `{"nodeId":"${id}","address":"host:1","__proto__":{"x":1}}`;
  t.deepEqual(read(JSON.parse(hostile)), expected);
});

test('an entry is refused if it is none, or if its id or its address is invalid or cannot be dialed', (t) => {
  const none = [null, undefined, 7, Number.NaN, true, '', 'host:1', `${id}@host:1`];
  const lists = [[], [id, 'host:1'], {}, () => {}];
  for (const value of [...none, ...lists]) t.is(readAddressEntry(value), undefined, String(value));
  const ids = [undefined, null, 7, '', id.toUpperCase(), id.slice(1), `${id}a`, `${id}\n`];
  for (const nodeId of [...ids, [id], { toString: () => id }])
    t.is(readAddressEntry({ nodeId, address: 'host:1' }), undefined, String(nodeId));
  const addresses = [
    ...[undefined, null, 7, ['host:1'], '', '  ', 'host\u0000:1', 'host\n:1', 'ho\u0085st:1'],
    ...['mem:a\u202eb', 'mem:a\u2028b', 'mem:a\ud800b', `${id}@host:1`],
    ...'user@host:1 ws://u@host:1 host:0 ws://host:0/p :80 0.0.0.0:80 [::]:80'.split(' '),
    ...'[::ffff:0.0.0.0]:80 tcp://:80 [fe80::1%eth0]:80 ws://[fe80::1]:80/p'.split(' '),
  ];
  for (const address of addresses)
    t.is(readAddressEntry({ nodeId: id, address }), undefined, String(address));
});
