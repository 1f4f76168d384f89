// Tests of peers with another limit or another overlay on a topic.

import test from 'ava';
import type { Body } from '../overlay/overlay.ts';
import type { GossipEvent, PublishFailure } from '../types.ts';
import { Differences } from './differences.ts';
import type { TopicContext } from './topic-context.ts';

const BODY: Body = { audience: 'all', nodes: [], payload: new Uint8Array(), message: undefined };

/** Creates the differences of a full-mesh node with a limit of 100 bytes. */
function bench() {
  const told: string[] = [];
  const topic = {
    key: { name: 'news', hex: '' },
    limit: 100,
    interested: [] as readonly string[],
    lifeOf: () => undefined,
    enter: (peer: string) => told.push(`${peer} enters`),
    feed: (_: number, { type, peer }: { type: string; peer: string }) =>
      told.push(`${type} ${peer}`),
    node: {
      overlay: { name: 'fullMesh' },
      dueBy: () => {},
      members: { terms: (peer: string) => told.push(`announce ${peer}`), isOn: () => true },
      events: {
        tell: (event: GossipEvent) => {
          const { nodeId, what, ours, theirs } = event as GossipEvent & { type: 'differs' };
          told.push(`${nodeId} ${what} ${ours} ${theirs}`);
        },
      },
    },
  };
  const differences = new Differences(topic as unknown as TopicContext);
  const clock = { now: 0 };
  /** Takes the outputs as text. */
  const take = () => told.splice(0);
  return {
    differences,
    topic,
    clock,
    take,
    introduce: (peer: string) => differences.introduce(peer, clock.now),
    announced: (peer: string, overlay: string, limit: number) =>
      differences.announced(peer, { overlay, limit }, clock.now),
    showed: (peer: string, overlay: string) => differences.showed(peer, overlay, clock.now),
    gone: (peer: string) => differences.gone(peer),
  };
}

test('a difference is reported once, however often it is seen, and the peer is told again after ten seconds', (t) => {
  const { differences, clock, take, introduce, announced } = bench();
  for (let i = 0; i < 5; i++) announced('b', 'fullMesh', 50);
  t.deepEqual(take(), ['b limit 100 50', 'announce b']);
  clock.now = 9_999;
  introduce('b');
  t.deepEqual(take(), []);
  clock.now = 10_000;
  introduce('b');
  t.deepEqual(take(), ['announce b']);
  const limits = [differences.limitOf('b'), differences.limitOf('c'), differences.isAny];
  t.deepEqual(limits, [50, Number.POSITIVE_INFINITY, true]);
});

test('a peer with a higher limit gets messages up to this node’s limit; a changed limit is accepted', (t) => {
  const { differences, take, announced, gone } = bench();
  announced('b', 'fullMesh', 200);
  t.deepEqual(take(), ['b limit 100 200', 'announce b']);
  t.false(differences.isAny);
  announced('b', 'fullMesh', 100);
  t.deepEqual(take(), []);
  announced('b', 'fullMesh', 10);
  t.deepEqual([take(), differences.limitOf('b')], [['b limit 100 10'], 10]);
  announced('b', 'fullMesh', 200);
  t.deepEqual([take(), differences.isAny], [['b limit 100 200'], false]);
  announced('b', 'fullMesh', 10);
  gone('b');
  t.false(differences.isAny);
});

test('a peer with another overlay is excluded until it announces the same one, or disconnects', (t) => {
  const { differences, topic, take, announced, showed, gone } = bench();
  showed('b', 'partialView');
  showed('b', 'partialView');
  t.deepEqual(take(), ['b overlay fullMesh partialView', 'peer-down b', 'announce b']);
  t.true(differences.isApart('b') && !differences.isApart('c'));
  for (const interested of [['b', 'c'], ['c']]) {
    const failed: PublishFailure[] = [];
    topic.interested = interested;
    differences.addFailures(failed, ['c'], BODY);
    const failures = failed.map(({ nodeId, error }) => [nodeId, error.code]);
    t.deepEqual(failures, interested.includes('b') ? [['b', 'failed_precondition']] : []);
  }
  announced('b', 'fullMesh', 100);
  t.deepEqual([take(), differences.isApart('b')], [['b enters'], false]);
  announced('b', 'other', 100);
  gone('b');
  t.deepEqual([take(), differences.isAny], [['b overlay fullMesh other', 'peer-down b'], false]);
});
