// Tests the picture of the mesh with reports of imaginary nodes.

import test from 'ava';
import { type MeshChange, MeshPicture } from './picture.ts';
import type { Report } from './protocol.ts';

const [ada, bob] = ['a'.repeat(64), 'b'.repeat(64)];

function report(number: number, ...others: string[]): Report {
  const links = others.map((nodeId) => ({ nodeId, path: 'ws', rtt: 3, isNeighbor: true }) as const);
  return { type: 'report', number, kind: 'page', hue: 0, strokes: 0, links, cuts: [] };
}

function recorded() {
  const changes: MeshChange[] = [];
  const picture = new MeshPicture((change) => changes.push(change));
  return { picture, changes };
}

test('a link is shown once both ends report it', (t) => {
  const { picture } = recorded();
  picture.report(ada, report(0, bob), 0);
  t.deepEqual(picture.links(), []);
  picture.report(bob, report(0, ada), 0);
  t.like(picture.links(), { length: 1, 0: { ends: [ada, bob], rtt: 3, isCut: false } });
});

test('a report that arrives late changes nothing', (t) => {
  const { picture } = recorded();
  picture.report(bob, report(0, ada), 0);
  picture.report(ada, report(2, bob), 0);
  picture.report(ada, report(1), 0);
  t.is(picture.links().length, 1);
});

test('a cut link is shown as cut until both ends report it again', (t) => {
  const { picture, changes } = recorded();
  picture.report(ada, report(0, bob), 0);
  picture.report(bob, report(0, ada), 0);
  picture.report(bob, { ...report(1), cuts: [ada] }, 1_000);
  // Ada's report was made before the cut.
  picture.report(ada, report(1, bob), 1_100);
  t.like(picture.links(), { length: 1, 0: { isCut: true } });
  picture.report(bob, report(2, ada), 3_500);
  t.like(picture.links(), { length: 1, 0: { isCut: false } });
  t.deepEqual(changes.slice(2), [
    { type: 'cut', ends: [ada, bob] },
    { type: 'healed', ends: [ada, bob], after: 2_500 },
  ]);
});

test('a cut is shown also if the other end has missed the link before', (t) => {
  const { picture } = recorded();
  picture.report(ada, report(0), 0);
  picture.report(bob, { ...report(0), cuts: [ada] }, 0);
  t.like(picture.links(), { length: 1, 0: { ends: [ada, bob], isCut: true } });
});

test('a cut is forgotten with the node that made it, or after a minute', (t) => {
  const { picture } = recorded();
  const bobCutsAda = { ...report(0), cuts: [ada] };
  picture.report(ada, report(0), 0);
  picture.report(bob, bobCutsAda, 0);
  picture.remove(bob);
  t.deepEqual(picture.links(), []);
  picture.report(bob, bobCutsAda, 0);
  picture.report(ada, report(1), 60_000);
  picture.report(bob, report(1), 60_000);
  picture.expire(60_001);
  t.deepEqual(picture.links(), []);
});

test('a node that says goodbye or stops reporting disappears with its links', (t) => {
  const { picture, changes } = recorded();
  picture.report(ada, report(0, bob), 0);
  picture.report(bob, report(0, ada), 5_000);
  picture.expire(6_001);
  t.deepEqual(
    picture.nodes().map(({ nodeId }) => nodeId),
    [bob],
  );
  t.deepEqual(picture.links(), []);
  picture.remove(bob);
  t.deepEqual(changes.at(-1), { type: 'left', nodeId: bob });
});
