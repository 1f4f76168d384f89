// Tests of the kinds of IP addresses and of address groups.

import test from 'ava';
import { type IpKind, kindOfIp, parseIp } from './ip.ts';
import { groupOfIp, groupOfName } from './place.ts';

const KINDS: Record<IpKind, string[]> = {
  public: [
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '100.128.0.1',
    '192.167.0.1',
    '11.0.0.1',
    '223.255.255.255',
    '2606:4700::1',
    '2002:101:101::',
    '64:ff9b::1.1.1.1',
    '2001:200::1',
    '2001:0:1::fefe:fefe',
  ],
  private: [
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    'fc00::1',
    'fd12::1',
    'fec0::1',
    '64:ff9b::10.0.0.1',
    '2002:c0a8:1::',
    '64:ff9b:1::1.2.3.4',
  ],
  shared: ['100.64.0.1', '100.127.255.255'],
  loopback: [
    '127.0.0.1',
    '127.255.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ],
  link_local: ['169.254.1.1', 'fe80::1', 'febf::1', '2002:a9fe:101::'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  unspecified: ['0.0.0.0', '::', '::ffff:0.0.0.0'],
  metadata: [
    '169.254.169.254',
    '100.100.100.200',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '64:ff9b:1::a9fe:a9fe',
    '169.254.170.2',
    '169.254.42.42',
    '192.0.0.192',
    '64:ff9b:1::192.0.0.192',
    'fd00:c1::a9fe:a9fe',
    'fd00:42::42',
  ],
  reserved: [
    '0.1.2.3',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '198.19.255.1',
    '192.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '2001:10::1',
    '2001:1ff::1',
    '4000::1',
    '5f00::1',
  ],
};

for (const [kind, addresses] of Object.entries(KINDS)) {
  test(`${kind} addresses are recognized, also through tunnels`, (t) => {
    for (const address of addresses) t.is(kindOfIp(parseIp(address)!), kind as IpKind, address);
  });
}

test('groups follow Tendermint: /16, also behind tunnels; /32 and /36 of IPv6; Tor', (t) => {
  const groups: [string, string][] = [
    ['12.1.2.3', '12.1.0.0'],
    ['173.1.2.3', '173.1.0.0'],
    ['2002:0c01:0203::', '12.1.0.0'],
    ['2001:0:1234::f3fe:fdfc', '12.1.0.0'],
    ['64:ff9b::0c01:0203', '12.1.0.0'],
    ['::ffff:0:0c01:0203', '12.1.0.0'],
    ['fd87:d87e:eb43:1234::5678', 'tor:2'],
    ['fd87:d87e:eb43:1345::6789', 'tor:3'],
    ['2602:100::1', '2602:100::'],
    ['2602:0100::1234', '2602:100::'],
    ['2001:470:1f10:a1::2', '2001:470:1000::'],
    ['127.0.0.1', 'local'],
    ['127.9.0.1', 'local'],
    ['::1', 'local'],
    ['0.1.2.3', 'local'],
  ];
  for (const [address, group] of groups) t.is(groupOfIp(parseIp(address)!), group, address);
});

test('a network of private addresses has groups, too', (t) => {
  t.is(groupOfIp(parseIp('10.1.2.3')!), '10.1.0.0');
  t.is(groupOfIp(parseIp('10.2.2.3')!), '10.2.0.0');
  t.is(groupOfIp(parseIp('192.168.7.1')!), '192.168.0.0');
});

test('all names of one domain are one group', (t) => {
  t.is(groupOfName('a.b.Example.com'), 'example.com');
  t.is(groupOfName('example.COM'), 'example.com');
  t.is(groupOfName('n17'), 'n17');
});
