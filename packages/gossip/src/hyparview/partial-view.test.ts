// Tests of how a partial view gets, gives and defends links.

import { seededRandom, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { Bench, disconnect, requestOf, type Sent, types } from './testing/bench.ts';

test('a newcomer asks one contact at a time until one accepts it', (t) => {
  const bench = new Bench();
  bench.tell({ type: 'join', contacts: ['a', 'b', 'c'] });
  const [first] = bench.take();
  t.is(first!.message.type, 'join');
  t.deepEqual(bench.sent, []);
  bench.tell({ type: 'lost', peer: first!.to, error: undefined });
  const [second] = bench.take();
  t.not(second!.to, first!.to);
  const request = requestOf([second!], second!.to);
  const [third] = bench.hear(second!.to, {
    type: 'refuse',
    request,
    free: undefined,
    peers: ['d'],
  });
  t.is(third!.message.type, 'join');
  bench.accept(third!.to, third!.message);
  t.deepEqual(bench.view.active(), [third!.to]);
  t.deepEqual(bench.ups, [third!.to]);
});

test('a newcomer whose contact is silent asks the next one after the timeout', (t) => {
  const bench = new Bench();
  bench.tell({ type: 'join', contacts: ['a', 'b'] });
  const [first] = bench.take();
  t.true(bench.view.wakeAt <= 500);
  t.deepEqual(bench.pass(499), []);
  const [second] = bench.pass(1);
  t.is(second!.message.type, 'join');
  t.not(second!.to, first!.to);
});

test('an answer after the timeout still counts if there is room', (t) => {
  const bench = new Bench();
  bench.tell({ type: 'join', contacts: ['a'] });
  const [first] = bench.take();
  bench.pass(2_000);
  bench.accept('a', first!.message);
  t.deepEqual(bench.view.active(), ['a']);
});

test('an introduced node is asked, and becomes a neighbor when it answers', (t) => {
  const bench = new Bench();
  bench.asked('a');
  const sent = bench.hear('a', { type: 'forward-join', peer: 'new', ttl: 6 });
  t.deepEqual(types(sent), ['neighbor new']);
  t.deepEqual(bench.view.active(), ['a']);
  bench.accept('new', sent[0]!.message);
  t.deepEqual(bench.view.active(), ['a', 'new']);
});

test('a node that does not answer its introduction does not become a neighbor', (t) => {
  const bench = new Bench();
  bench.asked('a');
  bench.hear('a', { type: 'forward-join', peer: 'gone', ttl: 0 });
  bench.tell({ type: 'lost', peer: 'gone', error: undefined });
  t.deepEqual(bench.view.active(), ['a']);
  t.deepEqual(bench.ups, ['a']);
});

test('the contact introduces a newcomer to all its neighbors', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c']) bench.asked(peer);
  const sent = bench.hear('new', { type: 'join', request: 7 });
  t.deepEqual(sent[0], { to: 'new', message: { type: 'accept', request: 7, free: undefined } });
  t.deepEqual(
    sent.slice(1),
    ['a', 'b', 'c'].map((to) => ({ to, message: { type: 'forward-join', peer: 'new', ttl: 6 } })),
  );
});

test('walks are cut to the configured length, whatever the sender requests', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c']) bench.asked(peer);
  const [join] = bench.hear('a', { type: 'forward-join', peer: 'new', ttl: 255 });
  t.is(join!.message.type === 'forward-join' && join!.message.ttl, 5);
  const [shuffle] = bench.hear('a', {
    type: 'shuffle',
    origin: 'o',
    id: 1,
    ttl: Number.MAX_SAFE_INTEGER,
    peers: [],
  });
  t.is(shuffle!.message.type === 'shuffle' && shuffle!.message.ttl, 5);
});

