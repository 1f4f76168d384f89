// Tests of topics over partial views: nodes choose their links, and messages travel several hops.

import { partialView } from './overlay/partial-view.ts';
import { idOf, listen } from './testing/cluster.ts';
import { network } from './testing/partial-view-network.ts';
import test from './testing/serial.ts';

test('a message published as soon as its topic is opened is not lost, and reaches a neighbor', async (t) => {
  const { sim, node, subscribers } = await network(t.context, 6, {}, ['n03']);
  await sim.run(10_000);
  const { queued } = await sim.settle(listen(node('n03')).topic.publish('first'));
  t.is(queued, 1);
  await sim.run(3_000);
  for (const [name, { words }] of subscribers) t.deepEqual(words, ['first'], name);
});

test('links that the view requests are dialed and kept, unneeded ones end, and the node that introduced them may go', async (t) => {
  const { sim, names, node, subscriber } = await network(t.context, 14, {}, [], {
    gossip: () => ({ overlay: partialView({ active: 3, passive: 12, mergeInterval: 20_000 }) }),
    transport: { idleTimeout: 1_000 },
    peers: (name) => ({
      persistent: name === 'n00' ? [] : ['n00'],
      exchange: { interval: 10_000 },
    }),
  });
  await sim.run(120_000);
  const others = names.slice(1);
  t.true(others.every((name) => subscriber(name).topic.neighbors.length >= 2));
  const links = others.flatMap((name) => node(name).peers.list()).length;
  t.true(links < 13 * 7, `${links} links`);
  sim.crash('n00');
  await sim.run(60_000);
  for (const name of others) await sim.settle(subscriber(name).topic.publish(`from ${name}`));
  await sim.run(10_000);
  for (const name of others) t.is(subscriber(name).words.length, 12, name);
}, 1);

test('two halves that were apart merge again', async (t) => {
  const { sim, names, subscriber } = await network(t.context, 12);
  await sim.run(20_000);
  const halves = [names.slice(0, 6), names.slice(6)] as const;
  sim.partition(halves[0], halves[1]);
  await sim.run(60_000);
  for (const half of halves) {
    await sim.settle(subscriber(half[0]!).topic.publish(`alone ${half[0]}`));
    await sim.run(5_000);
    for (const name of half.slice(1))
      t.true(subscriber(name).words.includes(`alone ${half[0]}`), name);
  }
  sim.heal();
  await sim.run(120_000);
  for (const half of halves)
    await sim.settle(subscriber(half[1]!).topic.publish(`together ${half[1]}`));
  await sim.run(10_000);
  for (const name of names)
    for (const half of halves)
      if (name !== half[1])
        t.true(subscriber(name).words.includes(`together ${half[1]}`), `${name} from ${half[1]}`);
});

test('listed recipients are reached whether or not they are neighbors; an exclusion applies to forwarded messages, too', async (t) => {
  const { sim, names, subscriber } = await network(t.context, 12);
  await sim.run(20_000);
  const to = ['n01', 'n05', 'n09', 'n11'];
  const { topic } = subscriber('n02');
  t.deepEqual(await sim.settle(topic.publish('to', { to: to.map(idOf) })), { queued: 4 });
  await sim.settle(topic.publish('except', { except: to.map(idOf) }));
  await sim.run(5_000);
  for (const name of names) {
    const expected = name === 'n02' ? [] : [to.includes(name) ? 'to' : 'except'];
    t.deepEqual(subscriber(name).words, expected, name);
  }
}, 1);

test('a message that a validator rejects is not forwarded; a slow validator does not prevent forwarding', async (t) => {
  const asked = new Map<string, number>();
  const { sim, names, subscriber } = await network(t.context, 10, {
    validate: async (message, { from }) => {
      asked.set(message, (asked.get(message) ?? 0) + 1);
      if (message === 'bad') t.is(from, idOf('n02'), 'only its publisher');
      return message === 'bad' ? 'reject' : 'accept';
    },
  });
  await sim.run(20_000);
  await sim.settle(subscriber('n02').topic.publish('bad'));
  await sim.settle(subscriber('n02').topic.publish('good'));
  await sim.run(10_000);
  for (const name of names) t.deepEqual(subscriber(name).words, name === 'n02' ? [] : ['good']);
  t.is(asked.get('good'), 9, 'once per node');
  t.true(asked.get('bad')! >= 1 && asked.get('bad')! < 9);
}, 1);
