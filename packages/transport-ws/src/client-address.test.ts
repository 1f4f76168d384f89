// Tests of the address that a client behind proxies has.

import test from 'ava';
import { clientAddress } from './client-address.ts';

test('without trustProxy the address is that of the socket, without an IPv4 mapping', (t) => {
  const find = clientAddress(undefined);
  t.is(find('10.0.0.1', '203.0.113.7'), '10.0.0.1');
  t.is(find('::ffff:10.0.0.1', undefined), '10.0.0.1');
});

test('a number trusts as many proxies, counted from this server', (t) => {
  const rows: [number, string | undefined, string][] = [
    [0, '203.0.113.7', '10.0.0.1'],
    [1, undefined, '10.0.0.1'],
    [1, '203.0.113.7', '203.0.113.7'],
    [1, '6.6.6.6, 203.0.113.7', '203.0.113.7'],
    [2, '6.6.6.6, 203.0.113.7 , 10.0.0.2', '203.0.113.7'],
    [9, '203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [1, '203.0.113.7:4711', '203.0.113.7'],
    [1, '[2001:DB8:0::1]:4711', '2001:db8::1'],
    [1, '2001:db8:0::1', '2001:db8::1'],
    [2, 'unknown, 10.0.0.2', '10.0.0.2'],
    [2, '6.6.6.6, unknown', '10.0.0.1'],
    [2, '', '10.0.0.1'],
  ];
  for (const [hops, header, client] of rows)
    t.is(clientAddress(hops)('10.0.0.1', header), client, `${hops} ${header}`);
});

test('a list trusts the proxies in its ranges', (t) => {
  const find = clientAddress(['10.0.0.0/8', '192.168.0.1', 'fd00::/8']);
  t.is(find('10.0.0.1', '6.6.6.6, 203.0.113.7, fd00::2, 192.168.0.1'), '203.0.113.7');
  t.is(find('::ffff:10.0.0.1', '::ffff:203.0.113.7'), '203.0.113.7');
  t.is(find('203.0.113.9', '6.6.6.6'), '203.0.113.9');
  t.is(find('10.0.0.1', '10.0.0.2'), '10.0.0.2');
  t.is(clientAddress([])('10.0.0.1', '6.6.6.6'), '10.0.0.1');
});

test('anything else throws a TypeError that names it', (t) => {
  for (const value of [
    -1,
    1.5,
    true,
    '10.0.0.0/8',
    ['10.0.0.0/33'],
    ['example.com'],
    ['::/129'],
    ['1.2.3.4/'],
    [1],
  ])
    t.throws(
      () => clientAddress(value as never),
      { instanceOf: TypeError, message: /trustProxy/ },
      String(value),
    );
});