test('at the configured hop of its walk the newcomer is remembered', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c']) bench.asked(peer);
  bench.hear('a', { type: 'forward-join', peer: 'x', ttl: 4 });
  t.deepEqual(bench.view.passive(), []);
  bench.hear('a', { type: 'forward-join', peer: 'x', ttl: 3 });
  t.deepEqual(bench.view.passive(), ['x']);
});

test('the own id, duplicates, neighbors and overlong lists stay out of the views', (t) => {
  const bench = new Bench();
  bench.asked('a');
  t.deepEqual(bench.hear('a', { type: 'forward-join', peer: 'me', ttl: 0 }), []);
  t.deepEqual(bench.hear('a', { type: 'shuffle', origin: 'me', id: 1, ttl: 1, peers: [] }), []);
  const many = Array.from({ length: 5_000 }, (_, i) => `p${i}`);
  bench.hear('a', {
    type: 'shuffle',
    origin: 'o',
    id: 1,
    ttl: 1,
    peers: ['me', 'a', 'x', 'x', ...many],
  });
  const passive = bench.view.passive();
  t.true(passive.includes('x') && passive.includes('o'));
  t.is(new Set(passive).size, passive.length);
  t.true(passive.length <= 9);
  t.false(passive.includes('me') || passive.includes('a'));
});

test('nothing that a peer sends makes it throw', (t) => {
  const bench = new Bench();
  bench.asked('a');
  const values = [
    undefined,
    null,
    0,
    -1,
    1.5,
    Number.NaN,
    2 ** 53,
    '',
    'x',
    'y'.repeat(10_000),
    [],
    ['a', 1, null],
    {},
    true,
  ];
  const names = [
    'join',
    'forward-join',
    'neighbor',
    'accept',
    'refuse',
    'shuffle',
    'shuffle-reply',
    'disconnect',
    'constructor',
    '',
  ];
  const random = seededRandom(3);
  const any = () => values[Math.floor(random() * values.length)];
  for (let i = 0; i < 20_000; i++) {
    const type = names[i % names.length];
    const message = {
      type,
      request: any(),
      ttl: any(),
      id: any(),
      high: any(),
      full: any(),
      alive: any(),
      free: any(),
      peer: any(),
      origin: any(),
      peers: any(),
    };
    bench.now += 10;
    bench.hear(i % 3 === 0 ? 'a' : `p${i % 50}`, (i % 100 === 0 ? any() : message) as never);
    t.true(bench.view.active().length <= 5 && bench.view.passive().length <= 30);
  }
});

test('a full view refuses a low-priority request, and names a node to ask instead', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) bench.asked(peer);
  const [refused] = bench.asked('x');
  t.true(refused!.message.type === 'refuse' && refused!.message.peers.length > 0);
  t.is(bench.view.active().length, 5);
});

test('two refused nodes are told of each other', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) bench.asked(peer);
  bench.asked('x');
  const [refused] = bench.asked('y');
  t.is(refused!.message.type === 'refuse' && refused!.message.free, 'x');
});

test('a node that learns of a free node asks that one first', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c', 'd', 'e');
  const sent = bench.hear('a', {
    type: 'disconnect',
    alive: true,
    free: 'z',
    peers: ['p', 'q', 'r'],
  });
  t.deepEqual(types(sent), ['neighbor z']);
});

test('a high-priority request is never refused while favors last: one neighbor is dropped, and told of a free node', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) bench.asked(peer);
  for (const peer of ['v', 'w', 'x']) {
    const sent = bench.asked(peer, true);
    t.deepEqual(
      sent.map(({ message }) => message.type),
      ['disconnect', 'accept'],
    );
    const [{ to, message }] = sent as [Sent];
    t.true(
      message.type === 'disconnect' &&
        message.alive &&
        message.free === peer &&
        message.peers.length > 0,
    );
    t.true(
      bench.view.isNeighbor(peer) &&
        !bench.view.isNeighbor(to) &&
        bench.view.passive().includes(to),
    );
  }
  t.is(bench.downs.filter((down) => down.endsWith('evicted')).length, 3);
});

