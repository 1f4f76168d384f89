// Tests of addresses that the user gives: they are validated at once, and every reported address
// has its canonical spelling.

import { createTransport } from '@trunkline/transport-core';
import { spelled } from '@trunkline/transport-core/internal';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { ws } from '@trunkline/transport-ws';
import test from 'ava';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { echo, idOf } from './testing/cluster.ts';
import { emitted, RealFixture } from './testing/real/real-fixture.ts';

const good = `${idOf('b')}@127.0.0.1:7000`;
const WRONG = `rubbish http://127.0.0.1:80 ws://127.0.0.1:80 127.0.0.1:99999 127.0.0.1:0 127.0.0.1
  :7000 b@127.0.0.1:7000 tcp://h:7/x`.split(/\s+/);
const create = (options: object = {}) =>
  createTransport({ protocol: echo, backends: [tcp()], ...options });

test('an address that cannot be dialed throws a TypeError that names the entry and changes nothing: persistent peers, seeds, topology', async (t) => {
  const [transport, other] = [create(), create()];
  const peers = createPeers({ transport, persistent: [good], maxOutbound: 0 });
  const given = (options: Partial<PeersOptions>) => () =>
    createPeers({ transport: other, ...options });
  for (const wrong of ['', ...WRONG])
    for (const [path, act] of [
      ['peers.add', () => peers.add(wrong)],
      ['peers.setTopology[2]', () => peers.setTopology([good, '127.0.0.1:7001', wrong])],
      ['createPeers: persistent[1]', given({ persistent: [good, wrong] })],
      ['createPeers: seeds[1]', given({ seeds: [good, wrong] })],
    ] as const)
      t.throws(act, {
        instanceOf: TypeError,
        message: (text) => text.startsWith(`${path}: `) && text.includes(wrong),
      });
  await createPeers({ transport: other }).close(); // The transport is unchanged.
  for (const misuse of [
    () => peers.remove(`${'f'.repeat(63)}@b`),
    () => peers.ban('b'),
    () => peers.ban('f'.repeat(64), -1),
  ])
    t.throws(misuse, { instanceOf: TypeError });
  t.deepEqual(peers.topology, [good]);
  await peers.close();
  for (const each of [transport, other]) await each.close();
});

test('an identity that is none is a TypeError that says what it must be', async (t) => {
  for (const [identity, message] of [
    [idOf('a'), `identity: must be an object with a nodeId, got "${idOf('a')}"`],
    [{}, 'identity.nodeId: must be 64 lower-case hex digits, got undefined'],
    [{ nodeId: 'AB' }, 'identity.nodeId: must be 64 lower-case hex digits, got "AB"'],
  ] as const) {
    const transport = create();
    t.throws(() => createPeers({ transport, identity: identity as { nodeId: string } }), {
      instanceOf: TypeError,
      message: `createPeers: ${message}`,
    });
    await transport.close();
  }
});

test('a transport of several backends accepts the addresses of each of them, and no others', async (t) => {
  const transport = create({ backends: [tcp(), ws()] });
  const targets =
    '127.0.0.1:7000 tcp://127.0.0.1:7001 ws://127.0.0.1:7002/x wss://node.example'.split(' ');
  const peers = createPeers({ transport, persistent: targets, maxOutbound: 0 });
  t.deepEqual(peers.topology, targets);
  t.throws(() => peers.add('nats://127.0.0.1:4222'), {
    instanceOf: TypeError,
    message: /peers\.add: .*'nats'.*tcp:\/\/, ws:\/\/, wss:\/\//,
  });
  t.throws(() => peers.add('ws://127.0.0.1:0/'), { instanceOf: TypeError });
  await peers.close();
  await transport.close();
});

test('with the option resolve, a target is anything that resolve accepts', async (t) => {
  const transport = create({ resolve: (name: string) => `127.0.0.1:${name.length}` });
  const peers = createPeers({ transport, persistent: ['the leader'], maxOutbound: 0 });
  t.deepEqual(peers.topology, ['the leader']);
  await peers.close();
  await transport.close();
});

test('an advertised address that nobody can dial throws a TypeError that names it', (t) => {
  const both = [tcp(), ws()];
  const listing =
    (
      advertiseAddr: string | string[],
      backends: typeof both | [ReturnType<typeof tcp>] = [tcp()],
    ) =>
    () =>
      createTransport('tcp://127.0.0.1:0', { protocol: echo, backends, advertiseAddr });
  const refused = (act: () => unknown, message: RegExp) =>
    t.throws(act, { instanceOf: TypeError, message });
  const first = /^createTransport: advertiseAddr\[0\]: /;
  const undialable = new RegExp(`${first.source}.*(every address|link-local)`);
  for (const wrong of ['tcp://0.0.0.0:7000', 'ws://[::]:7000/', '[fe80::1%eth0]:7000'])
    refused(listing(wrong, both), undialable);
  for (const wrong of WRONG) {
    refused(listing(wrong), first);
    const layer = () => createTcpStreamLayer({ advertiseAddr: wrong });
    refused(layer, /^createTcpStreamLayer: advertiseAddr: /);
  }
  for (const wrong of ['nats://a:1', 'tcp://a:99999', 'ws://a:0/', 'tcp://a:0', 'rubbish'])
    for (const list of [['tcp://a:1', wrong], `tcp://a:1, ${wrong}`])
      refused(listing(list, both), /^createTransport: advertiseAddr\[1\]: /);
  t.notThrows(listing(['a:1', 'wss://a/path'], both));
});

test('events, lists and remotes spell an address in one carrier, with its scheme; a transport reports its own addresses unchanged', async (t) => {
  const fixture = new RealFixture(t);
  const passive = { maxOutbound: 0 };
  const b = await fixture.node('b', { peers: passive });
  const full = spelled(b.address);
  t.deepEqual([full, b.transport.localAddr()], [b.address, b.address]);
  const a = await fixture.node('a', {
    peers: { ...passive, persistent: [`${b.address.replace('tcp', 'TCP')}/`] },
  });
  await fixture.linked([a, b]);
  const [seen, back] = [a.peers.get(b.nodeId)!, b.peers.get(a.nodeId)!];
  t.like(emitted(a, 'up')[0], { peer: { addr: full } });
  t.deepEqual([seen.addr, seen.remote.addr, a.peers.addressOf(b.nodeId)], [full, full, full]);
  t.deepEqual([back.addr, back.remote.addr], [spelled(a.address), spelled(a.address)]);
  await b.close();
  await fixture.emitted(a, 'rejected');
  t.deepEqual([emitted(a, 'down')[0]!.addr, emitted(a, 'rejected')[0]!.addr], [full, full]);
  t.deepEqual(await fixture.close(), []);
});
