// Tests that complete nodes learn at once which peers are on their topics, and that no other node
// learns it.

import {
  areMet,
  cluster,
  idOf,
  listen,
  meet,
  runs,
  type Subscriber,
  simulationOf,
} from '../testing/cluster.ts';
import test from '../testing/serial.ts';
import { wiretap } from '../testing/wiretap.ts';

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

test(
  'a node that is not on a topic learns neither the name nor the key of that topic',
  async (t) => {
    const sim = simulationOf(t.context);
    const { leaks, messages } = wiretap(sim, 'a secret topic');
    const subscribers = new Map<string, Subscriber>();
    const nodes = cluster(sim, ['a', 'b', 'c', 'd'], {
      setup: (node) =>
        subscribers.set(
          node.name,
          listen(node, ['a', 'b'].includes(node.name) ? 'a secret topic' : 'another'),
        ),
    });
    await sim.until(() => nodes.size === 4 && areMet(subscribers.values(), 1), 20_000);
    for (const { topic } of subscribers.values()) await sim.settle(topic.publish('hello'));
    await sim.run(10_000);
    for (const { words } of subscribers.values()) t.deepEqual(words, ['hello']);
    t.true(messages() > 50);
    t.true(leaks.length > 0, 'members send it to each other');
    t.deepEqual(
      leaks.filter(({ from, to }) => ![from, to].every((name) => name === 'a' || name === 'b')),
      [],
    );
  },
  runs(2, ['message']),
);
