// Tests of a transport that proves its id on some connections and not on others: a node that only
// asserts an id there is a client.

import { createTransport } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { peersProtocol } from './protocol.ts';
import { failureOf } from './testing/bare.ts';
import { passive } from './testing/cluster.ts';
import { pose } from './testing/raw-peer.ts';
import { overTls, overWs } from './testing/real/carriers.ts';
import { credentials, type NodeCredentials } from './testing/real/credentials.ts';
import {
  emitted,
  type Given,
  isLinked,
  type RealFixture,
  type RealNode,
  test,
} from './testing/real/real-fixture.ts';

const LOCAL = { wss: 'ws://127.0.0.1:0', tls: 'tcp://127.0.0.1:0' };

/** A node that listens on TCP under mutual TLS and on plain WebSocket. */
const mixed = (
  fixture: RealFixture,
  name: string,
  { tls }: NodeCredentials,
  peers: Partial<PeersOptions> = passive,
  listens = [LOCAL.tls, LOCAL.wss],
  more: { readonly advertiseAddr?: readonly string[] } = {},
) =>
  fixture.node(name, {
    peers,
    make: (given) =>
      createTransport(listens, { ...given, ...more, backends: [tcp({ tls }), ws()] }),
  });

/** A node that listens on plain WebSocket and proves nothing. */
const plain = (fixture: RealFixture, name: string, peers: Partial<PeersOptions> = passive) =>
  fixture.node(name, { peers, make: overWs });

/** Return the addresses of a mixed node's plain WebSocket and of its TLS listener. */
const wsOf = ({ transport }: RealNode) =>
  transport.localAddrs().find((address) => address.startsWith('ws:'))!;
const tlsOf = ({ transport }: RealNode) =>
  transport.localAddrs().find((address) => address.startsWith('tcp:'))!;

/** Normalizes an address for comparison, because a TCP address may have a scheme or none. */
const bare = (address: string | undefined) => address?.replace('tcp://', '');

/**
 * A client on plain WebSocket that asserts to be `nodeId`, mounts the peers protocol, and answers
 * every request.
 */
function impostor(fixture: RealFixture, nodeId: string, options: Partial<Given> = {}) {
  const make = (given: Given) => createTransport({ ...given, backends: [ws()] });
  const transport = fixture.guest(make, options);
  const heard: string[] = [];
  pose(transport, nodeId);
  transport.mount(peersProtocol);
  void (async () => {
    for await (const rpc of transport.consumer()) {
      heard.push(rpc.request);
      if (rpc.method === 'say') rpc.respond('from the impostor');
    }
  })();
  return { transport, heard };
}

test('where the transport proves ids, a node that only asserts an id is a client and gets nothing sent to that id', async (t, fixture) => {
  const [ours, theirs] = [await credentials(), await credentials()];
  const a = await mixed(fixture, 'a', ours);
  const { transport, heard } = impostor(fixture, theirs.nodeId);
  await fixture.settle(transport.dial(wsOf(a)));
  t.deepEqual([a.peers.list(), a.transport.remotes().length], [[], 1]);
  t.is(await fixture.settle(transport.send(wsOf(a), 'say', 'hi')), 'a: hi', 'it may call');
  t.false(a.transport.trySend(`node:${theirs.nodeId}`, 'hint', 'a secret'));
  const say = () => fixture.settle(a.transport.send(`node:${theirs.nodeId}`, 'say', 'a secret'));
  t.is((await failureOf(say())).code, 'unavailable');
  const b = await mixed(fixture, 'b', theirs, { ...passive, persistent: [tlsOf(a)] });
  await fixture.linked([a, b]);
  t.true(a.peers.get(theirs.nodeId)!.proven);
  t.is(await say(), 'b: a secret');
  t.deepEqual([heard, emitted(a, 'down').length, a.transport.remotes().length], [[], 0, 2]);
});

test('a persistent peer with an id is still dialed while another node asserts that id', async (t, fixture) => {
  const [ours, theirs] = [await credentials(), await credentials()];
  const b = await mixed(fixture, 'b', theirs);
  const target = `${theirs.nodeId}@${tlsOf(b)}`;
  await fixture.settle(b.transport.close());
  const a = await mixed(fixture, 'a', ours, { ...passive, persistent: [target] });
  const { transport, heard } = impostor(fixture, theirs.nodeId);
  await fixture.settle(transport.dial(wsOf(a)));
  const { length } = a.dials;
  await fixture.run(60_000);
  t.true(a.dials.length > length + 3, `${a.dials.length - length} dials`);
  t.deepEqual([a.peers.list(), heard], [[], []]);
});

