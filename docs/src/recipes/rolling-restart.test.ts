// Runs the rolling restart of a cluster with gossip, under load.

import test from 'ava';
import { createTransport, type TransportError } from 'trunkline';
import { failover } from '../observing/failover.ts';
import { backends, identityOf, nodes, restartAll, seedsOf, startNode } from './rolling-restart.ts';

const NAMES = ['a', 'b', 'c', 'd'];

test('no call fails while all nodes are restarted, and a subscriber that stays gets each message once', async (t) => {
  t.timeout(60_000);
  for (const name of NAMES) nodes.set(name, await startNode(name, identityOf(name), seedsOf(name)));
  const watcher = await startNode('watcher', identityOf('watcher'), seedsOf('watcher'));
  const heard = new Map<string, number>();
  watcher.news.subscribe((order) => heard.set(order, (heard.get(order) ?? 0) + 1));
  const client = createTransport({
    protocol: nodes.get('a')!.transport.protocol,
    backends,
    interceptors: { client: [failover(NAMES.map((name) => `inmem://${name}`))] },
  });
  const turn = () => client.clock.sleep(2);
  while (watcher.peers.snapshot().peers.length < NAMES.length) await turn();

  const placed: string[] = [];
  const failures: TransportError[] = [];
  let isOver = false;
  const load = Array.from({ length: 8 }, async (_, worker) => {
    for (let number = 0; !isOver; number++) {
      const order = `${worker}-${number}`;
      try {
        const answer = await client.send('inmem://a', 'place', order);
        t.true(answer.startsWith(order));
        placed.push(order);
      } catch (error) {
        failures.push(error as TransportError);
      }
    }
  });
  while (placed.length < 50) await turn();
  await restartAll(NAMES);
  const before = placed.length;
  while (placed.length < before + 50) await turn();
  isOver = true;
  await Promise.all(load);
  t.deepEqual(failures, []);
  while (placed.some((order) => !heard.has(order))) await turn();
  t.deepEqual(
    [...heard].filter(([, times]) => times !== 1),
    [],
  );
  await client.close();
  await watcher.stop();
  for (const node of nodes.values()) await node.stop();
});
