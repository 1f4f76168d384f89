// Tests that a fixed topology stays fixed with gossip on it: only listed nodes are dialed.

import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { eventsOf, idOf, meet, runs } from './testing/cluster.ts';
import test from './testing/serial.ts';

const MINUTE = 60_000;
const named = (name: string) => `${idOf(name)}@${name}`;

for (const overlay of [fullMesh(), partialView()]) {
  test(
    `a node that is removed from the lists is not added again by gossip, until it is listed again: ${overlay.name}`,
    async (t) => {
      const names = ['a', 'b', 'c', 'd', 'e'];
      const { sim, node, met, subscriber } = await meet(t.context, names, {
        gossip: () => ({ overlay }),
        peers: (name) => ({
          exchange: { enabled: false },
          persistent: name === 'e' ? [] : names.filter((other) => other !== name).map(named),
        }),
        neighbors: 0,
      });
      const peersOf = (name: string) =>
        node(name)
          .peers.list()
          .map(({ nodeId }) => names.find((other) => idOf(other) === nodeId))
          .sort()
          .join();
      await sim.until(() => names.every((name) => node(name).peers.list().length === 4), MINUTE);
      await sim.run(10_000);
      // e lists no node itself, but has learned the addresses of the others.
      const left = names.filter((name) => name !== 'e');
      for (const name of left) node(name).peers.remove(idOf('e'));
      await sim.until(() => peersOf('e') === '', 10_000);
      let back = '';
      sim.always('it stays away', () => {
        back ||= peersOf('e');
        return true;
      });
      await sim.run(5 * MINUTE);
      t.is(back, '');
      for (const name of left) t.is(peersOf(name), left.filter((other) => other !== name).join());
      await sim.settle(subscriber('a').topic.publish('to those that are left'));
      await sim.until(
        () => left.every((name) => name === 'a' || subscriber(name).words.length === 1),
        10_000,
      );
      t.deepEqual(subscriber('e').words, []);
      t.deepEqual(await sim.settle(subscriber('e').topic.publish('alone')), { queued: 0 });
      t.true(eventsOf(node('e'), 'neighborDown').every(({ cause }) => cause === 'lost'));
      for (const name of left) node(name).peers.add(named('e'));
      await met(overlay.name === 'fullMesh' ? 4 : 1);
      await sim.settle(subscriber('a').topic.publish('again'));
      await sim.settle(subscriber('e').topic.publish('back'));
      const has = (name: string) =>
        subscriber(name).words.includes(name === 'e' ? 'again' : 'back');
      await sim.until(() => names.every(has), 10_000);
    },
    runs(1, ['message']),
  );
}
