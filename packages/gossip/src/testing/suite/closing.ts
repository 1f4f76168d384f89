// Behaviors of an orderly close: every message for which `publish` has resolved is delivered.

import { TransportError } from '@trunkline/transport-core';
import { words } from '../cluster.ts';
import { type Behavior, numbers } from './scene.ts';

const LONG = numbers(100).map((number) => number.padEnd(50_000));

export const closing: readonly Behavior[] = [
  {
    title: 'close() delivers every message for which publish() resolved, and publishes no more',
    async check(t, scene) {
      await scene.meet(['a', 'b', 'c']);
      await scene.acquainted('a', 2);
      const { gossip, peers, transport } = scene.node('a');
      const { topic } = scene.ear('a');
      const results = await scene.settle(Promise.all(LONG.map((word) => topic.publish(word))));
      t.true(results.every(({ failed }) => failed === undefined));
      const waits = topic.publish('never confirmed', { to: [scene.idOf('b')], min: 2 });
      const closed = gossip.close();
      await t.throwsAsync(scene.settle(waits), { instanceOf: TransportError });
      await t.throwsAsync(topic.publish('too late'), { code: 'shutdown' });
      t.throws(() => gossip.topic('another', words), { code: 'shutdown' });
      t.deepEqual(await scene.settle(closed), { unsent: [] });
      await scene.settle(peers.close().then(() => transport.close()));
      scene.ears.delete('a');
      const isLong = (word: string) => word.length === 50_000;
      await scene.until('all came', () =>
        ['b', 'c'].every((name) => scene.words(name).filter(isLong).length === LONG.length),
      );
      for (const name of ['b', 'c'])
        t.deepEqual(scene.words(name).filter(isLong).sort(), [...LONG].sort(), name);
    },
  },
];
