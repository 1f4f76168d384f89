// Tests of how a partial view recovers from losses, searches for links, and shuffles.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import type { PartialViewOptions } from './options.ts';
import { Bench, requestOf, types } from './testing/bench.ts';

test('a node that believes in a link that does not exist is told so', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) bench.asked(peer);
  for (const message of [
    { type: 'accept', request: 5, free: undefined },
    { type: 'forward-join', peer: 'n', ttl: 3 },
    { type: 'shuffle', origin: 'o', id: 1, ttl: 1, peers: ['q'] },
  ] as const) {
    t.deepEqual(types(bench.hear('stranger', message)), ['disconnect stranger']);
  }
  bench.tell({ type: 'reject', peer: 'stranger' });
  bench.tell({ type: 'reject', peer: 'a' });
  t.deepEqual(types(bench.take()), ['disconnect stranger']);
  t.deepEqual(bench.view.passive(), []);
});

test('if many links fail at once, remembered nodes are told that this node lives, and ask it if they need links', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c', 'd', 'e');
  const passive = Array.from({ length: 7 }, (_, i) => `p${i}`);
  bench.hear('a', { type: 'shuffle', origin: 'o', id: 1, ttl: 1, peers: passive });
  bench.hear('b', {
    type: 'shuffle',
    origin: 'q',
    id: 2,
    ttl: 1,
    peers: ['r', 's', 't', 'u', 'v', 'w', 'x'],
  });
  for (const peer of ['a', 'b', 'c', 'd', 'e'])
    bench.tell({ type: 'lost', peer: peer, error: undefined });
  const greeted: string[] = [];
  for (let sent = bench.take(); sent.length > 0; sent = bench.take()) {
    for (const { to, message } of sent) {
      if (message.type === 'shuffle') greeted.push(to);
      bench.accept(to, message);
    }
  }
  t.is(bench.view.active().length, 5);
  t.deepEqual(greeted.sort(), bench.view.passive().sort());
  t.true(greeted.length >= 10);
  const other = new Bench();
  t.deepEqual(
    types(other.hear('me2', { type: 'shuffle', origin: 'me2', id: 1, ttl: 1, peers: [] })),
    ['join me2'],
  );
});

test('recovery is iterative: a thousand failing peers do not deepen the call stack', (t) => {
  const bench = new Bench({
    passive: 1_000,
    contacts: 1_000,
    shufflePassive: 32,
    shuffleActive: 32,
  });
  bench.tell({
    type: 'found',
    nodes: Array.from({ length: 1_000 }, (_, i) => `p${i}`),
    isChosen: true,
  });
  bench.take();
  let [depth, deepest, failures] = [0, 0, 0];
  bench.onSend = (to) => {
    deepest = Math.max(deepest, ++depth);
    failures++;
    bench.tell({ type: 'lost', peer: to, error: undefined });
    depth--;
  };
  bench.tell({ type: 'lost', peer: 'p0', error: undefined });
  for (let i = 0; i < 200; i++) bench.pass(500);
  t.is(deepest, 1);
  t.true(failures > 900, `${failures}`);
});

test('a lost link is reported with its cause, and replaced', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b');
  bench.hear('a', { type: 'shuffle', origin: 'x', id: 1, ttl: 1, peers: [] });
  bench.take();
  bench.tell({ type: 'lost', peer: 'a', error: new TransportError('unavailable', 'reset') });
  t.deepEqual(bench.downs, ['a lost']);
  t.false(bench.view.isNeighbor('a') || bench.view.passive().includes('a'));
});

test('a node that leaves tells its neighbors whom to ask, answers no request, and may rejoin', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c');
  bench.tell({ type: 'leave' });
  const sent = bench.take();
  t.deepEqual(sent.map(({ to }) => to).sort(), ['a', 'b', 'c']);
  for (const { message } of sent) t.true(message.type === 'disconnect' && !message.alive);
  t.true(sent.some(({ message }) => message.type === 'disconnect' && message.peers.length > 0));
  t.deepEqual(bench.downs.sort(), ['a closed', 'b closed', 'c closed']);
  t.is(bench.view.wakeAt, Number.POSITIVE_INFINITY);
  t.deepEqual(types(bench.asked('x', true)), ['disconnect x']);
  t.deepEqual(bench.view.active(), []);
  bench.tell({ type: 'join', contacts: ['z'] });
  t.is(bench.take()[0]!.message.type, 'join');
});

