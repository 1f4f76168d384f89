// Tests of the addresses that are sent along with messages that name nodes.

import ava from 'ava';
import { partialView } from '../overlay/partial-view.ts';
import { topicKey } from '../protocol.ts';
import { idOf, meet } from '../testing/cluster.ts';
import { rawPeer } from '../testing/raw-peer.ts';
import test from '../testing/serial.ts';
import { type Addresses, addressesFor, learnAddresses } from './addresses.ts';
import { memberLimits } from './members.ts';

test('a node that knows one member by address becomes a neighbor of the others: gossip carries addresses', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c', 'd'], {
    gossip: () => ({ overlay: partialView({ mergeInterval: Number.POSITIVE_INFINITY }) }),
    peers: (name) => ({
      maxOutbound: 1,
      persistent: name === 'a' ? [] : ['a'],
      exchange: { enabled: false },
    }),
  });
  t.not(node('c').peers.get(idOf('b')), undefined);
  sim.crash('a');
  await sim.run(5_000);
  await sim.settle(subscriber('c').topic.publish('without a'));
  await sim.run(2_000);
  t.deepEqual([subscriber('b').words, subscriber('d').words], [['without a'], ['without a']]);
});

test('whatever addresses a peer sends, gossip continues, and accepts no more of them than peer exchange does', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a', 'b'], {
    gossip: () => ({ overlay: partialView() }),
  });
  const { peers } = node('a');
  const guest = await rawPeer(sim);
  const { hex: topic } = topicKey('news');
  const before = peers.snapshot().book.size;
  const message = { type: 'join', request: 1 };
  const say = (addresses: unknown) =>
    guest.talk.trySend(guest.remote, 'view', { topic, message, addresses });
  const [x, y] = [idOf('x'), idOf('y')];
  const odd = [[7, 8], [x], [x, 'no@address', 7], ['nobody', 'x'], [idOf('a'), 'a2']];
  for (const addresses of [null, 7, 'x', {}, [null], [[]], ...odd.map((one) => [one])])
    say(addresses);
  await sim.run(1_000);
  t.is(peers.snapshot().book.size, before);
  say([[x, 'x'], 7, [y, null, 'y']]);
  await sim.run(100);
  t.deepEqual([peers.addressOf(x), peers.addressOf(y)], ['x', 'y']);
  await sim.settle(subscriber('b').topic.publish('still here'));
  await sim.run(1_000);
  t.deepEqual(subscriber('a').words, ['still here']);
}, 1);

ava(
  'one message may add 16 nodes with two addresses each; one peer 256 addresses at once, and four per second',
  (t) => {
    const learned: string[] = [];
    const peers = {
      learn: (nodeId: string, address: string, by: string) =>
        learned.push(`${by}: ${nodeId} ${address}`) > 0,
    };
    const { addresses } = memberLimits();
    const told: Addresses = Array.from({ length: 30 }, (_, i) => [`n${i}`, 'one', 'two', 'three']);
    learnAddresses(told, 'b', peers, addresses, 0);
    t.is(learned.length, 32);
    t.deepEqual(learned.slice(0, 3), ['b: n0 one', 'b: n0 two', 'b: n1 one']);
    for (let i = 0; i < 20; i++) learnAddresses(told, 'b', peers, addresses, 0);
    t.is(learned.length, 256);
    learnAddresses(told, 'b', peers, addresses, 1_000);
    t.is(learned.length, 260);
  },
);

ava('a message carries the known addresses of the nodes that it names, 16 at most', (t) => {
  const peers = {
    addressOf: (nodeId: string) => (nodeId === 'unknown' ? undefined : `at ${nodeId}`),
  };
  t.deepEqual(addressesFor({ type: 'forward-join', peer: 'c', ttl: 3 }, peers), [['c', 'at c']]);
  const shuffle = { type: 'shuffle', origin: 'o', id: 1, ttl: 2, peers: ['p', 'unknown'] } as const;
  t.deepEqual(addressesFor(shuffle, peers), [
    ['p', 'at p'],
    ['o', 'at o'],
  ]);
  t.is(addressesFor({ type: 'join', request: 1 }, peers), undefined);
  t.is(addressesFor({ type: 'forward-join', peer: 'unknown', ttl: 3 }, peers), undefined);
  const many = Array.from({ length: 20 }, (_, i) => `p${i}`);
  t.is(addressesFor({ type: 'shuffle-reply', id: 1, peers: many }, peers)?.length, 16);
});
