import test from 'ava';
import { formatHostPort, isNodeId, isUnspecified, parseHostPort, parseTarget, splitScheme } from './address.ts';
import { TransportError } from './errors.ts';
import { seededRandom } from './random.ts';

const id = 'ab'.repeat(32);
const refusalOf = (run: () => unknown): TransportError => {
  try {
    run();
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

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
    ['ws://host:80', 'ws://host:80/'],
  ];
  for (const group of same) t.is(new Set(group.map((target) => parseTarget(target).key)).size, 1, group.join());
});

test('different targets keep different keys', (t) => {
  const targets = ['a:1', 'a:2', 'b:1', 'ws://a:1', 'wss://a:1', 'ws://a:1/x', 'ws://a:1/X', 'ws://a:1/x?y', `${id}@a:1`, '[fe80::1%eth0]:1', '[fe80::1%ETH0]:1', '[fe80::1]:1', 'inmem://a', 'inmem://b', 'n1', 'N1', `node:${id}`];
  t.is(new Set(targets.map((target) => parseTarget(target).key)).size, targets.length);
});

test('a key is its own key', (t) => {
  for (const target of ['tcp://[::FFFF:1.2.3.4]:9', 'WS://A:1/', `${id}@[0::0]:1`, 'odd//thing', 'n1']) {
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
  t.regex(refusalOf(() => parseTarget(`${id}@`)).message, /has no address behind its '@'/);
});

test('a node id behind the scheme is refused: a URL would take it for a user name and check nothing', (t) => {
  for (const scheme of ['ws', 'tcp']) t.regex(refusalOf(() => parseTarget(`${scheme}://${id}@host:1/x`)).message, /a node id stands before it: nodeId@ws:/);
});

test('empty, endless and unprintable targets are refused', (t) => {
  t.regex(refusalOf(() => parseTarget('  ')).message, /is empty/);
  t.regex(refusalOf(() => parseTarget('a'.repeat(3_000))).message, /has 3000 characters/);
  t.regex(refusalOf(() => parseTarget('a\u0000:1')).message, /^target: "a\\u0000:1" has control characters/);
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

test('hosts and ports are read', (t) => {
  const read: [string, string, number][] = [
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['localhost:65535', 'localhost', 65_535],
    ['tcp://node-1.example:7000', 'node-1.example', 7_000],
    ['TCP://a_b:1', 'a_b', 1],
    ['[::1]:7', '::1', 7],
    ['[2001:DB8:0:0:1:0:0:1]:7', '2001:db8::1:0:0:1', 7],
    ['[::ffff:10.0.0.1]:7', '10.0.0.1', 7],
    ['[fe80::1%eth0]:7', 'fe80::1%eth0', 7],
    ['bücher.example:7', 'bücher.example', 7],
    ['example.com.:7', 'example.com.', 7],
  ];
  for (const [text, host, port] of read) t.deepEqual(parseHostPort(text, 'addr', { scheme: 'tcp' }), { host, port }, text);
});

test('what is no host and port is refused, with the remedy', (t) => {
  const refused: [string, RegExp][] = [
    ['', /write 'host:port'/],
    ['host', /write 'host:port'/],
    [':80', /write 'host:port'/],
    ['host:', /write 'host:port'/],
    ['host:x', /write 'host:port'/],
    ['host:-1', /write 'host:port'/],
    ['host:1.5', /write 'host:port'/],
    ['host:65536', /ports end at 65535/],
    ['host:99999999999', /write 'host:port'/],
    ['::1:80', /IPv6 without brackets/],
    ['::1', /IPv6 without brackets/],
    ['[::1]', /write 'host:port'/],
    ['[::g]:1', /no valid host/],
    ['256.1.1.1:1', /no valid host \('256\.1\.1\.1'\)/],
    ['1.2.3:1', /no valid host/],
    ['010.0.0.1:1', /no valid host/],
    ['a b:1', /no valid host/],
    ['a..b:1', /no valid host/],
    ['-/x:1', /no valid host/],
    ['ws://host:1', /has the scheme 'ws:\/\/'; write host:port or tcp:\/\/host:port/],
  ];
  for (const [text, message] of refused) {
    const error = refusalOf(() => parseHostPort(text, 'createTcpTransport: bindAddr', { scheme: 'tcp' }));
    t.is(error.code, 'invalid_argument', text);
    t.regex(error.message, message, text);
    t.true(error.message.startsWith(`createTcpTransport: bindAddr: ${JSON.stringify(text)}`));
  }
});

test('port 0 is for binding alone', (t) => {
  t.is(parseHostPort('h:0', 'addr').port, 0);
  t.regex(refusalOf(() => parseHostPort('h:0', 'addr', { dial: true })).message, /can be bound but not dialled/);
});

test('what is read can be written and read again', (t) => {
  const random = seededRandom(3);
  for (let i = 0; i < 2_000; i++) {
    const groups = Array.from({ length: 8 }, () => (random() < 0.5 ? 0 : Math.floor(random() * 0x1_0000)));
    const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
    const { host, port } = parseHostPort(`[${long}]:${i}`, 'addr');
    t.deepEqual(parseHostPort(formatHostPort(host, port), 'addr'), { host, port });
    if (host.includes(':')) t.is(new URL(`http://[${long}]`).hostname, `[${host}]`);
  }
});

test('unspecified hosts are known in every spelling', (t) => {
  for (const host of ['0.0.0.0', '::', '[::]', '0:0:0:0:0:0:0:0', '::0', '0000::', '::ffff:0.0.0.0', '::0.0.0.0', '0', '0.0', '00.0.0.0', '0x0']) t.true(isUnspecified(host), host);
  for (const host of ['127.0.0.1', '::1', 'localhost', '0.0.0.1', '', '::ffff:0:1', '1::', '::ffff:0:0:0', 'zero', '0::0::0']) t.false(isUnspecified(host), host);
});