test('if the views are empty, known nodes are asked; if they add no link, the node is hungry', (t) => {
  const bench = new Bench();
  bench.chooses('a');
  bench.pass(2_000);
  t.true(bench.view.isHungry);
  bench.tell({ type: 'found', nodes: ['k'], isChosen: true });
  t.deepEqual(types(bench.take()), ['neighbor k']);
  bench.tell({ type: 'lost', peer: 'k', error: undefined });
  t.true(bench.view.isHungry);
  bench.tell({ type: 'found', nodes: ['l', 'm', 'n', 'o'], isChosen: true });
  for (const { to, message } of bench.take()) bench.accept(to, message);
  t.is(bench.view.active().length, 5);
  t.false(bench.view.isHungry);
});

test('while the view is short it keeps asking, less and less often', (t) => {
  const bench = new Bench({ shuffleInterval: 60_000 });
  bench.chooses('a');
  bench.pass(2_000);
  bench.tell({ type: 'found', nodes: ['k'], isChosen: true });
  const times: number[] = [];
  bench.onSend = (to, message) => {
    if (to !== 'k' || message.type !== 'neighbor') return;
    times.push(bench.now);
    bench.tell({
      type: 'received',
      from: 'k',
      message: { type: 'refuse', request: message.request, free: undefined, peers: [] },
    });
  };
  const pending = bench.take().find(({ to }) => to === 'k')!;
  bench.hear('k', {
    type: 'refuse',
    request: requestOf([pending], 'k'),
    free: undefined,
    peers: [],
  });
  while (bench.now < 600_000) bench.pass(Math.max(1, bench.view.wakeAt - bench.now));
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  t.true(Math.max(...gaps) <= 66_000);
  t.true(times.length >= 10 && times.length <= 20, `${times.length}`);
});

test('every link is used by a shuffle regularly', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c', 'd', 'e');
  const targets: string[] = [];
  bench.onSend = (to, message) => {
    if (message.type === 'shuffle') targets.push(to);
  };
  while (targets.length < 10) bench.pass(Math.max(1, bench.view.wakeAt - bench.now));
  t.deepEqual(targets.slice(0, 5).sort(), ['a', 'b', 'c', 'd', 'e']);
  t.deepEqual(targets.slice(5).sort(), ['a', 'b', 'c', 'd', 'e']);
  t.true(bench.now >= 9 * 54_000 && bench.now <= 10 * 66_000 + 10_000);
});

test('a shuffle reply counts once, and only if it answers a request', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c', 'd', 'e');
  const shuffle = bench.pass(60_000).find(({ message }) => message.type === 'shuffle')!.message as {
    id: number;
  };
  bench.hear('z', { type: 'shuffle-reply', id: shuffle.id + 1, peers: ['p'] });
  t.deepEqual(bench.view.passive(), []);
  bench.hear('z', { type: 'shuffle-reply', id: shuffle.id, peers: ['p'] });
  bench.hear('z', { type: 'shuffle-reply', id: shuffle.id, peers: ['q'] });
  t.deepEqual(bench.view.passive(), ['p']);
});

test('one neighbor cannot fill the passive view with nodes of its choice', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c', 'd', 'e');
  for (let i = 0; i < 1_000; i++)
    bench.hear('a', {
      type: 'shuffle',
      origin: `o${i}`,
      id: i,
      ttl: 1,
      peers: [1, 2, 3, 4, 5, 6, 7].map((n) => `s${i}.${n}`),
    });
  const origins = new Set(bench.view.passive().map((peer) => /\d+/.exec(peer)![0]));
  t.true(origins.size <= 8);
});

test('invalid options throw a TypeError that names them', (t) => {
  for (const [options, path] of [
    [{ active: 0 }, 'active'],
    [{ active: 3, own: 3 }, 'own'],
    [{ joinWalk: 2, passiveWalk: 3 }, 'passiveWalk'],
    [{ shuffleInterval: -1 }, 'shuffleInterval'],
    [{ fanout: 4 }, 'fanout'],
  ] as const) {
    const error = t.throws(() => new Bench(options as PartialViewOptions), {
      instanceOf: TypeError,
    });
    t.regex(error!.message, new RegExp(path));
  }
});
