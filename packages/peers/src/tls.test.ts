// Tests of peers that prove their ids over TLS on real TCP: each is recognized as the right node,
// and a node with a new address is found.

import { createTransport, type Transport } from '@trunkline/transport-core';
import { spelled } from '@trunkline/transport-core/internal';
import { type TcpBackend, tcp } from '@trunkline/transport-tcp';
import ava from 'ava';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { peersProtocol } from './protocol.ts';
import { failureOf } from './testing/bare.ts';
import { echo, passive } from './testing/cluster.ts';
import { pose } from './testing/raw-peer.ts';
import { overTls } from './testing/real/carriers.ts';
import { credentials } from './testing/real/credentials.ts';
import {
  emitted,
  isLinked,
  type RealFixture,
  type RealNode,
  test,
} from './testing/real/real-fixture.ts';
import { TcpRelay } from './testing/real/tcp-relay.ts';

/** Starts a node with these credentials and without the option `identity`. */
const proving = async (
  fixture: RealFixture,
  name: string,
  peers: Partial<PeersOptions> = {},
  keys = credentials(),
) => fixture.node(name, { make: overTls(await keys), peers: { ...passive, ...peers } });

const say = (fixture: RealFixture, from: RealNode, to: RealNode, text: string) =>
  fixture.settle(from.transport.send(`node:${to.nodeId}`, 'say', text));

ava(
  'an identity other than the one that the transport proves throws a TypeError that names both, and changes nothing',
  async (t) => {
    const [ours, theirs] = [await credentials(), await credentials()];
    const transport = createTransport({ protocol: echo, backends: [tcp({ tls: ours.tls })] });
    const create = () => createPeers({ transport, identity: theirs });
    const { message } = t.throws(create, { instanceOf: TypeError })!;
    t.true(message.startsWith('createPeers: identity: '));
    t.true(message.includes(ours.nodeId) && message.includes(theirs.nodeId), message);
    const peers = createPeers({ transport, identity: ours });
    t.is(peers.nodeId, ours.nodeId);
    await peers.close();
    await transport.close();
  },
);

test('another node that answers at a dialed address is not mistaken for the peer, which is dialed until it is there', async (t, fixture) => {
  const theirs = await credentials();
  const impostor = await proving(fixture, 'impostor');
  const relay = await TcpRelay.to(impostor.address, t);
  const { address } = relay;
  const a = await proving(fixture, 'a', { persistent: [`${theirs.nodeId}@${address}`] });
  await fixture.run(10_000);
  const failed = emitted(a, 'rejected');
  t.true(failed.length >= 3, `${failed.length} times`);
  for (const { direction, error, nodeId, addr } of failed)
    t.deepEqual(
      [direction, error.code, error.reason, nodeId, addr],
      ['out', 'unauthenticated', 'identity_mismatch', theirs.nodeId, spelled(address)],
    );
  for (const node of [a, impostor]) t.deepEqual([node.peers.list(), emitted(node, 'up')], [[], []]);
  t.false(a.transport.trySend(`node:${theirs.nodeId}`, 'hint', 'for him alone'));
  const b = await proving(fixture, 'b', {}, Promise.resolve(theirs));
  relay.redirect(b.address);
  await fixture.linked([a, b], 60_000);
  t.true(a.peers.get(b.nodeId)!.proven);
});

for (const [title, options] of [
  ['nobody else knows of', () => ({})],
  ['is an ordinary peer', () => ({ maxOutbound: 10 })],
  ['was named with its old address', (target: string) => ({ persistent: [target] })],
] as const)
  test(`a node that returns on another port with the same key is reached by its id again: one that ${title}`, async (t, fixture) => {
    const theirs = credentials();
    const first = await proving(fixture, 'b', {}, theirs);
    const a = await proving(fixture, 'a', options(`${first.nodeId}@${first.address}`));
    await fixture.settle(first.transport.dial(a.address));
    await fixture.linked([a, first]);
    await fixture.run(15_000);
    await fixture.settle(first.close());
    await fixture.until('a has lost the first node', () => !isLinked(a, first));
    const b = await proving(fixture, 'b', {}, theirs);
    t.not(b.address, first.address);
    t.is(b.nodeId, first.nodeId);
    // The peer advertises its new address over a separate connection.
    await fixture.settle(b.transport.dial(a.address));
    await fixture.linked([a, b]);
    await fixture.run(15_000);
    const [link] = a.transport.remotes();
    t.deepEqual([link!.direction, link!.addr], ['in', spelled(b.address)]);
    const { length } = a.dials;
    await fixture.settle(a.transport.disconnect(link!));
    t.is(await say(fixture, a, b, 'are you there?'), 'b: are you there?');
    await fixture.linked([a, b]);
    const [again] = a.transport.remotes();
    t.deepEqual([again!.direction, again!.nodeId], ['out', b.nodeId]);
    t.is(spelled(again!.endpoint), b.address);
    t.true(a.dials.slice(length).some(({ target }) => spelled(target) === b.address));
  });

