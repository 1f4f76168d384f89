// Behaviors of nodes that are configured differently, have slow validators, or have a clock that
// goes back. Differences are reported, and no peer is blamed.

import { fullMesh } from '../../overlay/full-mesh.ts';
import { partialView } from '../../overlay/partial-view.ts';
import type { MessageVerdict } from '../../types.ts';
import { eventsOf, type TestNode, words } from '../cluster.ts';
import { type Behavior, numbers } from './gossip-fixture.ts';

export const differences: readonly Behavior[] = [
  {
    title: 'a validator that takes 5 ms loses nothing of a burst of 1,000',
    async check(t, fixture) {
      const nodes: TestNode[] = [];
      const validate = () =>
        new Promise<MessageVerdict>((resolve) =>
          nodes[0]!.transport.clock.setTimeout(() => resolve('accept'), 5),
        );
      await fixture.meet(['a', 'b'], { topic: { validate }, setup: (node) => nodes.push(node) });
      const burst = numbers(1_000);
      for (const word of burst) fixture.say('a', word);
      await fixture.until('b has read all messages', () => fixture.words('b').length === 1_000);
      t.deepEqual(fixture.words('b').toSorted(), burst.toSorted());
      t.deepEqual(eventsOf(fixture.node('b'), 'dropped'), []);
    },
  },
  {
    title: 'a peer with a lower limit is in failed, both ends get an event, and no score falls',
    async check(t, fixture) {
      const topic = (node: TestNode, limit?: number) =>
        node.gossip.topic('short', words, { limit });
      await fixture.meet(['a', 'b'], {
        setup: (node) => void topic(node, node.name === 'b' ? 1_000 : undefined),
      });
      const [a, b] = [fixture.node('a'), fixture.node('b')];
      await fixture.until("both nodes emit 'differs'", () =>
        [a, b].every((node) => eventsOf(node, 'differs').length === 1),
      );
      const long = topic(a);
      await fixture.until('both nodes are neighbors', () => long.neighbors.length === 1);
      const before = b.peers.get(a.nodeId)!.score;
      const { queued, failed = [] } = await fixture.settle(long.publish('x'.repeat(5_000)));
      t.deepEqual(
        [queued, failed.map(({ nodeId, error }) => [nodeId, error.reason])],
        [0, [[b.nodeId, 'too_large']]],
      );
      t.deepEqual(
        eventsOf(a, 'differs').map(({ nodeId, what, ours, theirs }) => [
          nodeId,
          what,
          ours,
          theirs,
        ]),
        [[b.nodeId, 'limit', 1_048_576, 1_000]],
      );
      t.deepEqual([eventsOf(b, 'misbehaved'), b.peers.get(a.nodeId)!.score >= before], [[], true]);
    },
  },
  {
    title: 'a peer with another overlay is in failed, both ends get an event, and no score falls',
    async check(t, fixture) {
      const other = fixture.isMesh ? partialView() : fullMesh();
      await fixture.boot(['a']);
      await fixture.boot(['b'], { gossip: { overlay: other }, to: () => ['a'] });
      const [a, b] = [fixture.node('a'), fixture.node('b')];
      await fixture.until("both nodes emit 'differs'", () =>
        [a, b].every((node) => eventsOf(node, 'differs').length === 1),
      );
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const { queued, failed = [] } = await fixture.publish(from.name, 'hello');
        t.deepEqual(
          [queued, failed.map(({ nodeId, error }) => [nodeId, error.code])],
          [0, [[to.nodeId, 'failed_precondition']]],
        );
        t.deepEqual(eventsOf(from, 'misbehaved'), []);
        t.true(from.peers.get(to.nodeId)!.score >= 50);
      }
    },
  },
  {
    title: 'a publisher that restarts with an older clock is accepted',
    async check(t, fixture) {
      const clocks = [1_800_000_000_000, 0];
      await fixture.boot(['b']);
      await fixture.boot(['a'], { gossip: { wall: () => clocks[0]! }, to: () => ['b'] });
      await fixture.met();
      await fixture.publish('a', 'before');
      await fixture.heard('before', ['b']);
      await fixture.network.crash('a');
      clocks.shift();
      await fixture.network.restart('a');
      await fixture.met();
      await fixture.publish('a', 'after');
      await fixture.heard('after', ['b']);
      t.deepEqual(fixture.words('b'), ['before', 'after']);
      t.deepEqual(eventsOf(fixture.node('b'), 'misbehaved'), []);
    },
  },
  {
    title:
      'two services of a node open one topic, and neither sees changes that the other makes to a message',
    async check(t, fixture) {
      const heard: number[][] = [];
      const open = ({ gossip, name }: TestNode) => {
        for (let service = 0; service < 2; service++) {
          const codec = {
            name: 'list',
            encode: (list: number[]) => Uint8Array.from(list),
            decode: (bytes: Uint8Array) => [...bytes],
          };
          const topic = gossip.topic('lists', codec);
          if (name === 'b') topic.subscribe((list) => void heard.push(list.splice(0)));
        }
      };
      await fixture.meet(['a', 'b'], { setup: open });
      const topic = fixture.node('a').gossip.topic('lists', {
        name: 'list',
        encode: (list: number[]) => Uint8Array.from(list),
        decode: () => [],
      });
      await fixture.until('both nodes are neighbors', () => topic.neighbors.length === 1);
      await fixture.settle(topic.publish([1, 2, 3]));
      await fixture.until('the message has arrived at both nodes', () => heard.length === 2);
      t.deepEqual(heard, [
        [1, 2, 3],
        [1, 2, 3],
      ]);
    },
  },
];
