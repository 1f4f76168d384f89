// Behaviors with readers that keep up, and with readers that do not.

import { words } from '../cluster.ts';
import { type Behavior, numbers } from './gossip-fixture.ts';

const COUNT = 1_000;

export const reading: readonly Behavior[] = [
  {
    title:
      'loops that keep up miss nothing, however many messages arrive in one turn, and however short their queue is',
    async check(t, fixture) {
      const heard = { usual: 0, short: 0, one: 0, strict: 0 };
      let missed = 0;
      const count = async (
        name: keyof typeof heard,
        reader: AsyncIterable<{ readonly meta: { readonly missed: number } }>,
      ) => {
        for await (const { meta } of reader) {
          heard[name]++;
          missed += meta.missed;
        }
      };
      await fixture.meet(['a', 'b'], {
        setup({ name, gossip }) {
          if (name === 'a') return;
          const topic = gossip.topic('news', words);
          void count('usual', topic);
          void count('short', topic.messages({ queue: { messages: 8 } }));
          void count('one', topic.messages({ queue: { messages: 1, policy: 'drop-newest' } }));
          void count('strict', topic.messages({ queue: { bytes: 100, policy: 'error' } }));
        },
      });
      const { gossip } = fixture.node('a');
      const hasRoom = () => gossip.snapshot().peers.every(({ waiting }) => waiting.messages === 0);
      let queued = 0;
      for (const number of numbers(COUNT)) {
        // One after the other, and no faster than the connection accepts them.
        queued += (await fixture.publish('a', number)).queued;
        if (!hasRoom()) await fixture.until('the publisher has room for another message', hasRoom);
      }
      t.is(queued, COUNT);
      await fixture.until('b has read all messages', () => fixture.words('b').length === COUNT);
      await fixture.until('every subscription has read all messages', () =>
        Object.values(heard).every((each) => each === COUNT),
      );
      t.is(missed, 0);
      t.deepEqual(
        fixture.node('b').events.filter(({ type }) => type === 'lagged'),
        [],
      );
    },
  },
];
