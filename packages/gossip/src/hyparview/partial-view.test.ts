// Tests of how a partial view gets, gives and keeps links.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { disconnect, requestOf, type Sent, SingleView, types } from './testing/single-view.ts';

test('a newcomer asks one contact at a time until one accepts it', (t) => {
  const single = new SingleView();
  single.tell({ type: 'join', contacts: ['a', 'b', 'c'] });
  const [first] = single.take();
  t.is(first!.message.type, 'join');
  t.deepEqual(single.sent, []);
  single.tell({ type: 'lost', peer: first!.to, error: undefined });
  const [second] = single.take();
  t.not(second!.to, first!.to);
  const request = requestOf([second!], second!.to);
  single.refuse(second!.to, request, ['d']);
  const [third] = single.take();
  t.is(third!.message.type, 'join');
  single.accept(third!.to, third!.message);
  t.deepEqual(single.view.active(), [third!.to]);
  t.deepEqual(single.ups, [third!.to]);
});

test('a newcomer whose contact is silent asks the next one after the timeout; a late answer still counts if there is room', (t) => {
  const single = new SingleView();
  single.tell({ type: 'join', contacts: ['a', 'b'] });
  const [first] = single.take();
  t.true(single.view.wakeAt <= 500);
  t.deepEqual(single.pass(499), []);
  const [second] = single.pass(1);
  t.is(second!.message.type, 'join');
  t.not(second!.to, first!.to);
  single.pass(1_500);
  single.accept(first!.to, first!.message);
  t.deepEqual(single.view.active(), [first!.to]);
});

test('an introduced node is asked, and becomes a neighbor only if it answers', (t) => {
  const single = new SingleView();
  single.asked('a');
  const sent = single.receive('a', { type: 'forward-join', peer: 'new', ttl: 6 });
  t.deepEqual(types(sent), ['neighbor new']);
  single.receive('a', { type: 'forward-join', peer: 'gone', ttl: 0 });
  single.tell({ type: 'lost', peer: 'gone', error: undefined });
  t.deepEqual(single.view.active(), ['a']);
  single.accept('new', sent[0]!.message);
  t.deepEqual(single.view.active(), ['a', 'new']);
  t.deepEqual(single.ups, ['a', 'new']);
});

test('the contact introduces a newcomer to all its neighbors', (t) => {
  const single = new SingleView();
  for (const peer of ['a', 'b', 'c']) single.asked(peer);
  const sent = single.receive('new', { type: 'join', request: 7 });
  t.deepEqual(sent[0], { to: 'new', message: { type: 'accept', request: 7, free: undefined } });
  const message = { type: 'forward-join', peer: 'new', ttl: 6 } as const;
  const introductions = ['a', 'b', 'c'].map((to) => ({ to, message }));
  t.deepEqual(sent.slice(1), introductions);
});

test('walks are cut to the configured length, whatever the sender requests', (t) => {
  const single = new SingleView();
  for (const peer of ['a', 'b', 'c']) single.asked(peer);
  const [join] = single.receive('a', { type: 'forward-join', peer: 'new', ttl: 255 });
  t.is(join!.message.type === 'forward-join' && join!.message.ttl, 5);
  const ttl = Number.MAX_SAFE_INTEGER;
  const [shuffle] = single.receive('a', { type: 'shuffle', origin: 'o', id: 1, ttl, peers: [] });
  t.is(shuffle!.message.type === 'shuffle' && shuffle!.message.ttl, 5);
});

test('at the configured hop of its walk the newcomer is remembered', (t) => {
  const single = new SingleView();
  for (const peer of ['a', 'b', 'c']) single.asked(peer);
  single.receive('a', { type: 'forward-join', peer: 'x', ttl: 4 });
  t.deepEqual(single.view.passive(), []);
  single.receive('a', { type: 'forward-join', peer: 'x', ttl: 3 });
  t.deepEqual(single.view.passive(), ['x']);
});

test('the own id, duplicates, neighbors and overlong lists stay out of the views', (t) => {
  const single = new SingleView();
  single.asked('a');
  t.deepEqual(single.receive('a', { type: 'forward-join', peer: 'me', ttl: 0 }), []);
  t.deepEqual(single.shuffled('a', 'me', 1), []);
  const many = Array.from({ length: 5_000 }, (_, i) => `p${i}`);
  single.shuffled('a', 'o', 1, ['me', 'a', 'x', 'x', ...many]);
  const passive = single.view.passive();
  t.true(passive.includes('x') && passive.includes('o'));
  t.is(new Set(passive).size, passive.length);
  t.true(passive.length <= 9);
  t.false(passive.includes('me') || passive.includes('a'));
});

test('disconnects from a node that is no neighbor, or repeatedly from one, cost one link at most', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c');
  for (let i = 0; i < 100; i++) single.receive(`x${i}`, disconnect(true, ['s1', 's2']));
  t.is(single.view.active().length, 3);
  t.false(single.view.passive().includes('s1'));
  for (let i = 0; i < 100; i++) single.receive('a', disconnect(false));
  t.deepEqual(single.downs, ['a left']);
});

test('a dropped neighbor is remembered if it is alive, and not if it leaves or is lost; the cause is reported', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c');
  single.receive('a', disconnect(true));
  single.receive('b', disconnect(false));
  single.tell({ type: 'lost', peer: 'c', error: new TransportError('unavailable', 'reset') });
  t.deepEqual(single.downs, ['a disconnected', 'b left', 'c lost']);
  t.deepEqual([single.view.active(), single.view.passive()], [[], ['a']]);
});

test('a node that was just lost does not return by a late answer or a report of others, only by itself', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b');
  const asked = single.shuffled('a', 'x', 1);
  t.deepEqual(types(asked), ['shuffle-reply x', 'neighbor x']);
  single.tell({ type: 'lost', peer: 'x', error: new TransportError('unavailable', 'gone') });
  single.take();
  single.accept('x', asked[1]!.message);
  t.deepEqual(types(single.take()), ['disconnect x']);
  t.false(single.view.isNeighbor('x'));
  single.shuffled('a', 'x', 2);
  single.receive('a', { type: 'forward-join', peer: 'x', ttl: 0 });
  t.false(single.view.passive().includes('x'));
  single.now += 10_001;
  single.shuffled('a', 'x', 3);
  single.tell({ type: 'lost', peer: 'x', error: undefined });
  t.false(single.view.isNeighbor('x'));
  single.asked('x');
  t.true(single.view.isNeighbor('x'));
  single.receive('x', disconnect(true));
  t.true(single.view.passive().includes('x'), 'its loss is forgotten');
});

test('an answer to an earlier request, or to none, is ignored', (t) => {
  const single = new SingleView();
  single.tell({ type: 'join', contacts: ['a'] });
  const [{ message }] = single.take() as [Sent];
  const { request } = message as { request: number };
  for (const other of [request - 1, request + 1]) {
    t.deepEqual(single.receive('a', { type: 'accept', request: other, free: undefined }), []);
    t.deepEqual(single.view.active(), []);
  }
});
