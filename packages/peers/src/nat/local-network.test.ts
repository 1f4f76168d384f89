// Tests of the facts about the local network.

import test from 'ava';
import {
  defaultGateways,
  isPublicAddress,
  mappableAddresses,
  sourceAddress,
} from './local-network.ts';

test('the default gateways are read from the routing table of Linux', (t) => {
  const routes = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask',
    'eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000',
    'eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF',
    'wlan0\t00000000\t010011AC\t0003\t0\t0\t600\t00000000',
    '',
  ].join('\n');
  t.deepEqual(defaultGateways(routes), ['172.17.0.1']);
  t.deepEqual(defaultGateways(''), []);
  t.deepEqual(defaultGateways('nonsense\t00000000\tzz\t0003'), []);
});

test('private, shared and local addresses are not public', (t) => {
  const local =
    '10.1.2.3 100.127.0.1 192.168.0.1 172.31.0.1 0.0.0.0 127.0.0.1 169.254.1.1 224.0.0.1';
  for (const address of local.split(' ')) t.false(isPublicAddress(address), address);
  for (const address of ['11.0.0.1', '100.128.0.1', '172.32.0.1', '8.8.8.8'])
    t.true(isPublicAddress(address), address);
});

test('the source address is the one on the route to the host', async (t) => {
  t.is(await sourceAddress('127.0.0.9'), '127.0.0.1');
  // A system lets no socket connect to the broadcast address unless the socket asks for it.
  await t.throwsAsync(sourceAddress('255.255.255.255'), { message: /^connect E/ });
});

test('addresses keep their scheme and path; loopback and IPv6 ones are left out', (t) => {
  const found = mappableAddresses([
    'tcp://0.0.0.0:7000',
    'ws://192.168.1.5:7001/rpc',
    '192.168.1.5:7002',
    'tcp://[2001:db8::1]:7003',
    '127.0.0.1:7004',
    'node-a',
  ]);
  t.deepEqual(
    found.map((address) => [address.host, address.port, address.at('203.0.113.7', 80)]),
    [
      [undefined, 7000, 'tcp://203.0.113.7:80'],
      ['192.168.1.5', 7001, 'ws://203.0.113.7:80/rpc'],
      ['192.168.1.5', 7002, '203.0.113.7:80'],
    ],
  );
});
