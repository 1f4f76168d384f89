// Tests of the rules for reported addresses, on machines with given interfaces.

import test from 'ava';
import { type Addresses, DialPolicy } from './dial-policy.ts';
import { placeOf } from './place.ts';

interface Machine {
  readonly addresses?: Addresses;
  readonly interfaces?: readonly string[];
  readonly own?: readonly string[];
  readonly looksUp?: boolean;
  /** The schemes of its backends besides TCP and WebSocket. */
  readonly schemes?: readonly string[];
}

/** Returns whether a machine dials an address that a node at `teller` has reported. */
function dials(
  { addresses, interfaces, own = [], schemes = [], looksUp = interfaces !== undefined }: Machine,
  teller: string,
  address: string,
): boolean {
  const policy = new DialPolicy(addresses, {
    own: () => own,
    interfaces: () => interfaces,
    looksUp,
    dials: (given) => schemes.some((scheme) => given.startsWith(`${scheme}://`)),
    now: () => 0,
  });
  return policy.refusal(placeOf(address)!, placeOf(teller)!.group) === undefined;
}

const LAPTOP: Machine = { interfaces: ['127.0.0.1', '::1', '192.168.1.7'] };
const PAGE: Machine = {};

test('loopback addresses are dialed only if the node that reports them is on loopback', (t) => {
  const loopback = `127.0.0.1:1 127.8.8.8:1 [::1]:1 [::ffff:127.0.0.1]:1 [64:ff9b::7f00:1]:1 localhost:1
    a.localhost:1 ws://127.0.0.1:1/ wss://localhost:1`;
  for (const address of loopback.split(/\s+/)) {
    for (const teller of ['127.0.0.1:9', '[::1]:9'])
      t.true(dials(LAPTOP, teller, address), address);
    for (const teller of ['8.8.8.8:9', '192.168.1.8:9', '169.254.3.4:9', '[2606::1]:9', 'node-1:9'])
      t.false(dials(LAPTOP, teller, address), `${address} by ${teller}`);
  }
});

test('private addresses are dialed by a machine in the same range, if the node that reports them has a private one', (t) => {
  for (const teller of ['192.168.1.8:9', '10.0.0.3:9', '100.64.0.1:9', '[fd00::1]:9']) {
    t.true(dials(LAPTOP, teller, '192.168.77.1:1'), teller);
    for (const other of ['10.0.0.1:1', '172.16.0.1:1', '100.64.0.9:1', '[fd00::9]:1'])
      t.false(dials(LAPTOP, teller, other), `${other} by ${teller}`);
  }
  t.true(dials({ ...LAPTOP, own: ['tcp://10.9.9.9:1'] }, '10.0.0.3:9', '10.0.0.1:1'));
  for (const teller of ['8.8.8.8:9', '127.0.0.1:9'])
    t.false(dials(LAPTOP, teller, '192.168.1.8:1'), teller);
  t.true(dials(LAPTOP, '169.254.1.1:9', '169.254.2.2:1'));
  t.false(dials(LAPTOP, '192.168.1.8:9', '169.254.2.2:1'));
});

test('public addresses and names that can be looked up are dialed, no matter who reports them', (t) => {
  for (const teller of ['8.8.8.8:9', '127.0.0.1:9', '10.0.0.3:9', 'nats://s:4222/x'])
    for (const address of ['1.1.1.1:1', '[2606::1]:1', 'ws://1.1.1.1/', 'node.example:1'])
      t.true(dials(LAPTOP, teller, address), `${address} by ${teller}`);
});

const at = (...ips: string[]): Machine => ({ interfaces: ['127.0.0.1', ...ips] });
const NETWORKS: Record<string, [Machine, string, string]> = {
  'on one machine': [LAPTOP, '127.0.0.1:9', '127.0.0.1:1 localhost:1 [::1]:1'],
  'in a network of Docker': [
    at('172.18.0.3'),
    '172.18.0.2:9',
    '172.18.0.4:1 node4:1 ws://node4:1/',
  ],
  'in the cluster network of Kubernetes': [
    at('10.244.1.5'),
    '10.244.7.9:9',
    '10.244.3.2:1 raft-2.raft.default.svc.cluster.local:1',
  ],
  'in a cloud that gives each machine a /32': [at('10.128.0.2'), '10.164.0.9:9', '10.200.3.4:1'],
  'in Tailscale': [
    at('192.168.1.7', '100.101.102.103'),
    '100.88.1.2:9',
    '100.70.1.1:1 build.tail1234.ts.net:1',
  ],
  'in an IPv6 network of unique local addresses': [
    { interfaces: ['::1', 'fd7a:115c::7'] },
    '[fd7a:115c::8]:9',
    '[fd12::9]:1',
  ],
  'in a simulation': [{}, 'n1', 'n2 n17'],
  'in memory': [{ schemes: ['inmem'] }, 'b', 'inmem://c'],
  'in a page of a local server': [PAGE, 'localhost:8080', 'ws://localhost:8081/'],
};
for (const [name, [machine, teller, addresses]] of Object.entries(NETWORKS))
  test(`nodes find each other without an option ${name}`, (t) => {
    for (const address of addresses.split(' ')) t.true(dials(machine, teller, address), address);
  });

