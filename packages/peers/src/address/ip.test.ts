// Tests of parsing and formatting IP addresses.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { formatIp, parseIp, startsWith } from './ip.ts';

const hex = (ip: Uint8Array | undefined) =>
  ip === undefined
    ? undefined
    : Array.from(ip, (byte) => byte.toString(16).padStart(2, '0')).join('');

test('IPv4 is 4 bytes, and IPv4 mapped into IPv6 gives the same 4', (t) => {
  for (const text of [
    '1.2.3.255',
    '::ffff:1.2.3.255',
    '[::FFFF:102:3ff]',
    '0:0:0:0:0:ffff:1.2.3.255',
  ])
    t.is(hex(parseIp(text)), '010203ff', text);
});

test('all spellings of an IPv6 address give the same 16 bytes', (t) => {
  const loopback = `${'00'.repeat(15)}01`;
  for (const text of ['::1', '[::1]', '0:0:0:0:0:0:0:1', '0000::0001', '::0.0.0.1'])
    t.is(hex(parseIp(text)), loopback, text);
  for (const text of ['fe80::1%eth0', '[fe80::1%25]', 'FE80:0::1'])
    t.is(hex(parseIp(text)), `fe80${'0'.repeat(27)}1`, text);
  t.is(hex(parseIp('::')), '00'.repeat(16));
  t.is(hex(parseIp('1:2:3:4:5:6:7::')), '00010002000300040005000600070000');
  t.is(hex(parseIp('64:ff9b::1.2.3.4')), '0064ff9b000000000000000001020304');
});

test('invalid and ambiguous addresses are refused', (t) => {
  const refused = [
    '',
    '1.2.3',
    '127.1',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '0x7f.0.0.1',
    '1.2.3.4 ',
    '１.2.3.4',
    '2130706433',
    'localhost',
    '1.2.3.4%eth0',
    '[1.2.3.4]',
  ];
  refused.push(
    ':',
    ':::',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '1::2:',
    ':1::2',
    '::1.2.3.4:5',
  );
  refused.push(
    '::1.2.3',
    '::1%',
    '::%',
    '%eth0',
    '[::1',
    '::1]',
    '[::1]:80',
    '[]',
    '::1 ',
    '1.2.3.4::',
  );
  for (const text of refused) t.is(parseIp(text), undefined, text);
});

test('addresses are written as RFC 5952 specifies', (t) => {
  const spelled: [string, string][] = [
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::ffff:9.8.7.6', '9.8.7.6'],
  ];
  for (const [from, to] of spelled) t.is(formatIp(parseIp(from)!), to);
  t.throws(() => formatIp(new Uint8Array(5)), {
    instanceOf: TypeError,
    message: /must have 4 or 16 bytes, got 5/,
  });
});

test('a written address is parsed again, and matches the spelling of URL', (t) => {
  const random = seededRandom(3);
  for (let i = 0; i < 2_000; i++) {
    const ip = Uint8Array.from({ length: 16 }, () =>
      random() < 0.6 ? 0 : Math.floor(random() * 256),
    );
    const text = formatIp(ip);
    if (!text.includes(':')) continue;
    t.deepEqual(parseIp(text), ip, text);
    t.is(`[${text}]`, new URL(`http://[${text}]/`).hostname);
  }
});

test('a prefix may end inside a byte', (t) => {
  const ip = parseIp('172.31.0.1')!;
  t.true(startsWith(ip, [172, 16], 12));
  t.false(startsWith(ip, [172, 16], 13));
  t.true(startsWith(ip, [], 0));
});