test('a proving node and a node that proves nothing do not become peers, whoever dials, and each reports why', async (t, fixture) => {
  const p = await plain(fixture, 'p');
  const a = await mixed(fixture, 'a', await credentials(), { ...passive, persistent: [p.address] });
  const [out] = await fixture.emitted(a, 'rejected');
  t.like(out, { reason: 'unproven', direction: 'out', addr: p.address });
  t.is(out!.error.reason, 'identity_mismatch');
  t.regex(out!.error.message, /only asserts its id.*dial an address at which it proves its id/);
  const q = await plain(fixture, 'q', { ...passive, persistent: [wsOf(a)] });
  const [other] = await fixture.emitted(q, 'rejected');
  t.deepEqual([other!.reason, other!.error.code], ['incompatible', 'failed_precondition']);
  t.regex(other!.error.message, /accepts only nodes that prove/);
  for (const node of [a, p, q]) t.deepEqual(node.peers.list(), [], node.name);
});

for (const isFirst of [true, false])
  test(`an impostor that repeats the instance of a proven node gets nothing meant for that node, whoever connects first: ${isFirst ? 'the impostor' : 'the node'}`, async (t, fixture) => {
    const [ours, theirs] = [await credentials(), await credentials()];
    const a = await mixed(fixture, 'a', ours);
    // The instance is drawn from `random`, so the same seed gives the same instance.
    const same = () => ({ random: seededRandom(77) });
    const double = impostor(fixture, theirs.nodeId, same());
    const come = () => fixture.settle(double.transport.dial(wsOf(a)));
    if (isFirst) await come();
    const b = await fixture.node('b', {
      transport: same(),
      peers: { ...passive, persistent: [tlsOf(a)] },
      make: overTls(theirs),
    });
    await fixture.linked([a, b]);
    if (!isFirst) await come();
    const [one, two] = a.transport.remotes();
    t.is(one!.instance, two!.instance);
    const call = a.transport.send(`node:${theirs.nodeId}`, 'say', 'a secret');
    t.is(await fixture.settle(call), 'b: a secret');
    t.deepEqual(double.heard, []);
    t.true(a.peers.get(theirs.nodeId)!.proven && isLinked(a, b));
  });

test('a node that also listens on plain WebSocket advertises the address where it proves its id, and is found there', async (t, fixture) => {
  const [ours, theirs] = [await credentials(), await credentials()];
  const a = await fixture.node('a', { peers: passive, make: overTls(ours) });
  const b = await mixed(fixture, 'b', theirs, passive, [LOCAL.wss, LOCAL.tls]);
  t.is(b.transport.advertiseAddr(), tlsOf(b));
  const say = (from: RealNode) =>
    fixture.settle(from.transport.send(`node:${b.nodeId}`, 'say', 'hi'));
  t.is(await say(b), 'b: hi', 'by itself, too');
  await fixture.settle(b.transport.dial(tlsOf(a)));
  await fixture.linked([a, b]);
  t.is(bare(a.peers.addressOf(b.nodeId)), bare(tlsOf(b)));
  await fixture.settle(a.transport.disconnect(a.transport.remotes()[0]!));
  t.is(await say(a), 'b: hi');
});

test('of several advertised addresses, the one where the node proves its id is dialed', async (t, fixture) => {
  const [ours, theirs] = [await credentials(), await credentials()];
  const a = await fixture.node('a', { peers: passive, make: overTls(ours) });
  const first = await mixed(fixture, 'b', theirs);
  const addresses = [wsOf(first), tlsOf(first)];
  await fixture.settle(first.close());
  const more = { advertiseAddr: addresses };
  const b = await mixed(fixture, 'b', theirs, passive, addresses, more);
  await fixture.settle(b.transport.dial(tlsOf(a)));
  await fixture.linked([a, b]);
  for (const address of [a.peers.addressOf(b.nodeId), a.peers.get(b.nodeId)!.addr])
    t.is(bare(address), bare(tlsOf(b)));
});

test('a transport that only dials has the id that it proves', async (t, fixture) => {
  const [ours, theirs] = [await credentials(), await credentials()];
  const a = await fixture.node('a', { peers: passive, make: overTls(ours) });
  const transport = fixture.guest((given) =>
    createTransport({ ...given, backends: [ws(), tcp({ tls: theirs.tls })] }),
  );
  const peers = createPeers({ transport, ...passive, persistent: [a.address] });
  t.is(peers.nodeId, theirs.nodeId);
  await peers.start();
  const isPeer = () => a.peers.get(theirs.nodeId)?.proven === true;
  await fixture.until('the node that proves its id is a peer of a', isPeer);
  await fixture.settle(peers.close());
});