test('a page judges by the node that reports the address, and dials names over wss alone', (t) => {
  t.true(dials(PAGE, '10.0.0.3:80', 'ws://10.0.0.9:80/'));
  t.false(dials(PAGE, 'hub.example:443', 'ws://10.0.0.9:80/'));
  t.false(dials(PAGE, 'hub.example:443', 'ws://localhost:80/'));
  t.true(dials(PAGE, 'hub.example:443', 'wss://node.example/'));
  t.false(dials(PAGE, 'hub.example:443', 'ws://node.example/'));
});

test('a WebSocket address has the path / or one of this node, also of those that the operator named', (t) => {
  const machine = { ...LAPTOP, own: ['ws://0.0.0.0:1/rpc', 'wss://seed.example/a?b'] };
  for (const path of ['', '/', '/rpc', '/a?b'])
    t.true(dials(machine, '127.0.0.1:9', `ws://127.0.0.1:1${path}`), path);
  for (const path of ['/admin', '/rpc/', '/rpc/../admin', '/?x', '?x', '/a', '/%2e', '//'])
    for (const addresses of [undefined, 'public', { allow: ['0.0.0.0/0'] }] as const)
      t.false(dials({ ...machine, addresses }, '127.0.0.1:9', `ws://8.8.8.8:1${path}`), path);
  t.true(dials({ ...machine, addresses: 'any' }, '8.8.8.8:9', 'ws://127.0.0.1:1/admin'));
});

test('a name that a broker or a hub knows is no class of the network', (t) => {
  const names = `nats://127.0.0.1:4222/x nats://localhost:4222/x nats://self/x webrtc://127.0.0.1
    webrtc://localhost webrtc://local webrtc://self webrtc://10.0.0.1`;
  for (const teller of names.split(/\s+/))
    for (const address of ['127.0.0.1:1', 'localhost:1', '192.168.1.8:1'])
      t.false(dials(LAPTOP, teller, address), `${address} by ${teller}`);
});

test('an address of another scheme is dialed only between nodes that use it', (t) => {
  t.false(dials(LAPTOP, '8.8.8.8:9', 'nats://127.0.0.1:4222/x'));
  t.false(dials(LAPTOP, '127.0.0.1:9', 'dns://inner.example:1'));
  t.false(dials(LAPTOP, '127.0.0.1:9', 'webrtc://c'));
  const onBroker = { ...LAPTOP, own: ['nats://broker:4222/a'] };
  t.true(dials(onBroker, 'nats://broker:4222/b', 'nats://broker:4222/c'));
  for (const server of ['127.0.0.1:22', 'broker:22', 'broker:42', 'other:4222', 'broker'])
    t.false(dials(onBroker, 'nats://broker:4222/b', `nats://${server}/c`), server);
  const own = ['nats://a.brokers.example:4222/a', 'nats://10.0.0.1:4222/a'];
  const inCluster = { ...LAPTOP, own };
  for (const server of ['b.brokers.example:4222', '10.9.9.9:4222'])
    t.true(dials(inCluster, 'nats://10.0.0.1:4222/b', `nats://${server}/c`), server);
  for (const server of ['b.example:4222', '10.9.9.9:22', '192.168.1.8:4222', '127.0.0.1:4222'])
    t.false(dials(inCluster, 'nats://10.0.0.1:4222/b', `nats://${server}/c`), server);
  for (const teller of ['8.8.8.8:9', 'webrtc://b'])
    t.true(dials({ ...LAPTOP, schemes: ['webrtc'] }, teller, 'webrtc://c'), teller);
});

test('allow adds ranges, and any allows all addresses of nodes', (t) => {
  const machine = { ...LAPTOP, addresses: { allow: ['10.0.0.0/8', 'fd00::/8', '127.0.0.5'] } };
  for (const address of ['10.1.2.3:1', '[fd12::1]:1', '127.0.0.5:1'])
    t.true(dials(machine, '8.8.8.8:9', address), address);
  for (const address of ['11.1.2.3:80', '172.16.0.1:1', '127.0.0.6:1', '[fc00::1]:1'])
    t.is(dials(machine, '8.8.8.8:9', address), address.startsWith('11.'), address);
  for (const address of ['127.0.0.1:1', '10.0.0.1:1', 'ws://inner:1/x', 'nats://s/x'])
    t.true(dials({ ...LAPTOP, addresses: 'any' }, '8.8.8.8:9', address), address);
  const none = ['169.254.169.254:80', '0.0.0.0:1', '224.0.0.1:1', '[fe80::1]:1', '8.8.8.8:0'];
  for (const address of none)
    for (const addresses of [undefined, 'any', 'public', { allow: ['0.0.0.0/0', '::/0'] }] as const)
      t.false(dials({ ...LAPTOP, addresses }, '169.254.1.1:9', address), address);
});
