// Tests the picture of the mesh with reports of imaginary nodes.

import test from 'ava';
import { type MeshChange, MeshPicture } from './picture.ts';
import type { Report } from './protocol.ts';

const [ada, bob] = ['a'.repeat(64), 'b'.repeat(64)];
const ends = [ada, bob] as const;

function report(number: number, ...others: string[]): Report {
  const links = others.map((nodeId) => ({ nodeId, path: 'ws', rtt: 3, isNeighbor: true }) as const);
  return { type: 'report', number, kind: 'page', strokes: 0, links, cuts: [] };
}

function setUp() {
  const changes: MeshChange[] = [];
  const picture = new MeshPicture((change) => changes.push(change));
  return { picture, changes, links: () => picture.links() };
}

test('a report that arrives late changes nothing', (t) => {
  const { picture, links } = setUp();
  picture.report(bob, report(0, ada), 0);
  picture.report(ada, report(2, bob), 0);
  picture.report(ada, report(1), 0);
  t.is(links().length, 1);
});

test('a cut link is shown as cut until it is back', (t) => {
  const { picture, changes, links } = setUp();
  picture.report(ada, report(0, bob), 0);
  picture.report(bob, report(0, ada), 0);
  picture.report(bob, { ...report(1), cuts: [ada] }, 1_000);
  // Ada's report was made before the cut.
  picture.report(ada, report(1, bob), 1_100);
  t.like(links(), { length: 1, 0: { ends, report: undefined } });
  picture.report(bob, report(2, ada), 3_500);
  t.like(links(), { length: 1, 0: { ends, report: { rtt: 3 } } });
  t.deepEqual(changes.slice(2), [
    { type: 'cut', ends },
    { type: 'healed', ends },
  ]);
});

test('a node that says goodbye or stops reporting disappears with its links', (t) => {
  const { picture, changes, links } = setUp();
  picture.report(ada, report(0, bob), 0);
  picture.report(bob, { ...report(0), cuts: [ada] }, 5_000);
  picture.expire(6_001);
  t.deepEqual([...picture.nodes.keys()], [bob]);
  t.deepEqual(links(), []);
  picture.remove(bob);
  t.deepEqual(changes.at(-1), { type: 'left', nodeId: bob });
});