for (const kind of ['join', 'high'] as const) {
  test(`a flood of strangers cannot replace the links that the node requested (${kind})`, (t) => {
    for (const seed of seeds(50)) {
      const bench = new Bench({}, seed);
      const own = ['a', 'b', 'c', 'd', 'e'];
      bench.chooses(...own);
      for (let i = 0; i < 2_000; i++) {
        bench.now += 5;
        if (kind === 'join') bench.hear(`sybil${i}`, { type: 'join', request: i });
        else bench.asked(`sybil${i}`, true);
      }
      t.true(own.filter((peer) => bench.view.isNeighbor(peer)).length >= 4);
      // 10 at once, and one more every ten seconds.
      t.true(bench.downs.length <= 11, `${bench.downs.length}`);
    }
  });
}

test('a flood of introductions replaces no link that the node requested, and others no faster than favors allow', (t) => {
  for (const seed of seeds(50)) {
    const bench = new Bench({}, seed);
    const own = ['a', 'b', 'c', 'd', 'e'];
    bench.chooses(...own);
    for (let i = 0; i < 2_000; i++) {
      bench.now += 5;
      for (const { to, message } of bench.hear(own.find((peer) => bench.view.isNeighbor(peer))!, {
        type: 'forward-join',
        peer: `sybil${i}`,
        ttl: 0,
      }))
        bench.accept(to, message);
    }
    t.true(own.filter((peer) => bench.view.isNeighbor(peer)).length >= 4);
    t.true(bench.downs.length <= 16, `${bench.downs.length}`);
  }
});

test('disconnects from a node that is no neighbor, or repeatedly from one, cost one link at most', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c');
  for (let i = 0; i < 100; i++) bench.hear(`x${i}`, disconnect(true, ['s1', 's2']));
  t.is(bench.view.active().length, 3);
  t.false(bench.view.passive().includes('s1'));
  for (let i = 0; i < 100; i++) bench.hear('a', disconnect(false));
  t.deepEqual(bench.downs, ['a left']);
});

test('a dropped neighbor is remembered if it is alive, and not if it leaves', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b');
  bench.hear('a', disconnect(true));
  bench.hear('b', disconnect(false));
  t.deepEqual(bench.downs, ['a disconnected', 'b left']);
  t.true(bench.view.passive().includes('a'));
  t.false(bench.view.passive().includes('b'));
});

test('a node that was just lost does not return by a late answer or a report of others, only by itself', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b');
  const asked = bench.hear('a', { type: 'shuffle', origin: 'x', id: 1, ttl: 1, peers: [] });
  t.deepEqual(types(asked), ['shuffle-reply x', 'neighbor x']);
  bench.tell({ type: 'lost', peer: 'x', error: new TransportError('unavailable', 'gone') });
  bench.take();
  const told = bench.hear('x', { type: 'accept', request: requestOf(asked, 'x'), free: undefined });
  t.deepEqual(types(told), ['disconnect x']);
  t.false(bench.view.isNeighbor('x'));
  bench.hear('a', { type: 'shuffle', origin: 'x', id: 2, ttl: 1, peers: [] });
  bench.hear('a', { type: 'forward-join', peer: 'x', ttl: 0 });
  t.false(bench.view.passive().includes('x'));
  bench.now += 10_001;
  bench.hear('a', { type: 'shuffle', origin: 'x', id: 3, ttl: 1, peers: [] });
  bench.tell({ type: 'lost', peer: 'x', error: undefined });
  t.false(bench.view.isNeighbor('x'));
  bench.asked('x');
  t.true(bench.view.isNeighbor('x'));
});

test('an answer to an earlier request is ignored', (t) => {
  const bench = new Bench();
  bench.tell({ type: 'join', contacts: ['a'] });
  const [{ message }] = bench.take() as [Sent];
  const sent = bench.hear('a', {
    type: 'accept',
    request: (message as { request: number }).request + 1,
    free: undefined,
  });
  t.deepEqual(bench.view.active(), []);
  t.deepEqual(sent, []);
});