test('a persistent peer that moved is dialed at its last advertised address, even if another node has its old one', async (t, fixture) => {
  const theirs = credentials();
  const first = await proving(fixture, 'b', {}, theirs);
  const relay = await TcpRelay.to(first.address, t);
  const a = await proving(fixture, 'a', { persistent: [`${first.nodeId}@${relay.address}`] });
  await fixture.linked([a, first]);
  await fixture.settle(first.close());
  const squatter = await proving(fixture, 'squatter');
  relay.redirect(squatter.address);
  const b = await proving(fixture, 'b', {}, theirs);
  await fixture.settle(b.transport.dial(a.address));
  await fixture.linked([a, b]);
  t.is(a.peers.get(b.nodeId)!.direction, 'in');
  for (let round = 0; round < 3; round++) {
    await fixture.run(15_000);
    await fixture.settle(b.transport.disconnect(b.transport.remotes()[0]!));
    await fixture.until('a has lost b', () => !isLinked(a, b));
    await fixture.linked([a, b], 20_000);
    const [link] = a.transport.remotes();
    t.deepEqual([link!.direction, spelled(link!.endpoint)], ['out', b.address]);
    t.true(a.peers.get(b.nodeId)!.persistent);
  }
  // A call by id finds the peer as well, right after the other node answered at the old address.
  const before = emitted(a, 'rejected').length;
  await fixture.settle(b.transport.disconnect(b.transport.remotes()[0]!));
  const rejected = await fixture.emitted(a, 'rejected', before + 1);
  t.is(rejected.at(-1)!.error.reason, 'identity_mismatch');
  t.is(await say(fixture, a, b, 'hi'), 'b: hi');
  const old = a.dials.filter(({ target }) => target === relay.address);
  t.true(old.length > 2, 'the operator’s address is still dialed');
  t.deepEqual([squatter.peers.list(), isLinked(a, squatter)], [[], false]);
});

test('of two nodes with one key the newest is the peer: the other’s link accepts no calls, and ends after the running ones', async (t, fixture) => {
  const theirs = credentials();
  let answer: (said: string) => void = () => {};
  const a = await fixture.node('a', {
    make: overTls(await credentials()),
    peers: passive,
    answer: (said) =>
      said === 'wait' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(said),
  });
  const older = await proving(fixture, 'older', {}, theirs);
  const newer = await proving(fixture, 'newer', {}, theirs);
  t.is(older.nodeId, newer.nodeId);
  await fixture.settle(older.transport.dial(a.address));
  await fixture.linked([a, older]);
  const before = a.peers.get(older.nodeId)!;
  const running = older.transport.send(`node:${a.nodeId}`, 'say', 'wait', {
    timeout: Number.POSITIVE_INFINITY,
  });
  await fixture.until('the call runs', () => a.transport.snapshot().calls.served > 0);
  await fixture.settle(newer.transport.dial(a.address));
  await fixture.emitted(a, 'up', 2);
  t.is(a.peers.list().length, 1);
  const downs = emitted(a, 'down').map(({ nodeId, cause }) => [nodeId, cause.code, cause.reason]);
  t.deepEqual(downs, [[older.nodeId, 'already_exists', 'duplicate']]);
  const { instance } = a.peers.get(newer.nodeId)!;
  t.not(instance, before.instance);
  const ups = emitted(a, 'up').map(({ peer }) => peer.instance);
  t.deepEqual(ups, [before.instance, instance]);
  t.true(a.transport.trySend(`node:${newer.nodeId}`, 'hint', 'for the newest'));
  await fixture.run(30_000);
  const hint = () => older.transport.trySend(`node:${a.nodeId}`, 'hint', 'from the older');
  t.false(isLinked(older, a) && hint());
  answer('at last');
  t.is(await fixture.settle(running), 'at last');
  const hasLost = () => older.transport.remotes().length === 0 && !isLinked(older, a);
  await fixture.until('the older node has lost a', hasLost);
  t.is(emitted(older, 'down')[0]!.cause.reason, 'duplicate');
  t.deepEqual([a.transport.remotes().length, emitted(newer, 'down').length], [1, 0]);
  t.true(isLinked(newer, a));
});

