// Tests of the limits of sources.

import { TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Sources } from './sources.ts';

const setUp = (limits: ConstructorParameters<typeof Sources>[0], now: () => number) =>
  new Sources(limits, now, seededRandom(1));
const refused = { instanceOf: TransportError, code: 'resource_exhausted' };

test('a source has a few nodes, and another source has its own', (t) => {
  const sources = setUp({ nodesPerSource: 2, ratePerSource: 1 }, () => 0);
  sources.enter('a');
  sources.enter('a');
  t.throws(() => sources.enter('a'), refused);
  sources.enter('b');
  sources.leave('a');
  sources.enter('a');
});

test('a source starts a burst of ten seconds at once, and then its rate', (t) => {
  let now = 0;
  const sources = setUp({ nodesPerSource: 1, ratePerSource: 2 }, () => now);
  for (let i = 0; i < 20; i++) sources.spend('a');
  t.throws(() => sources.spend('a'), refused);
  now = 1_000;
  sources.spend('a');
  sources.spend('a');
  t.throws(() => sources.spend('a'), refused);
  now = 3_600_000;
  for (let i = 0; i < 20; i++) sources.spend('a');
  t.throws(() => sources.spend('a'), refused, 'an hour without a start saves up no more');
});

test('a source keeps its rate when its nodes leave, until 1,024 others have come', (t) => {
  const sources = setUp({ nodesPerSource: 1, ratePerSource: 1 }, () => 0);
  sources.enter('a');
  for (let i = 0; i < 10; i++) sources.spend('a');
  sources.leave('a');
  t.throws(() => sources.spend('a'), refused);
  for (let i = 0; i < 1_024; i++) sources.spend(`other ${i}`);
  sources.spend('a');
});

test('a source with nodes is never forgotten', (t) => {
  const sources = setUp({ nodesPerSource: 1, ratePerSource: 1 }, () => 0);
  sources.enter('a');
  for (let i = 0; i < 3_000; i++) sources.spend(`other ${i}`);
  t.throws(() => sources.enter('a'), refused);
});

test('the tag of a source stays the same, and says nothing of its address', (t) => {
  const sources = setUp({ nodesPerSource: 1, ratePerSource: 1 }, () => 0);
  const tag = sources.tagOf('10.0.0.1');
  t.regex(tag, /^[\w+/]{12}$/);
  t.not(sources.tagOf('10.0.0.2'), tag);
  t.is(sources.tagOf('10.0.0.1'), tag);
});
