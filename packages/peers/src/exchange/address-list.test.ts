// Tests of the encoding of address lists.

import test from 'ava';
import { AddressList, addressList, LONGEST_LIST } from './address-list.ts';

const entry = (i: number, host = 'h'.repeat(240)) => ({
  nodeId: i.toString(16).padStart(64, '0'),
  address: `${host}:${i}`,
});

test('a list is decoded as it was encoded; 250 entries of the longest names fit', (t) => {
  const addresses = Array.from({ length: 250 }, (_, i) => entry(i));
  const encoded = addressList.encode({ addresses });
  t.true(encoded.length <= LONGEST_LIST);
  t.deepEqual(addressList.decode(encoded).read(), addresses);
});

test('a list that would be too long loses its last entries', (t) => {
  const addresses = Array.from({ length: 250 }, (_, i) => entry(i, 'ü'.repeat(400)));
  const encoded = addressList.encode({ addresses });
  const told = addressList.decode(encoded).read()!;
  t.true(
    encoded.length <= LONGEST_LIST && told.length > 100 && told.length < 250,
    `${told.length}`,
  );
  t.deepEqual(told, addresses.slice(0, told.length));
});

test('decoding checks only the length; an invalid list is reported when it is read', (t) => {
  t.throws(() => addressList.decode(new Uint8Array(LONGEST_LIST + 1)), {
    code: 'resource_exhausted',
  });
  for (const text of [
    '',
    '[',
    '{}',
    '[]',
    '{"addresses":{}}',
    `{"addresses":${'['.repeat(60_000)}`,
    '\u0000',
  ]) {
    const list = addressList.decode(new TextEncoder().encode(text));
    t.true(list instanceof AddressList);
    t.is(list.read(), undefined, text.slice(0, 20));
  }
});