test('a useless neighbor is told so and replaced, and returns only if it asks', (t) => {
  const bench = new Bench({ active: 3 });
  bench.chooses('a', 'b', 'c');
  bench.hear('a', disconnect(true, []));
  bench.chooses('a');
  bench.hear('b', { type: 'shuffle-reply', id: -1, peers: [] });
  bench.tell({ type: 'found', nodes: ['d'], isChosen: true });
  bench.take();
  bench.tell({ type: 'dismiss', peer: 'a' });
  t.is(bench.downs.at(-1), 'a evicted');
  t.false(bench.view.isNeighbor('a'));
  t.deepEqual(types(bench.sent), ['disconnect a', 'neighbor d']);
  for (const { to, message } of bench.take()) bench.accept(to, message);
  t.true(bench.view.isNeighbor('d'));
  t.false(bench.view.passive().includes('a'));
  bench.tell({ type: 'dismiss', peer: 'nobody' });
  t.deepEqual(bench.take(), []);
  bench.hear('d', disconnect(false));
  bench.asked('a');
  t.true(bench.view.isNeighbor('a'));
});

test('the place of a useless neighbor goes to a node of its own choice, even if others request it', (t) => {
  const bench = new Bench({ active: 3 });
  bench.chooses('a', 'b');
  bench.asked('c');
  bench.tell({ type: 'found', nodes: ['d'], isChosen: true });
  bench.take();
  bench.tell({ type: 'dismiss', peer: 'a' });
  const request = bench.take().find(({ to }) => to === 'd')!;
  bench.asked('presser');
  t.deepEqual(bench.view.active().sort(), ['b', 'c', 'presser']);
  bench.accept(request.to, request.message);
  t.deepEqual(bench.view.active().sort(), ['b', 'c', 'd']);
});

test('a neighbor that has forwarded messages stays when one must go, even if it came later', (t) => {
  const bench = new Bench({ active: 3 });
  bench.chooses('own');
  bench.asked('taker');
  bench.asked('giver');
  bench.tell({ type: 'gave', peer: 'giver' });
  bench.tell({ type: 'gave', peer: 'nobody' });
  bench.hear('other', { type: 'neighbor', request: 1, high: true, full: false });
  t.deepEqual(bench.view.active(), ['own', 'giver', 'other']);
});

test('a full view that is told to seek asks an outside node for a link, unless merging is off', (t) => {
  const bench = new Bench({ active: 2, mergeInterval: 600_000 });
  bench.chooses('a', 'b');
  bench.tell({ type: 'found', nodes: ['c'], isChosen: true });
  bench.take();
  bench.tell({ type: 'seek' });
  t.deepEqual(types(bench.sent), ['neighbor c']);
  const off = new Bench({ active: 2 });
  off.chooses('a', 'b');
  off.tell({ type: 'found', nodes: ['c'], isChosen: true });
  off.take();
  off.tell({ type: 'seek' });
  t.deepEqual(off.take(), []);
});

test('requested links beyond the wanted number are dropped before links that forwarded messages; wanted ones stay', (t) => {
  const bench = new Bench({ active: 4, own: 2 });
  bench.chooses('a', 'b', 'c');
  bench.asked('giver');
  bench.tell({ type: 'gave', peer: 'giver' });
  bench.hear('other', { type: 'neighbor', request: 1, high: true, full: false });
  t.deepEqual(bench.view.active(), ['a', 'b', 'giver', 'other']);
  bench.tell({ type: 'gave', peer: 'other' });
  bench.hear('more', { type: 'neighbor', request: 1, high: true, full: false });
  t.deepEqual(bench.view.active(), ['a', 'b', 'giver', 'more']);
});