for (const how of ['peers.ban', 'a violation'])
  test(`a ban ends all connections of its node, even one that another instance replaced and that drains: ${how}`, async (t, fixture) => {
    const theirs = await credentials();
    const answer = () => new Promise<never>(() => {});
    const make = overTls(await credentials());
    const a = await fixture.node('a', { make, peers: passive, answer });
    const instance = () => {
      const transport = fixture.guest(overTls(theirs));
      pose(transport, theirs.nodeId);
      return { transport, words: transport.mount(peersProtocol) };
    };
    const [older, newer] = [instance(), instance()];
    const timeout = Number.POSITIVE_INFINITY;
    const running = failureOf(older.transport.send(a.address, 'say', 'wait', { timeout }));
    await fixture.until('the call runs', () => a.transport.snapshot().calls.served > 0);
    const remote = await fixture.settle(newer.transport.dial(a.address));
    await fixture.emitted(a, 'up', 2);
    if (how === 'peers.ban') a.peers.ban(theirs.nodeId);
    else t.true(newer.words.trySend(remote, 'addresses', new Uint8Array()));
    t.is((await fixture.settle(running)).reason, 'denied');
    const isFree = () => a.transport.snapshot().connections.length === 0;
    await fixture.until('a has no connection', isFree, 10_000);
  });

test('a node is not a peer of another node with its own key', async (t, fixture) => {
  const theirs = credentials();
  const one = await proving(fixture, 'one', {}, theirs);
  const other = await proving(fixture, 'other', { persistent: [one.address] }, theirs);
  await fixture.run(60_000);
  const [rejected, ...more] = emitted(other, 'rejected');
  t.deepEqual([rejected!.reason, rejected!.direction, more.length], ['self', 'out', 0]);
  t.deepEqual([one.peers.list(), other.peers.list()], [[], []]);
});

for (const how of ['peers.ban', 'updateTls'] as const)
  test(`a peer that ${how} denies is disconnected, both ends are told why, and it is admitted again once allowed`, async (t, fixture) => {
    const a = await proving(fixture, 'a');
    const b = await proving(fixture, 'b', { persistent: [`${a.nodeId}@${a.address}`] });
    const c = await proving(fixture, 'c', { persistent: [a.address] });
    await fixture.linked([a, b]);
    await fixture.linked([a, c]);
    const transport = a.transport as Transport<typeof echo> & Pick<TcpBackend, 'updateTls'>;
    if (how === 'peers.ban') a.peers.ban(b.nodeId);
    else await transport.updateTls({ deny: [b.nodeId] });
    await fixture.parted(a, b, 1_000);
    for (const node of [a, b]) {
      const downs = emitted(node, 'down').map(({ cause }) => [cause.code, cause.reason]);
      t.deepEqual(downs, [['permission_denied', 'denied']]);
    }
    await fixture.run(20_000);
    t.true(emitted(b, 'rejected').length >= 2);
    for (const { reason, direction } of emitted(b, 'rejected'))
      t.deepEqual([reason, direction], ['denied', 'out']);
    if (how === 'peers.ban')
      for (const { reason, direction, nodeId } of emitted(a, 'rejected'))
        t.deepEqual([reason, direction, nodeId], ['denied', 'in', b.nodeId]);
    t.true(!isLinked(a, b) && isLinked(a, c));
    if (how === 'peers.ban') a.peers.unban(b.nodeId);
    else await transport.updateTls({ deny: [] });
    await fixture.linked([a, b]);
    t.is(emitted(c, 'down').length, 0);
  });
