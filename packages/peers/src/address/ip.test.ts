// Tests of parsing and formatting IP addresses, of their kinds, and of address groups.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { formatIp, type IpKind, kindOfIp, parseIp, startsWith } from './ip.ts';
import { groupOfIp, groupOfName } from './place.ts';

const hex = (ip: Uint8Array | undefined) =>
  ip && Array.from(ip, (byte) => byte.toString(16).padStart(2, '0')).join('');

for (const [title, texts, bytes] of [
  [
    'IPv4 is 4 bytes, and IPv4 mapped into IPv6 gives the same 4',
    '1.2.3.255 ::ffff:1.2.3.255 [::FFFF:102:3ff] 0:0:0:0:0:ffff:1.2.3.255',
    '010203ff',
  ],
  [
    'all spellings of an IPv6 address give the same 16 bytes',
    '::1 [::1] 0:0:0:0:0:0:0:1 0000::0001 ::0.0.0.1',
    `${'00'.repeat(15)}01`,
  ],
  ['a zone is left out', 'fe80::1%eth0 [fe80::1%25] FE80:0::1', `fe80${'0'.repeat(27)}1`],
  ['zero is an address', '::', '00'.repeat(16)],
  ['one group may be left out', '1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ['the end may be IPv4', '64:ff9b::1.2.3.4', '0064ff9b000000000000000001020304'],
] as const)
  test(title, (t) => {
    for (const text of texts.split(' ')) t.is(hex(parseIp(text)), bytes, text);
  });

test('invalid and ambiguous addresses are refused', (t) => {
  const refused = [
    '1.2.3 127.1 1.2.3.4.5 1.2.3.256 01.2.3.4 0x7f.0.0.1 １.2.3.4 2130706433 localhost',
    '1.2.3.4%eth0 [1.2.3.4] : ::: ::1:: 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7:8:: 12345::',
    'g:: 1::2: :1::2 ::1.2.3.4:5 ::1.2.3 ::1% ::% %eth0 [::1 ::1] [::1]:80 [] 1.2.3.4::',
  ];
  for (const text of ['', '1.2.3.4 ', '::1 ', ...refused.flatMap((words) => words.split(' '))])
    t.is(parseIp(text), undefined, text);
});

test('an address is written in its shortest form, and parsed again', (t) => {
  t.is(formatIp(parseIp('2001:DB8:0:0:1:0:0:1')!), '2001:db8::1:0:0:1');
  t.is(formatIp(parseIp('::ffff:9.8.7.6')!), '9.8.7.6');
  const random = seededRandom(3);
  for (let i = 0; i < 2_000; i++) {
    const ip = Uint8Array.from({ length: 16 }, () =>
      random() < 0.6 ? 0 : Math.floor(random() * 256),
    );
    const text = formatIp(ip);
    if (!text.includes(':')) continue;
    t.deepEqual(parseIp(text), ip, text);
  }
});

test('a prefix may end inside a byte', (t) => {
  const ip = parseIp('172.31.0.1')!;
  t.true(startsWith(ip, [172, 16], 12));
  t.false(startsWith(ip, [172, 16], 13));
  t.true(startsWith(ip, [], 0));
});

const KINDS: Record<IpKind, string> = {
  public: `1.1.1.1 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 192.167.0.1 11.0.0.1 223.255.255.255
    2606:4700::1 2002:101:101:: 64:ff9b::1.1.1.1 2001:200::1 2001:0:1::fefe:fefe`,
  private: `10.1.2.3 172.16.0.1 172.31.255.255 192.168.0.1 fc00::1 fd12::1 fec0::1
    64:ff9b::10.0.0.1 2002:c0a8:1:: 64:ff9b:1::1.2.3.4`,
  shared: '100.64.0.1 100.127.255.255',
  loopback: '127.0.0.1 127.255.0.1 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::',
  link_local: '169.254.1.1 fe80::1 febf::1 2002:a9fe:101::',
  multicast: '224.0.0.1 239.255.255.255 ff02::1',
  unspecified: '0.0.0.0 :: ::ffff:0.0.0.0',
  metadata: `169.254.169.254 100.100.100.200 fd00:ec2::254 ::ffff:169.254.169.254
    64:ff9b::169.254.169.254 2002:a9fe:a9fe::1 64:ff9b:1::a9fe:a9fe 169.254.170.2 169.254.42.42
    192.0.0.192 64:ff9b:1::192.0.0.192 fd00:c1::a9fe:a9fe fd00:42::42`,
  reserved: `0.1.2.3 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 198.19.255.1 192.0.0.1 240.0.0.1
    255.255.255.255 2001:db8::1 3fff::1 100::1 2001:10::1 2001:1ff::1 4000::1 5f00::1`,
};

for (const [kind, addresses] of Object.entries(KINDS))
  test(`${kind} addresses are recognized, also through tunnels`, (t) => {
    for (const address of addresses.split(/\s+/))
      t.is(kindOfIp(parseIp(address)!), kind as IpKind, address);
  });

const GROUPS = {
  '12.1.0.0':
    '12.1.2.3 2002:0c01:0203:: 2001:0:1234::f3fe:fdfc 64:ff9b::0c01:0203 ::ffff:0:0c01:0203',
  '173.1.0.0': '173.1.2.3',
  'tor:2': 'fd87:d87e:eb43:1234::5678',
  'tor:3': 'fd87:d87e:eb43:1345::6789',
  '2602:100::': '2602:100::1 2602:0100::1234',
  '2001:470:1000::': '2001:470:1f10:a1::2',
  local: '127.0.0.1 127.9.0.1 ::1 0.1.2.3',
  // A network of private addresses has groups, too.
  '10.1.0.0': '10.1.2.3',
  '10.2.0.0': '10.2.2.3',
  '192.168.0.0': '192.168.7.1',
};

test('groups follow Tendermint: /16, also behind tunnels; /32 and /36 of IPv6; Tor', (t) => {
  for (const [group, addresses] of Object.entries(GROUPS))
    for (const address of addresses.split(' ')) t.is(groupOfIp(parseIp(address)!), group, address);
});

test('all names of one domain are one group', (t) => {
  t.is(groupOfName('a.b.Example.com'), 'example.com');
  t.is(groupOfName('example.COM'), 'example.com');
  t.is(groupOfName('n17'), 'n17');
});
