// Tests of peers that prove their ids over TLS on real TCP: each is recognized as the right node,
// and a node with a new address is found.

import { createTransport, type Transport } from '@trunkline/transport-core';
import { spelled } from '@trunkline/transport-core/internal';
import { type TcpBackend, tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { echo, passive } from './testing/cluster.ts';
import { credentials, type NodeCredentials } from './testing/real/credentials.ts';
import {
  emitted,
  isLinked,
  RealFixture,
  type RealNodeOptions,
} from './testing/real/real-fixture.ts';
import { TcpRelay } from './testing/real/tcp-relay.ts';

/** A node with these credentials and without the option `identity`. */
const proving = (
  { tls }: NodeCredentials,
  peers: Partial<PeersOptions> = passive,
): RealNodeOptions => ({
  make: (given) => createTransport('tcp://127.0.0.1:0', { ...given, backends: [tcp({ tls })] }),
  peers,
});

test('an identity other than the one that the transport proves throws a TypeError that names both, and changes nothing', async (t) => {
  const [ours, theirs] = [await credentials(), await credentials()];
  const transport = createTransport({ protocol: echo, backends: [tcp({ tls: ours.tls })] });
  const error = t.throws(() => createPeers({ transport, identity: theirs }), {
    instanceOf: TypeError,
  });
  t.true(
    error.message.startsWith('createPeers: identity: ') &&
      error.message.includes(ours.nodeId) &&
      error.message.includes(theirs.nodeId),
    error.message,
  );
  const peers = createPeers({ transport, identity: ours });
  t.is(peers.nodeId, ours.nodeId);
  await peers.close();
  await transport.close();
});

test('another node that answers at a dialed address is not mistaken for the peer, which is dialed until it is there', async (t) => {
  const fixture = new RealFixture(t);
  const [ours, theirs, impostors] = [await credentials(), await credentials(), await credentials()];
  const impostor = await fixture.node('impostor', proving(impostors));
  const relay = await TcpRelay.to(impostor.address, t);
  const { address } = relay;
  const a = await fixture.node(
    'a',
    proving(ours, { ...passive, persistent: [`${theirs.nodeId}@${address}`] }),
  );
  await fixture.run(10_000);
  const failed = emitted(a, 'rejected');
  t.true(failed.length >= 3, `${failed.length} times`);
  for (const { direction, error, nodeId, addr } of failed) {
    t.deepEqual(
      [direction, error.code, error.reason, nodeId, addr],
      ['out', 'unauthenticated', 'identity_mismatch', theirs.nodeId, spelled(address)],
    );
  }
  t.deepEqual(
    [a.peers.list(), impostor.peers.list(), emitted(a, 'up'), emitted(impostor, 'up')],
    [[], [], [], []],
  );
  t.false(a.transport.trySend(`node:${theirs.nodeId}`, 'hint', 'for him alone'));
  const b = await fixture.node('b', proving(theirs));
  relay.redirect(b.address);
  await fixture.until(
    'a and the right node are peers',
    () => isLinked(a, b) && isLinked(b, a),
    60_000,
  );
  t.true(a.peers.get(b.nodeId)!.proven);
  t.deepEqual(await fixture.close(), []);
});

for (const [title, options] of [
  ['nobody else knows of', () => passive],
  ['is an ordinary peer', () => ({})],
  [
    'was named with its old address',
    (nodeId: string, address: string) => ({ ...passive, persistent: [`${nodeId}@${address}`] }),
  ],
] as const) {
  test(`a node that returns on another port with the same key is reached by its id again: one that ${title}`, async (t) => {
    const fixture = new RealFixture(t);
    const [ours, theirs] = [await credentials(), await credentials()];
    const first = await fixture.node('b', proving(theirs, passive));
    const a = await fixture.node('a', proving(ours, options(theirs.nodeId, first.address)));
    await fixture.settle(first.transport.dial(a.address));
    await fixture.until('a and the first node are peers', () => isLinked(a, first));
    await fixture.run(15_000);
    await fixture.settle(first.close());
    await fixture.until('a has lost the first node', () => !isLinked(a, first));
    const b = await fixture.node('b', proving(theirs, passive));
    t.not(b.address, first.address);
    t.is(b.nodeId, first.nodeId);
    // The peer advertises its new address over a separate connection.
    await fixture.settle(b.transport.dial(a.address));
    await fixture.until('a and b are peers', () => isLinked(a, b) && isLinked(b, a));
    await fixture.run(15_000);
    const [link] = a.transport.remotes();
    t.deepEqual([link!.direction, link!.addr], ['in', spelled(b.address)]);
    const { length } = a.dials;
    await fixture.settle(a.transport.disconnect(link!));
    t.is(
      await fixture.settle(a.transport.send(`node:${b.nodeId}`, 'say', 'are you there?')),
      'b: are you there?',
    );
    await fixture.until('a and b are peers', () => isLinked(a, b) && isLinked(b, a));
    const [again] = a.transport.remotes();
    t.deepEqual(
      [again!.direction, spelled(again!.endpoint), again!.nodeId],
      ['out', b.address, b.nodeId],
    );
    t.true(a.dials.slice(length).some(({ target }) => spelled(target) === b.address));
    t.deepEqual(await fixture.close(), []);
  });
}

test('a persistent peer that moved is dialed at its last advertised address, even if another node has its old one', async (t) => {
  const fixture = new RealFixture(t);
  const [ours, theirs, others] = [await credentials(), await credentials(), await credentials()];
  const first = await fixture.node('b', proving(theirs));
  const relay = await TcpRelay.to(first.address, t);
  const a = await fixture.node(
    'a',
    proving(ours, { ...passive, persistent: [`${theirs.nodeId}@${relay.address}`] }),
  );
  await fixture.until('a and the first node are peers', () => isLinked(a, first));
  await fixture.settle(first.close());
  const squatter = await fixture.node('squatter', proving(others));
  relay.redirect(squatter.address);
  const b = await fixture.node('b', proving(theirs));
  await fixture.settle(b.transport.dial(a.address));
  await fixture.until('a and b are peers', () => isLinked(a, b));
  t.is(a.peers.get(b.nodeId)!.direction, 'in');
  for (let round = 0; round < 3; round++) {
    await fixture.run(15_000);
    await fixture.settle(b.transport.disconnect(b.transport.remotes()[0]!));
    await fixture.until('a has lost b', () => !isLinked(a, b));
    await fixture.until('a and b are peers again', () => isLinked(a, b) && isLinked(b, a), 20_000);
    const [link] = a.transport.remotes();
    t.deepEqual(
      [link!.direction, spelled(link!.endpoint), a.peers.get(b.nodeId)!.persistent],
      ['out', b.address, true],
    );
  }
  // A call by id finds the peer as well, right after the other node answered at the old address.
  const before = emitted(a, 'rejected').length;
  await fixture.settle(b.transport.disconnect(b.transport.remotes()[0]!));
  await fixture.until(
    'another node answers, and a rejects it',
    () => emitted(a, 'rejected').length > before,
  );
  t.is(emitted(a, 'rejected').at(-1)!.error.reason, 'identity_mismatch');
  t.is(await fixture.settle(a.transport.send(`node:${b.nodeId}`, 'say', 'hi')), 'b: hi');
  t.true(
    a.dials.filter(({ target }) => target === relay.address).length > 2,
    'the operator’s address is still dialed',
  );
  t.deepEqual([squatter.peers.list(), isLinked(a, squatter)], [[], false]);
  t.deepEqual(await fixture.close(), []);
});

test('of two nodes with one key the newest is the peer: the other’s link accepts no calls, and ends after the running ones', async (t) => {
  const fixture = new RealFixture(t);
  const [ours, theirs] = [await credentials(), await credentials()];
  let answer: (said: string) => void = () => {};
  const a = await fixture.node('a', {
    ...proving(ours),
    answer: (said) =>
      said === 'wait' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(said),
  });
  const [older, newer] = [
    await fixture.node('older', proving(theirs)),
    await fixture.node('newer', proving(theirs)),
  ];
  t.is(older.nodeId, newer.nodeId);
  await fixture.settle(older.transport.dial(a.address));
  await fixture.until(
    'a and the older node are peers',
    () => isLinked(a, older) && isLinked(older, a),
  );
  const before = a.peers.get(older.nodeId)!;
  const running = older.transport.send(`node:${a.nodeId}`, 'say', 'wait', {
    timeout: Number.POSITIVE_INFINITY,
  });
  await fixture.until(
    'the call of the older node runs',
    () => a.transport.snapshot().calls.served > 0,
  );
  await fixture.settle(newer.transport.dial(a.address));
  await fixture.until(
    'the newer node is a peer of a',
    () => a.peers.get(newer.nodeId)?.instance !== before.instance,
  );
  t.is(a.peers.list().length, 1);
  t.deepEqual(
    emitted(a, 'down').map(({ nodeId, cause }) => [nodeId, cause.code, cause.reason]),
    [[older.nodeId, 'already_exists', 'duplicate']],
  );
  t.deepEqual(
    emitted(a, 'up').map(({ peer }) => peer.instance),
    [before.instance, a.peers.get(newer.nodeId)!.instance],
  );
  t.true(a.transport.trySend(`node:${newer.nodeId}`, 'hint', 'for the newest'));
  await fixture.run(30_000);
  t.false(
    isLinked(older, a) && older.transport.trySend(`node:${a.nodeId}`, 'hint', 'from the older'),
  );
  answer('at last');
  t.is(await fixture.settle(running), 'at last');
  await fixture.until(
    'the older node has lost a',
    () => older.transport.remotes().length === 0 && !isLinked(older, a),
  );
  t.is(emitted(older, 'down')[0]!.cause.reason, 'duplicate');
  t.deepEqual(
    [a.transport.remotes().length, isLinked(newer, a), emitted(newer, 'down').length],
    [1, true, 0],
  );
  t.deepEqual(await fixture.close(), []);
});

test('a node is not a peer of another node with its own key', async (t) => {
  const fixture = new RealFixture(t);
  const theirs = await credentials();
  const one = await fixture.node('one', proving(theirs));
  const other = await fixture.node(
    'other',
    proving(theirs, { ...passive, persistent: [one.address] }),
  );
  await fixture.run(60_000);
  t.deepEqual(
    emitted(other, 'rejected').map(({ reason, direction }) => [reason, direction]),
    [['self', 'out']],
  );
  t.deepEqual([one.peers.list(), other.peers.list()], [[], []]);
  t.deepEqual(await fixture.close(), []);
});

for (const how of ['peers.ban', 'updateTls'] as const) {
  test(`a peer that ${how} denies is disconnected, both ends are told why, and it is admitted again once allowed`, async (t) => {
    const fixture = new RealFixture(t);
    const [ours, theirs, others] = [await credentials(), await credentials(), await credentials()];
    const a = await fixture.node('a', proving(ours));
    const b = await fixture.node(
      'b',
      proving(theirs, { ...passive, persistent: [`${ours.nodeId}@${a.address}`] }),
    );
    const c = await fixture.node('c', proving(others, { ...passive, persistent: [a.address] }));
    await fixture.until(
      'b and c are peers of a',
      () => isLinked(a, b) && isLinked(b, a) && isLinked(a, c),
    );
    const transport = a.transport as Transport<typeof echo> & Pick<TcpBackend, 'updateTls'>;
    if (how === 'peers.ban') a.peers.ban(b.nodeId);
    else await transport.updateTls({ deny: [b.nodeId] });
    await fixture.until(
      'a and b are no longer peers',
      () => !isLinked(a, b) && !isLinked(b, a),
      1_000,
    );
    for (const node of [a, b])
      t.deepEqual(
        emitted(node, 'down').map(({ cause }) => [cause.code, cause.reason]),
        [['permission_denied', 'denied']],
      );
    await fixture.run(20_000);
    const refused = emitted(b, 'rejected');
    t.true(
      refused.length >= 2 &&
        refused.every(({ reason, direction }) => reason === 'denied' && direction === 'out'),
      `${refused.length} times`,
    );
    if (how === 'peers.ban')
      t.true(
        emitted(a, 'rejected').every(
          ({ reason, direction, nodeId }) =>
            reason === 'denied' && direction === 'in' && nodeId === b.nodeId,
        ),
      );
    t.true(!isLinked(a, b) && isLinked(a, c));
    if (how === 'peers.ban') a.peers.unban(b.nodeId);
    else await transport.updateTls({ deny: [] });
    await fixture.until('a and b are peers again', () => isLinked(a, b) && isLinked(b, a));
    t.is(emitted(c, 'down').length, 0);
    t.deepEqual(await fixture.close(), []);
  });
}
