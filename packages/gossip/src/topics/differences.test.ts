// Tests of peers with another limit or another overlay on a topic.

import test from 'ava';
import { Differences } from './differences.ts';

/**
 * Creates the differences of a full-mesh node with a limit of 100 bytes, and records all calls of
 * the host.
 */
function bench() {
  const said: string[] = [];
  const clock = { now: 0 };
  const differences = new Differences({
    topic: 'news',
    overlay: 'fullMesh',
    limit: 100,
    now: () => clock.now,
    tell: (nodeId) => said.push(`tell ${nodeId}`),
    differs: (nodeId, { what, ours, theirs }) => said.push(`${nodeId} ${what} ${ours} ${theirs}`),
    apart: (nodeId, isSo) => said.push(`${nodeId} ${isSo ? 'apart' : 'together'}`),
  });
  return { differences, clock, take: () => said.splice(0) };
}

test('a difference is reported once, however often it is seen, and the peer is told again after ten seconds', (t) => {
  const { differences, clock, take } = bench();
  for (let i = 0; i < 5; i++) differences.heard('b', { overlay: 'fullMesh', limit: 50 });
  t.deepEqual(take(), ['b limit 100 50', 'tell b']);
  clock.now = 9_999;
  differences.tell('b');
  t.deepEqual(take(), []);
  clock.now = 10_000;
  differences.tell('b');
  t.deepEqual(take(), ['tell b']);
  t.deepEqual(
    [differences.limitOf('b'), differences.limitOf('c'), differences.isAny],
    [50, Number.POSITIVE_INFINITY, true],
  );
});

test('a peer with a higher limit gets messages up to this node’s limit; a changed limit is accepted', (t) => {
  const { differences, take } = bench();
  differences.heard('b', { overlay: 'fullMesh', limit: 200 });
  t.deepEqual(take(), ['b limit 100 200', 'tell b']);
  t.false(differences.isAny);
  differences.heard('b', { overlay: 'fullMesh', limit: 100 });
  t.deepEqual(take(), []);
  differences.heard('b', { overlay: 'fullMesh', limit: 10 });
  t.deepEqual([take(), differences.limitOf('b')], [['b limit 100 10'], 10]);
  differences.gone('b');
  t.false(differences.isAny);
});

test('a peer with another overlay is excluded until it announces the same one, or disconnects', (t) => {
  const { differences, take } = bench();
  differences.speaks('b', 'partialView');
  differences.speaks('b', 'partialView');
  t.deepEqual(take(), ['b overlay fullMesh partialView', 'b apart', 'tell b']);
  t.true(differences.isApart('b') && !differences.isApart('c'));
  t.is(differences.apart.get('b')!.code, 'failed_precondition');
  differences.heard('b', { overlay: 'fullMesh', limit: 100 });
  t.deepEqual([take(), differences.isApart('b')], [['b together'], false]);
  differences.heard('b', { overlay: 'other', limit: 100 });
  differences.gone('b');
  t.deepEqual([take(), differences.isAny], [['b overlay fullMesh other', 'b apart'], false]);
});
