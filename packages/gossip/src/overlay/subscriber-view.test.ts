// Tests of the neighbors of a node that only publishes.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { PartialViewInput } from '../hyparview/message.ts';
import { SubscriberView } from './partial-view.ts';

function setUp(most = 2) {
  const distrusted = new Set<string>();
  const view = new SubscriberView(most, seededRandom(1), (peer) => distrusted.has(peer));
  const tell = (input: PartialViewInput) => {
    view.handle(0, input);
    const said: string[] = [];
    for (let output = view.poll(); output !== undefined; output = view.poll())
      if (output.type === 'neighbor-up') said.push(`${output.peer} up`);
      else if (output.type === 'neighbor-down') said.push(`${output.peer} ${output.cause}`);
    return said;
  };
  const found = (...nodes: string[]) => tell({ type: 'found', nodes, isChosen: true });
  return { view, distrusted, tell, found };
}

test('a few subscribers are neighbors; one that is lost, leaves or is mute is replaced', (t) => {
  const { view, tell, found } = setUp();
  t.deepEqual([...found('a'), ...found('b')], ['a up', 'b up']);
  t.deepEqual(found('c'), []);
  t.deepEqual(view.passive(), ['c']);
  t.deepEqual(tell({ type: 'lost', peer: 'a', error: undefined }), ['a left', 'c up']);
  t.deepEqual(tell({ type: 'dismiss', peer: 'b' }), ['b evicted']);
  t.deepEqual(found('b'), ['b up']);
  t.deepEqual(tell({ type: 'leave' }), ['c closed', 'b closed']);
  t.deepEqual([view.active(), view.passive()], [[], []]);
});

test('a distrusted subscriber is chosen last, and replaced as soon as another one is there', (t) => {
  const { distrusted, tell, found } = setUp(1);
  for (const peer of ['bad', 'worse']) distrusted.add(peer);
  t.deepEqual(found('bad', 'a'), ['a up']);
  t.deepEqual(tell({ type: 'lost', peer: 'a', error: undefined }), ['a left', 'bad up']);
  t.deepEqual(tell({ type: 'distrusted' }), []);
  found('b');
  t.deepEqual(tell({ type: 'distrusted' }), ['bad evicted', 'b up']);
  t.deepEqual(tell({ type: 'lost', peer: 'b', error: undefined }), ['b left', 'bad up']);
});
