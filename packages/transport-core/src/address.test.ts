// Tests of target strings: parsing, canonical keys and node ids.

import test from 'ava';
import { isNodeId, parseTarget, spelled, splitScheme } from './address.ts';
import { refusalOf } from './protocol/testing/refused.ts';

const id = 'ab'.repeat(32);

test('a target is an address, or a node id and an address', (t) => {
  t.deepEqual(parseTarget(' host:1 '), { nodeId: undefined, address: 'host:1', key: 'host:1' });
  t.deepEqual(parseTarget(`${id}@Host:1`), { nodeId: id, address: 'Host:1', key: `${id}@host:1` });
  t.is(parseTarget(`${id}@ws://h:1/p`).address, 'ws://h:1/p');
  t.is(parseTarget('ws://h:1/p?user=a@b').nodeId, undefined);
});

test('all spellings of one target have one key', (t) => {
  const same = [
    ['tcp://Host:80', 'host:80', 'TCP://HOST:80', ' host:080 '],
    ['[::1]:7', 'tcp://[0:0:0:0:0:0:0:1]:7', '[::0001]:7'],
    ['[::ffff:127.0.0.1]:7', '127.0.0.1:7', '[::FFFF:7f00:1]:7'],
    ['[fe80::1%eth0]:7', '[FE80:0::1%eth0]:7'],
    ['WS://Host:80/Path', 'ws://host:80/Path'],
    ['ws://host:80', 'ws://host:80/', 'ws://Host', 'WS://host/'],
    ['ws://host/path?x', 'ws://host:80/path?x'],
    ['wss://host:443', 'wss://host/', 'wss://HOST'],
    ['wss://[2606:0::1]', 'wss://[2606::1]:443/'],
  ];
  for (const group of same)
    t.is(new Set(group.map((target) => parseTarget(target).key)).size, 1, group.join());
});

test('different targets keep different keys', (t) => {
  const targets =
    `a:1 a:2 b:1 ws://a:1 wss://a:1 ws://a:1/x ws://a:1/X ws://a:1/x?y ws://a wss://a ws://a:443 wss://a:80 tcp://a ${id}@a:1 [fe80::1%eth0]:1 [fe80::1%ETH0]:1 [fe80::1]:1 inmem://a inmem://b n1 N1 node:${id}`.split(
      ' ',
    );
  t.is(new Set(targets.map((target) => parseTarget(target).key)).size, targets.length);
});

test('a key is its own key', (t) => {
  for (const target of `tcp://[::FFFF:1.2.3.4]:9 WS://A:1/ wss://A/ ws://a?b ws://a: ${id}@[0::0]:1 odd//thing n1`.split(
    ' ',
  )) {
    const { key } = parseTarget(target);
    t.is(parseTarget(key).key, key);
  }
});

test('anything but a node id before @ is refused, so that a mistyped id never means no check', (t) => {
  for (const before of ['user', id.toUpperCase(), id.slice(1), `${id}0`, '', 'tcp:']) {
    const error = refusalOf(() => parseTarget(`${before}@host:1`));
    t.is(error.code, 'invalid_argument');
    t.is(error.sent, false);
    t.regex(error.message, /a node id is 64 lower-case hex digits/);
  }
  t.regex(refusalOf(() => parseTarget(`${id}@`)).message, /has no address after its '@'/);
});

test('a node id after the scheme is refused, because a URL would read it as a user name and check nothing', (t) => {
  for (const scheme of ['ws', 'tcp'])
    t.regex(
      refusalOf(() => parseTarget(`${scheme}://${id}@host:1/x`)).message,
      /put the node id before the scheme: nodeId@ws:/,
    );
});

test('empty, endless and unprintable targets are refused', (t) => {
  t.regex(refusalOf(() => parseTarget('  ')).message, /is empty/);
  t.regex(refusalOf(() => parseTarget('a'.repeat(3_000))).message, /has 3000 characters/);
  t.regex(
    refusalOf(() => parseTarget('a\u0000:1')).message,
    /^target: "a\\u0000:1" has control characters/,
  );
});

test('node ids are 64 lower-case hex digits', (t) => {
  t.true(isNodeId(id));
  for (const text of ['', id.toUpperCase(), `${id}a`, `${id}\n`]) t.false(isNodeId(text));
});

test('a scheme ends at ://, in lower case', (t) => {
  t.deepEqual(splitScheme('WSS://A/b://c'), { scheme: 'wss', rest: 'A/b://c' });
  t.deepEqual(splitScheme('host:1'), { scheme: undefined, rest: 'host:1' });
  t.deepEqual(splitScheme('://x'), { scheme: undefined, rest: '://x' });
});

test('an address is shown in one spelling, with its scheme', (t) => {
  for (const text of ['Host:80', 'tcp://host:80', 'TCP://HOST:080/', ' host:80 '])
    t.is(spelled(text), 'tcp://host:80');
  t.is(spelled('[::FFFF:1.2.3.4]:9'), 'tcp://1.2.3.4:9');
  t.is(spelled('WS://Host:80/Path'), 'ws://host:80/Path');
  for (const text of ['ws://host:80', 'WS://Host:80/', 'ws://host'])
    t.is(spelled(text), 'ws://host:80/');
  for (const text of ['inmem://a', 'n17', 'n17/b', 'odd//thing', 'host:99999', ''])
    t.is(spelled(text), text);
});
