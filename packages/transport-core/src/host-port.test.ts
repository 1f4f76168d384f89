// Tests of parsing and formatting 'host:port' addresses.

import test from 'ava';
import { formatHostPort, notAdvertisable, parseHostPort, sourceOf } from './address.ts';
import { systemClock } from './system-runtime.ts';

test('names, IPv4, IPv6 and zones are read', (t) => {
  t.deepEqual(parseHostPort('Node-1.example:7000'), { host: 'node-1.example', port: 7000 });
  t.deepEqual(parseHostPort('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  t.deepEqual(parseHostPort(':7000'), { host: '', port: 7000 });
  t.deepEqual(parseHostPort('[::1]:65535'), { host: '::1', port: 65_535 });
  t.deepEqual(parseHostPort('[fe80::1%eth0]:80'), { host: 'fe80::1%eth0', port: 80 });
});

test('every spelling of one IPv6 address is one address, and a mapped one is IPv4', (t) => {
  t.deepEqual(parseHostPort('[2001:DB8:0:0:0:0:0:1]:1'), { host: '2001:db8::1', port: 1 });
  t.deepEqual(parseHostPort('[::ffff:127.0.0.1]:1'), { host: '127.0.0.1', port: 1 });
  t.is(formatHostPort('::ffff:127.0.0.1', 1), '127.0.0.1:1');
  t.is(formatHostPort('::ffff:7f00:1', 1), '127.0.0.1:1');
});

test('an invalid address gives undefined', (t) => {
  const texts =
    'host host: host:65536 host:-1 host:1x ::1:80 [::1] [::g]:1 tcp://a:1 [1.2.3.4]:1 a@b:1';
  for (const text of ['', 'a b:1', 'a\0:1', ...texts.split(' ')])
    t.is(parseHostPort(text), undefined, text);
});

test('a formatted address can be parsed again', (t) => {
  for (const address of ['a:1', '1.2.3.4:5', '[::1]:6', '[fe80::1%eth0]:7']) {
    const { host, port } = parseHostPort(address)!;
    t.is(formatHostPort(host, port), address);
  }
});

test('hosts that mean every address of the machine are recognized', (t) => {
  for (const host of ['', ...'0.0.0.0 :: 0:0:0:0:0:0:0:0 ::0 ::ffff:0.0.0.0 ::ffff:0:0'.split(' ')])
    t.is(notAdvertisable(host), 'it stands for every address of this machine', host);
  const others =
    '127.0.0.1 ::1 localhost 10.0.0.0 0.example ::ffff:1.2.3.4 fe80.example fe80 fe7f::1 fec0::1 169.254.1.1';
  for (const host of others.split(' ')) t.is(notAdvertisable(host), undefined, host);
});

test('an IPv6 link-local host can be dialed only from this machine', (t) => {
  for (const host of ['fe80::1%eth0', 'fe80::1', 'FE80:0::1', 'febf::1%en0'])
    t.regex(notAdvertisable(host)!, /link-local/, host);
});

test('an invalid long host is refused in time linear in its length', (t) => {
  const start = systemClock.now();
  t.is(notAdvertisable(`${':'.repeat(100_000)}x`), undefined);
  // A search in quadratic time would take many seconds.
  t.true(systemClock.now() - start < 1_000);
});

test('a source is an IPv4 address in any spelling, the /64 of an IPv6 address, or a name', (t) => {
  for (const endpoint of [
    '10.0.0.1:1',
    '[::ffff:10.0.0.1]:2',
    '[::ffff:a00:1]:3',
    '[::FFFF:10.0.0.1]:4',
  ])
    t.is(sourceOf(endpoint), '10.0.0.1', endpoint);
  const neighbors = [
    '[2001:db8:1:2::1]:1',
    '[2001:db8:1:2:3:4:5:6]:2',
    '[2001:db8:1:2:ffff::]:3',
    '[2001:db8:1:2::9%eth0]:4',
  ];
  t.deepEqual([...new Set(neighbors.map(sourceOf))], ['2001:db8:1:2']);
  const strangers =
    '[2001:db8:1:3::1]:1|[2001:db8::2:1:2:3:4]:1|[2001:db8::1]:1|[::1]:1|10.0.0.1:1|node-1:1|webrtc://node-1|webrtc://node-2|a peer that is gone'.split(
      '|',
    );
  t.is(new Set(strangers.map(sourceOf)).size, strangers.length);
  t.is(sourceOf('[2001:db8::1]:1'), sourceOf('[2001:db8::2:0:0:1]:1'));
  t.is(sourceOf('node-1:7000'), 'node-1');
});
