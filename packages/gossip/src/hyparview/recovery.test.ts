// Tests of how a partial view recovers from losses, searches for links, and shuffles.

import test from 'ava';
import { Search } from './requests.ts';
import { requestOf, SingleView, types } from './testing/single-view.ts';

test('a node that believes in a link that does not exist is told so', (t) => {
  const single = new SingleView();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) single.asked(peer);
  for (const message of [
    { type: 'accept', request: 5, free: undefined },
    { type: 'forward-join', peer: 'n', ttl: 3 },
    { type: 'shuffle', origin: 'o', id: 1, ttl: 1, peers: ['q'] },
  ] as const) {
    t.deepEqual(types(single.receive('stranger', message)), ['disconnect stranger']);
  }
  single.tell({ type: 'reject', peer: 'stranger' });
  single.tell({ type: 'reject', peer: 'a' });
  t.deepEqual(types(single.take()), ['disconnect stranger']);
  t.deepEqual(single.view.passive(), []);
});

test('if many links fail at once, remembered nodes are told that this node lives, and ask it if they need links', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c', 'd', 'e');
  const passive = Array.from({ length: 7 }, (_, i) => `p${i}`);
  single.shuffled('a', 'o', 1, passive);
  single.shuffled('b', 'q', 2, ['r', 's', 't', 'u', 'v', 'w', 'x']);
  for (const peer of ['a', 'b', 'c', 'd', 'e'])
    single.tell({ type: 'lost', peer: peer, error: undefined });
  const greeted: string[] = [];
  for (let sent = single.take(); sent.length > 0; sent = single.take()) {
    for (const { to, message } of sent) {
      if (message.type === 'shuffle') greeted.push(to);
      single.accept(to, message);
    }
  }
  t.is(single.view.active().length, 5);
  t.deepEqual(greeted.sort(), single.view.passive().sort());
  t.true(greeted.length >= 10);
  const other = new SingleView();
  t.deepEqual(types(other.shuffled('me2', 'me2', 1)), ['join me2']);
});

test('recovery is iterative: a thousand failing peers do not deepen the call stack', (t) => {
  const exchanged = { shufflePassive: 32, shuffleActive: 32 };
  const single = new SingleView({ passive: 1_000, contacts: 1_000 }, 1, exchanged);
  const nodes = Array.from({ length: 1_000 }, (_, i) => `p${i}`);
  single.tell({ type: 'found', nodes, isChosen: true });
  single.take();
  let [depth, deepest, failures] = [0, 0, 0];
  single.onSend = (to) => {
    deepest = Math.max(deepest, ++depth);
    failures++;
    single.tell({ type: 'lost', peer: to, error: undefined });
    depth--;
  };
  single.tell({ type: 'lost', peer: 'p0', error: undefined });
  for (let i = 0; i < 200; i++) single.pass(500);
  t.is(deepest, 1);
  t.true(failures > 900, `${failures}`);
});

test('a node that leaves tells its neighbors whom to ask, answers no request, and may rejoin', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c');
  single.tell({ type: 'leave' });
  const sent = single.take();
  t.deepEqual(sent.map(({ to }) => to).sort(), ['a', 'b', 'c']);
  for (const { message } of sent) t.true(message.type === 'disconnect' && !message.alive);
  t.true(sent.some(({ message }) => message.type === 'disconnect' && message.peers.length > 0));
  t.deepEqual(single.downs.sort(), ['a closed', 'b closed', 'c closed']);
  t.is(single.view.wakeAt, Number.POSITIVE_INFINITY);
  t.deepEqual(types(single.asked('x', true)), ['disconnect x']);
  t.deepEqual(single.view.active(), []);
  single.tell({ type: 'join', contacts: ['z'] });
  t.is(single.take()[0]!.message.type, 'join');
});

test('if the views are empty, known nodes are asked; if they add no link, the node is hungry', (t) => {
  const single = new SingleView();
  single.chooses('a');
  single.pass(2_000);
  t.true(single.view.isHungry);
  single.tell({ type: 'found', nodes: ['k'], isChosen: true });
  t.deepEqual(types(single.take()), ['neighbor k']);
  single.tell({ type: 'lost', peer: 'k', error: undefined });
  t.true(single.view.isHungry);
  single.tell({ type: 'found', nodes: ['l', 'm', 'n', 'o'], isChosen: true });
  for (const { to, message } of single.take()) single.accept(to, message);
  t.is(single.view.active().length, 5);
  t.false(single.view.isHungry);
});

test('while the view is short it keeps asking, less and less often', (t) => {
  const single = new SingleView({ shuffleInterval: 60_000 });
  single.chooses('a');
  single.pass(2_000);
  single.tell({ type: 'found', nodes: ['k'], isChosen: true });
  const times: number[] = [];
  single.onSend = (to, message) => {
    if (to !== 'k' || message.type !== 'neighbor') return;
    times.push(single.now);
    single.refuse('k', message.request);
  };
  single.refuse('k', requestOf(single.take(), 'k'));
  while (single.now < 600_000) single.pass(Math.max(1, single.view.wakeAt - single.now));
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  t.true(Math.max(...gaps) <= 66_000);
  t.true(times.length >= 10 && times.length <= 20, `${times.length}`);
});

test('every link is used by a shuffle regularly', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c', 'd', 'e');
  const targets: string[] = [];
  single.onSend = (to, message) => {
    if (message.type === 'shuffle') targets.push(to);
  };
  while (targets.length < 10) single.pass(Math.max(1, single.view.wakeAt - single.now));
  t.deepEqual(targets.slice(0, 5).sort(), ['a', 'b', 'c', 'd', 'e']);
  t.deepEqual(targets.slice(5).sort(), ['a', 'b', 'c', 'd', 'e']);
  t.true(single.now >= 9 * 54_000 && single.now <= 10 * 66_000 + 10_000);
});

test('a shuffle reply counts once, and only if it answers a request', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c', 'd', 'e');
  const sent = single.pass(60_000).find(({ message }) => message.type === 'shuffle')!;
  const { id } = sent.message as { id: number };
  single.receive('z', { type: 'shuffle-reply', id: id + 1, peers: ['p'] });
  t.deepEqual(single.view.passive(), []);
  single.receive('z', { type: 'shuffle-reply', id, peers: ['p'] });
  single.receive('z', { type: 'shuffle-reply', id, peers: ['q'] });
  t.deepEqual(single.view.passive(), ['p']);
});

test('one neighbor cannot fill the passive view with nodes of its choice', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c', 'd', 'e');
  for (let i = 0; i < 1_000; i++) {
    const peers = [1, 2, 3, 4, 5, 6, 7].map((n) => `s${i}.${n}`);
    single.shuffled('a', `o${i}`, i, peers);
  }
  const origins = new Set(single.view.passive().map((peer) => /\d+/.exec(peer)![0]));
  t.true(origins.size <= 8);
});

test('a search becomes slower, and begins at its first pace again once it was over', (t) => {
  const search = new Search(10, 60_000, () => 0.5);
  search.update(true, 0);
  const times = Array.from({ length: 3 }, () => {
    const { due } = search;
    search.begin(due);
    return due;
  });
  t.deepEqual(times, [1_000, 3_000, 7_000]);
  search.update(false, 7_000);
  t.is(search.due, Number.POSITIVE_INFINITY);
  search.update(true, 8_000);
  t.is(search.due, 9_000);
});
