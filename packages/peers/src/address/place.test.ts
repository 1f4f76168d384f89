// Tests of `placeOf` and `isDialable`.

import { parseTarget } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { isDialable, LONGEST_ADDRESS, placeOf } from './place.ts';

const id = 'ab'.repeat(32);

test('all spellings of one place have one key, which is an address of the same place', (t) => {
  const same = [
    '1.2.3.4:80 tcp://1.2.3.4:80 [::ffff:1.2.3.4]:80 [::FFFF:102:304]:080 TCP://1.2.3.4:80/',
    '[2606::1]:7 [2606:0:0:0:0:0:0:1]:7 tcp://[2606:0::0001]:7 [2606::1%eth0]:7',
    'Example.com:80 example.COM:80 example.com.:80',
    'ws://h.example:80/x WS://H.example/x ws://h.example.:80/x',
    'wss://[2606::1] wss://[2606:0::1]:443/',
    '[fe80::1%eth0]:7 [FE80:0::1%eth0]:7',
    'inmem://x INMEM://x',
  ].map((words) => words.split(' '));
  same[0]!.push(' 1.2.3.4:80 ');
  for (const spellings of same) {
    t.is(new Set(spellings.map((address) => placeOf(address)?.key)).size, 1, spellings.join());
    const { key } = placeOf(spellings[0]!)!;
    t.is(placeOf(key)!.key, key);
    t.is(parseTarget(key).key, key);
  }
});

test('different places have different keys', (t) => {
  const others =
    `1.2.3.4:80 1.2.3.4:81 ws://1.2.3.4:80 wss://1.2.3.4:80 ws://1.2.3.4:80/x ws://1.2.3.4:80/X
    a:1 n1 N1 inmem://n1 [fe80::1]:7 [fe80::1%eth0]:7 [fe80::1%eth1]:7`.split(/\s+/);
  t.is(new Set(others.map((address) => placeOf(address)!.key)).size, others.length);
});

test('a place has a host, a port, a kind and a group', (t) => {
  const { ip, ...place } = placeOf('ws://[2001:470:1f10::2]:9/x')!;
  t.deepEqual(place, {
    key: 'ws://[2001:470:1f10::2]:9/x',
    host: '2001:470:1f10::2',
    port: 9,
    kind: 'public',
    group: '2001:470:1000::',
  });
  t.is(ip!.length, 16);
  const names = { port: undefined, kind: 'name' };
  for (const [address, expected] of [
    [
      'A.b.example.com:80',
      { host: 'a.b.example.com', port: 80, kind: 'name', group: 'example.com', ip: undefined },
    ],
    ['n17', { ...names, key: 'n17', host: 'n17', group: 'n17' }],
    ['inmem://x', { ...names, key: 'inmem://x', host: 'x', group: 'inmem://x' }],
    ['10.1.2.3', { host: '10.1.2.3', port: undefined, kind: 'private', group: '10.1.2.3' }],
  ] as const)
    t.like(placeOf(address), expected);
  t.like(placeOf(':80'), { kind: 'unspecified' });
  t.like(placeOf('[fe80::1%eth0]:80'), { host: 'fe80::1', kind: 'link_local' });
  t.like(placeOf('Metadata.Google.Internal.:80'), { kind: 'metadata' });
});

test('an invalid address has no place', (t) => {
  const none = [
    ...['', '   ', 'a b:1', 'a\n:1', 'a\u0000:1', '\u202ea:1', '\ud800:1', 'a"b:1', 'a\\b:1'],
    ...'<a>:1 a:99999 a:-1 a:b a: a:1:2 ::1 [::1 [::1] [::g]:1 user@a:1 @ a:1/x n1/ a?b'.split(' '),
    ...'ws:// inmem:// tcp:// a..b:1 .:1 . node:x'.split(' '),
    ...[`${id}@a:1`, `ws://${id}@a:1`, `${'x'.repeat(254)}:1`, 'x'.repeat(LONGEST_ADDRESS + 1)],
  ];
  for (const address of none) t.is(placeOf(address), undefined, JSON.stringify(address));
});

