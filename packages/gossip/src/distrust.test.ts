// Tests of the consequences for a peer whose score has fallen to 0.

import { partialView } from './overlay/partial-view.ts';
import { eventsOf, listen, meet } from './testing/cluster.ts';
import { frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';

const rubbish = new Uint8Array([9, 9, 9]);

test('a neighbor that sends rubbish now and then is replaced by another node, may return while there is room, and is cut by a ban', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c', 'd'], {
    gossip: () => ({ overlay: partialView({ active: 2, mergeInterval: Infinity }) }),
    topic: (name) => (name === 'd' ? undefined : {}),
    neighbors: 0,
  });
  const a = node('a');
  const { topic } = subscriber('a');
  await sim.until(() => topic.neighbors.length > 0, 20_000);
  const guest = await rawPeer(sim);
  for (let i = 0; i < 30 && !topic.neighbors.includes(guest.nodeId); i++) {
    guest.join();
    await sim.run(1_000);
  }
  t.true(topic.neighbors.includes(guest.nodeId) && topic.neighbors.length <= 2);
  const send = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      guest.push(...Array.from({ length: 4 }, () => rubbish));
      await sim.run(1_000);
    }
  };
  guest.push(frame({ sequence: 1 }));
  await sim.run(500);
  t.deepEqual(subscriber('a').words, ['said'], 'it is a real neighbor');
  await send(30);
  t.is(a.peers.get(guest.nodeId)?.score, 0, 'it is still connected');
  listen(node('d'));
  for (let i = 0; i < 30 && topic.neighbors.includes(guest.nodeId); i++) await send(1);
  t.is(topic.neighbors.length, 2);
  const downs = eventsOf(a, 'neighborDown').filter(({ nodeId }) => nodeId === guest.nodeId);
  t.is(downs.at(-1)!.cause, 'evicted');
  await send(2);
  guest.join();
  await sim.run(2_000);
  t.false(topic.neighbors.includes(guest.nodeId), 'it takes no other node’s place');
  a.peers.ban(guest.nodeId);
  await sim.until(() => a.peers.get(guest.nodeId) === undefined, 5_000);
}, 3);

test('on a full mesh, any: 1 chooses a peer whose score is 0 only if nobody else is left', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c']);
  const a = node('a');
  const b = node('b').nodeId;
  const { topic } = subscriber('a');
  a.peers.report(b, 'bad', 1_000);
  t.is(a.peers.scoreOf(b), 0);
  for (let i = 0; i < 20; i++) await sim.settle(topic.publish(`${i}`, { any: 1 }));
  await sim.run(1_000);
  t.deepEqual([subscriber('b').words.length, subscriber('c').words.length], [0, 20]);
  await sim.settle(topic.publish('to both', { any: 2 }));
  await sim.run(1_000);
  t.deepEqual(subscriber('b').words, ['to both']);
});
