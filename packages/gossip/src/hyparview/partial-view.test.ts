// Tests of the inputs and outputs of a single partial view.

import { seededRandom, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import type { PartialViewInput } from './interface.ts';
import type { PartialViewMessage } from './message.ts';
import type { PartialViewOptions } from './options.ts';
import { PartialView } from './partial-view.ts';

type Sent = { to: string; message: PartialViewMessage };

/**
 * One partial view with a record of everything it does. `onSend` is called at each send; its inputs
 * reach the view before the other outputs are carried out.
 */
class Bench {
  readonly view: PartialView;
  readonly downs: string[] = [];
  readonly ups: string[] = [];
  sent: Sent[] = [];
  now = 0;
  onSend: ((to: string, message: PartialViewMessage) => void) | undefined;
  #isBusy = false;

  constructor(options: PartialViewOptions = {}, seed = 1) {
    this.view = new PartialView({
      self: 'me',
      random: seededRandom(seed),
      now: 0,
      options: { mergeInterval: Number.POSITIVE_INFINITY, ...options },
    });
  }

  /** Gives the view an input, and carries out its outputs. */
  tell(input: PartialViewInput): void {
    this.view.handle(this.now, input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let output = this.view.poll(); output !== undefined; output = this.view.poll()) {
      if (output.type === 'up') this.ups.push(output.peer);
      else if (output.type === 'down') this.downs.push(`${output.peer} ${output.cause}`);
      else {
        this.sent.push({ to: output.to, message: output.message });
        this.onSend?.(output.to, output.message);
      }
    }
    this.#isBusy = false;
  }

  take(): Sent[] {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }

  hear(from: string, message: PartialViewMessage): Sent[] {
    this.tell({ type: 'received', from, message });
    return this.take();
  }

  /** Lets a peer ask for a link. Returns the messages sent. */
  asked(from: string, high = false): Sent[] {
    return this.hear(from, { type: 'neighbor', request: 1, high, full: false });
  }

  /** Lets the view ask these peers for links, which they accept. */
  chooses(...peers: string[]): void {
    this.tell({ type: 'known', nodes: peers, isChosen: true });
    while (!peers.every((peer) => this.view.isNeighbor(peer))) {
      for (const { to, message } of this.take()) this.accept(to, message);
      this.now += 250;
      this.tell({ type: 'wake' });
    }
    this.take();
  }

  accept(to: string, message: PartialViewMessage): void {
    if (message.type === 'neighbor' || message.type === 'join')
      this.tell({
        type: 'received',
        from: to,
        message: { type: 'accept', request: message.request, free: undefined },
      });
  }

  pass(time: number): Sent[] {
    this.now += time;
    this.tell({ type: 'wake' });
    return this.take();
  }
}

const requestOf = (sent: Sent[], to: string) => {
  const found = sent.find(
    (one) => one.to === to && (one.message.type === 'neighbor' || one.message.type === 'join'),
  )?.message;
  return (found as { request: number }).request;
};
const types = (sent: Sent[]) => sent.map(({ to, message }) => `${message.type} ${to}`);
const disconnect = (alive: boolean, peers: string[] = []): PartialViewMessage => ({
  type: 'disconnect',
  alive,
  free: undefined,
  peers,
});

test('a newcomer asks one contact at a time, until one takes it in', (t) => {
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

test('a newcomer whose contact is silent turns to the next after the time-out', (t) => {
  const bench = new Bench();
  bench.tell({ type: 'join', contacts: ['a', 'b'] });
  const [first] = bench.take();
  t.true(bench.view.wakeAt <= 500);
  t.deepEqual(bench.pass(499), []);
  const [second] = bench.pass(1);
  t.is(second!.message.type, 'join');
  t.not(second!.to, first!.to);
});

test('an answer that comes after the time-out still counts, where there is room', (t) => {
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

test('a node that does not answer its introduction is no neighbor', (t) => {
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

test('walks are cut to the configured length, whatever the sender says', (t) => {
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

test('where a walk passes the right hop, the newcomer is remembered', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c']) bench.asked(peer);
  bench.hear('a', { type: 'forward-join', peer: 'x', ttl: 4 });
  t.deepEqual(bench.view.passive(), []);
  bench.hear('a', { type: 'forward-join', peer: 'x', ttl: 3 });
  t.deepEqual(bench.view.passive(), ['x']);
});

test('its own id, duplicates, neighbors and overlong lists stay out of the views', (t) => {
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

test('a low request is refused where the view is full, and told whom to ask', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) bench.asked(peer);
  const [refused] = bench.asked('x');
  t.true(refused!.message.type === 'refuse' && refused!.message.peers.length > 0);
  t.is(bench.view.active().length, 5);
});

test('two who are refused are told of each other', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) bench.asked(peer);
  bench.asked('x');
  const [refused] = bench.asked('y');
  t.is(refused!.message.type === 'refuse' && refused!.message.free, 'x');
});

test('a node that is told who is free asks that one first', (t) => {
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

test('a high request is never refused while favors last: somebody goes, and is told who is free', (t) => {
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
  test(`a flood of strangers cannot replace the links that the node asked for (${kind})`, (t) => {
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

test('a flood of introductions replaces neither the links that the node asked for, nor others faster than favors allow', (t) => {
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

test('a disconnect of somebody who is no neighbor, or of a neighbor again and again, costs one link at most', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b', 'c');
  for (let i = 0; i < 100; i++) bench.hear(`x${i}`, disconnect(true, ['s1', 's2']));
  t.is(bench.view.active().length, 3);
  t.false(bench.view.passive().includes('s1'));
  for (let i = 0; i < 100; i++) bench.hear('a', disconnect(false));
  t.deepEqual(bench.downs, ['a left']);
});

test('a neighbor that goes is remembered if it lives, and not if it leaves', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b');
  bench.hear('a', disconnect(true));
  bench.hear('b', disconnect(false));
  t.deepEqual(bench.downs, ['a disconnected', 'b left']);
  t.true(bench.view.passive().includes('a'));
  t.false(bench.view.passive().includes('b'));
});

test('nobody who was just lost comes back by a late answer or by what others say; it may come by itself', (t) => {
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

test('an answer to an earlier request is no answer', (t) => {
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

test('who believes in a link that is none is told so', (t) => {
  const bench = new Bench();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) bench.asked(peer);
  for (const message of [
    { type: 'accept', request: 5, free: undefined },
    { type: 'forward-join', peer: 'n', ttl: 3 },
    { type: 'shuffle', origin: 'o', id: 1, ttl: 1, peers: ['q'] },
  ] as const) {
    t.deepEqual(types(bench.hear('stranger', message)), ['disconnect stranger']);
  }
  bench.tell({ type: 'stranger', peer: 'stranger' });
  bench.tell({ type: 'stranger', peer: 'a' });
  t.deepEqual(types(bench.take()), ['disconnect stranger']);
  t.deepEqual(bench.view.passive(), []);
});

test('where many fail at once, those who are remembered are told that this node lives; who is short then asks it', (t) => {
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

test('recovery is a loop: a thousand peers that fail while they are asked do not deepen the stack', (t) => {
  const bench = new Bench({
    passive: 1_000,
    contacts: 1_000,
    shufflePassive: 32,
    shuffleActive: 32,
  });
  bench.tell({
    type: 'known',
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

test('what is lost is told with its cause, and replaced', (t) => {
  const bench = new Bench();
  bench.chooses('a', 'b');
  bench.hear('a', { type: 'shuffle', origin: 'x', id: 1, ttl: 1, peers: [] });
  bench.take();
  bench.tell({ type: 'lost', peer: 'a', error: new TransportError('unavailable', 'reset') });
  t.deepEqual(bench.downs, ['a lost']);
  t.false(bench.view.isNeighbor('a') || bench.view.passive().includes('a'));
});

test('who leaves tells its neighbors whom to turn to, answers no request, and may join again', (t) => {
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

test('when the views are empty, known nodes are asked; when these give nobody, it is hungry', (t) => {
  const bench = new Bench();
  bench.chooses('a');
  bench.pass(2_000);
  t.true(bench.view.isHungry);
  bench.tell({ type: 'known', nodes: ['k'], isChosen: true });
  t.deepEqual(types(bench.take()), ['neighbor k']);
  bench.tell({ type: 'lost', peer: 'k', error: undefined });
  t.true(bench.view.isHungry);
  bench.tell({ type: 'known', nodes: ['l', 'm', 'n', 'o'], isChosen: true });
  for (const { to, message } of bench.take()) bench.accept(to, message);
  t.is(bench.view.active().length, 5);
  t.false(bench.view.isHungry);
});

test('while the view is short it asks again, more and more seldom', (t) => {
  const bench = new Bench({ shuffleInterval: 60_000 });
  bench.chooses('a');
  bench.pass(2_000);
  bench.tell({ type: 'known', nodes: ['k'], isChosen: true });
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

test('every link is used by a shuffle every so often', (t) => {
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

test('a shuffle reply counts once, and only if it answers', (t) => {
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

test('one neighbor cannot fill the passive view with what it likes', (t) => {
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

test('wrong options are a TypeError that names them', (t) => {
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

test('a neighbor that is of no use is told so, another takes its place, and only its own asking brings it back', (t) => {
  const bench = new Bench({ active: 3 });
  bench.chooses('a', 'b', 'c');
  bench.hear('a', disconnect(true, []));
  bench.chooses('a');
  bench.hear('b', { type: 'shuffle-reply', id: -1, peers: [] });
  bench.tell({ type: 'known', nodes: ['d'], isChosen: true });
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

test('the place of a neighbor that is of no use goes to one of its own choice, though others press for it', (t) => {
  const bench = new Bench({ active: 3 });
  bench.chooses('a', 'b');
  bench.asked('c');
  bench.tell({ type: 'known', nodes: ['d'], isChosen: true });
  bench.take();
  bench.tell({ type: 'dismiss', peer: 'a' });
  const request = bench.take().find(({ to }) => to === 'd')!;
  bench.asked('presser');
  t.deepEqual(bench.view.active().sort(), ['b', 'c', 'presser']);
  bench.accept(request.to, request.message);
  t.deepEqual(bench.view.active().sort(), ['b', 'c', 'd']);
});

test('who has passed messages on stays when one must go, even where it came later', (t) => {
  const bench = new Bench({ active: 3 });
  bench.chooses('own');
  bench.asked('taker');
  bench.asked('giver');
  bench.tell({ type: 'gave', peer: 'giver' });
  bench.tell({ type: 'gave', peer: 'nobody' });
  bench.hear('other', { type: 'neighbor', request: 1, high: true, full: false });
  t.deepEqual(bench.view.active(), ['own', 'giver', 'other']);
});

test('a view that is full asks somebody outside for a link when it is told to seek, and not where merging is off', (t) => {
  const bench = new Bench({ active: 2, mergeInterval: 600_000 });
  bench.chooses('a', 'b');
  bench.tell({ type: 'known', nodes: ['c'], isChosen: true });
  bench.take();
  bench.tell({ type: 'seek' });
  t.deepEqual(types(bench.sent), ['neighbor c']);
  const off = new Bench({ active: 2 });
  off.chooses('a', 'b');
  off.tell({ type: 'known', nodes: ['c'], isChosen: true });
  off.take();
  off.tell({ type: 'seek' });
  t.deepEqual(off.take(), []);
});

test('links of its own beyond those that it wants go before others that have passed messages on; those that it wants stay', (t) => {
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