test('numbers that only some parsers read as IPv4, and look-alike letters, have no place', (t) => {
  const hosts = '127.1 2130706433 0x7f000001 0x7f.1 010.0.0.1 1.2.3.4.5 a.1 256.1.1.1';
  for (const host of [...hosts.split(' '), '１２７.0.0.1', '①27.0.0.1', 'ｌocalhost']) {
    for (const address of [`${host}:80`, `ws://${host}:80`, `ws://${host}/x`])
      t.is(placeOf(address), undefined, address);
  }
  t.is(placeOf('17')?.kind, 'name'); // A name of a simulation, which is not looked up in any DNS.
  t.is(placeOf('bücher.example:80')?.kind, 'name');
});

/** Addresses that are dialed in each mode, only in a private network, and never. */
const PUBLIC = '1.1.1.1:80 [2606::1]:80 example.com:80 wss://a.example.com/x [2002:101:101::]:1';
const PRIVATE = `10.0.0.1:1 127.0.0.1:1 [::1]:1 [::ffff:127.0.0.1]:1 192.168.1.1:1 172.16.0.1:1
  169.254.1.1:1 100.64.0.1:1 [fd00::1]:1 192.0.2.1:1 [64:ff9b::7f00:1]:1 [2002:a00:1::]:1
  localhost:1 LOCALHOST.:1 a.localhost:1 printer.local:1 db.internal:1 db.Internal.:1
  nas.home.arpa:1 n17 intranet:1 inmem://x`;
const NEVER = `0.0.0.0:1 [::]:1 :1 224.0.0.1:1 [ff02::1]:1 [fe80::1%eth0]:1 [fe80::1]:1 [febf::1]:1
  ws://[fe80::1]:1/ 169.254.169.254:80 [fd00:ec2::254]:80 [::ffff:169.254.169.254]:80
  [64:ff9b::a9fe:a9fe]:80 metadata.google.internal:80 240.0.0.1:1 255.255.255.255:1 0.1.2.3:1
  10.0.0.1:0 1.1.1.1:0 n17:0 ws://1.1.1.1:0/x [2002:ffff:ffff::]:1`;

const dials = (addresses: string, mode: 'any' | 'public') =>
  addresses.split(/\s+/).map((address) => [address, isDialable(placeOf(address)!, mode)] as const);

test('in a private network every address that can listen may be dialed', (t) => {
  for (const [address, isDialed] of dials(`${PUBLIC} ${PRIVATE}`, 'any')) t.true(isDialed, address);
  for (const [address, isDialed] of dials(NEVER, 'any')) t.false(isDialed, address);
});

test('in public mode only public addresses and names from others may be dialed', (t) => {
  for (const [address, isDialed] of dials(PUBLIC, 'public')) t.true(isDialed, address);
  for (const [address, isDialed] of dials(`${PRIVATE} ${NEVER}`, 'public'))
    t.false(isDialed, address);
});

test('no text makes it throw, and every key is its own key', (t) => {
  const random = seededRandom(11);
  const letters = [
    ...'abn19.:/[]@%?#-_ \\"ws',
    ...':// tcp:// :: ws:// 127.0.0.1 %eth0 :80'.split(' '),
    ...['\u0007', '\u{1f600}', '\ud800', 'ß', 'İ', '．'],
  ];
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from(
      { length: Math.floor(random() * 8) },
      () => letters[Math.floor(random() * letters.length)],
    ).join('');
    const place = placeOf(text);
    if (place === undefined) continue;
    if (placeOf(place.key)?.key !== place.key) t.fail(JSON.stringify(text));
    if (isDialable(place, 'public') && !isDialable(place, 'any')) t.fail(text);
  }
  t.pass();
});
