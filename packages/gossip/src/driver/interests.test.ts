// Tests that complete nodes learn at once which peers are on their topics. discovery.test.ts tests
// that no other node learns it.

import { idOf, listen, meet, runs } from '../testing/cluster.ts';
import test from '../testing/serial.ts';

test(
  'a topic that is opened later is recognized in the lists that are present: no peer is asked again',
  async (t) => {
    const { sim, node } = await meet(t.context, ['a', 'b', 'c'], {
      topic: (name) => (name === 'a' ? undefined : {}),
      neighbors: 1,
    });
    await sim.until(() => node('a').peers.list().length === 2, 20_000);
    await sim.run(1_000);
    const pulls: string[] = [];
    sim.intercept(
      ({ from, to, kind, method }) =>
        void (kind === 'request' && method === 'pull' && pulls.push(`${from} ${to}`)),
    );
    const open = () => {
      const subscriber = listen(node('a'));
      t.deepEqual([...subscriber.topic.neighbors].sort(), [idOf('b'), idOf('c')].sort(), 'at once');
      return subscriber;
    };
    const subscriber = open();
    t.deepEqual(listen(node('a'), 'other').topic.neighbors, []);
    t.deepEqual(await sim.settle(subscriber.topic.publish('hello')), { queued: 2 });
    await sim.run(3_000);
    t.deepEqual(pulls.sort(), ['b a', 'c a'], 'and they ask once about the new topic');
    subscriber.topic.close();
    subscriber.subscription.close();
    await sim.run(3_000);
    open();
  },
  runs(2, ['message']),
);
