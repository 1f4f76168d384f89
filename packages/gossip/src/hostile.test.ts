// Tests of a peer that breaks the rules of gossip.

import { createPeers } from '@trunkline/peers';
import { fullMesh } from './overlay/full-mesh.ts';
import { gossipProtocol, topicKey } from './protocol.ts';
import { areMet, dropsOf, eventsOf, idle, idOf, meet, type Run, words } from './testing/cluster.ts';
import { type Forgery, frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import { encodeControl } from './wire/frame.ts';

/** Sets up a and b on a topic, and a stranger on it that is a peer of a. */
async function visit(run: Run) {
  const made = await meet(run, ['a', 'b'], { topic: () => ({ limit: 1_000 }) });
  const { sim } = made;
  const [a, subscriber] = [made.node('a'), made.subscriber('a')];
  const guest = await rawPeer(sim);
  await sim.until(() => areMet([subscriber], 2), 3_000);
  const push = (...forgeries: Forgery[]) => {
    guest.push(...forgeries.map(frame));
    return sim.run(200);
  };
  const blame = () => eventsOf(a, 'misbehaved').map(({ nodeId, what }) => [nodeId, what]);
  return { sim, a, subscriber, wordsOfB: made.subscriber('b').words, guest, push, blame };
}

test('a repeated message is delivered once; a message of an earlier life of its publisher is refused', async (t) => {
  const { sim, a, subscriber, push } = await visit(t.context);
  await push({ sequence: 0 }, { sequence: 0 }, { sequence: 1 }, { sequence: 0 });
  t.deepEqual(subscriber.words, ['said', 'said']);
  t.is(eventsOf(a, 'duplicate').length, 2);
  await sim.run(100_000);
  await push({ sequence: 0 }, { sequence: 1 }, { epoch: 0, sequence: 7 });
  t.is(subscriber.words.length, 2, 'long afterwards');
  t.deepEqual(dropsOf(a), ['old']);
  await push({ epoch: 2, sequence: 0 });
  t.is(subscriber.words.length, 3, 'its next life');
});

test('an id counts once, whether its message is for all or for a list', async (t) => {
  const { a, subscriber, push } = await visit(t.context);
  const list = { audience: 'to', nodes: [idOf('a')] } as const;
  await push({ sequence: 0 }, { sequence: 0, ...list });
  await push({ sequence: 1, ...list }, { sequence: 1 });
  t.is(subscriber.words.length, 2);
  t.is(eventsOf(a, 'duplicate').length, 2);
});

test('on a full mesh messages in the name of another are neither delivered nor forwarded, and lower the sender’s score', async (t) => {
  const { subscriber, wordsOfB, push, blame, guest, a } = await visit(t.context);
  const before = a.peers.get(guest.nodeId)!.score;
  await push(
    { origin: idOf('b') },
    { origin: idOf('a') },
    { origin: idOf('nobody') },
    { origin: idOf('b'), audience: 'to', nodes: [idOf('a')] },
  );
  t.deepEqual([subscriber.words, wordsOfB], [[], []]);
  t.deepEqual(dropsOf(a), Array(4).fill('forged'));
  t.deepEqual(blame(), Array(4).fill([guest.nodeId, 'forged']));
  t.true(a.peers.get(guest.nodeId)!.score < before);
});

test('messages for others are dropped: a list without this node, an exclusion of this node, another topic', async (t) => {
  const { a, subscriber, push } = await visit(t.context);
  await push(
    { sequence: 0, audience: 'to', nodes: [idOf('b')] },
    { sequence: 1, audience: 'except', nodes: [idOf('b'), idOf('a')] },
    { sequence: 2, topic: 'other' },
    { sequence: 3, audience: 'to', nodes: [idOf('b'), idOf('a')] },
    { sequence: 4, audience: 'except', nodes: [idOf('b')] },
  );
  t.is(subscriber.words.length, 2);
  t.deepEqual(dropsOf(a), ['not-addressed', 'excluded']);
});

test('malformed messages are dropped and lower the score, oversized ones are dropped, and a second content under one id is a duplicate', async (t) => {
  const { a, subscriber, guest, push, blame } = await visit(t.context);
  await push(
    { sequence: 0, payload: new Uint8Array(1_001) },
    { sequence: 1, payload: Uint8Array.of(0xff) },
    { sequence: 1, payload: Uint8Array.of(0xff) },
  );
  t.deepEqual(dropsOf(a), ['too-large', 'undecodable', 'refused']);
  t.deepEqual(blame(), [[guest.nodeId, 'undecodable']]);
  await push({ sequence: 2 }, { sequence: 2, payload: words.encode('another') });
  t.deepEqual([subscriber.words, blame().length], [['said'], 1]);
  t.is(eventsOf(a, 'duplicate').length, 1);
});

test('malformed frames lower the sender’s score, on a topic or not, and leave nothing behind', async (t) => {
  for (const topic of [() => undefined, () => ({})]) {
    const { sim, node } = await meet(t.context, ['a'], { topic });
    const guest = await rawPeer(sim);
    const { peers } = node('a');
    await sim.until(() => peers.list().length === 1, 5_000);
    const score = () => peers.get(guest.nodeId)!.score;
    for (const [method, first] of [
      ['push', new Uint8Array()],
      ['control', new Uint8Array(78)],
      ['push', frame().subarray(0, 40)],
    ] as const) {
      const before = score();
      guest.talk.trySend(guest.remote, method, first);
      await sim.run(50);
      t.true(score() < before, `${method} of ${first.length} bytes`);
    }
    for (const method of ['push', 'control', 'receipt'] as const) {
      for (const first of [3, 0x7f, 0x83, 0xff])
        for (const size of [1, 33, 78, 79, 200])
          guest.talk.trySend(guest.remote, method, new Uint8Array(size).fill(first));
      await sim.run(50);
    }
    t.is(peers.list().length, 1, 'still connected');
    t.deepEqual(await sim.close(), []);
  }
});

test('messages for unknown topics leave nothing behind and lower no score, because the sender may not know yet', async (t) => {
  const { sim, a, guest, subscriber } = await visit(t.context);
  const state = () => {
    const { topics, peers } = a.gossip.snapshot();
    const { score } = a.peers.get(guest.nodeId)!;
    return JSON.stringify([topics, peers.map(({ nodeId, topics: on }) => [nodeId, on]), score]);
  };
  const before = state();
  const id = { origin: guest.nodeId, epoch: 1, sequence: 1 };
  for (let i = 0; i < 1_000; i++) {
    const { name, bytes } = topicKey(`other ${i}`);
    guest.push(frame({ topic: name }));
    for (const control of [
      { kind: 'graft', ids: [id] },
      { kind: 'ihave', notices: [{ id, hops: 1 }] },
      { kind: 'prune' },
    ] as const)
      guest.talk.trySend(guest.remote, 'control', encodeControl(bytes, control));
    guest.join(name);
    if (i % 100 === 99) await sim.run(100);
  }
  t.is(state(), before);
  guest.push(frame());
  await sim.run(200);
  t.deepEqual(subscriber.words, ['said']);
}, 1);

test('gossip from a node that is not a peer is ignored', async (t) => {
  const { sim, a, subscriber } = await visit(t.context);
  const transport = sim.client(idle, { name: 'nobody' });
  const talk = transport.mount(gossipProtocol);
  const remote = await sim.settle(transport.dial('a'));
  const before = a.gossip.snapshot().peers.length;
  talk.trySend(remote, 'interest', { seq: 1, empty: false });
  for (let i = 0; i < 100; i++)
    talk.trySend(remote, 'push', frame({ origin: idOf('nobody'), sequence: i }));
  talk.trySend(remote, 'push', new Uint8Array(3));
  talk.trySend(remote, 'control', new Uint8Array(3));
  talk.trySend(remote, 'view', {
    topic: topicKey('news').hex,
    message: { type: 'join', request: 1 },
  });
  await sim.run(500);
  t.deepEqual([subscriber.words, a.gossip.snapshot().peers.length], [[], before]);
});

test('of a peer on four thousand topics only as many as allowed count, and all are forgotten when it disconnects', async (t) => {
  const { sim, a, subscriber, guest } = await visit(t.context);
  const state = () => a.gossip.snapshot().peers.find(({ nodeId }) => nodeId === guest.nodeId);
  guest.say(2, ['news'], 4_000);
  await sim.until(() => areMet([subscriber], 1), 5_000);
  t.is(state()?.topics, 0, `this one came too late`);
  guest.say(3, ['news'], 1_016);
  await sim.until(() => areMet([subscriber], 2), 2_000);
  t.is(state()?.topics, 1);
  await sim.settle(guest.transport.close());
  await sim.until(() => areMet([subscriber], 1), 5_000);
  t.is(state(), undefined);
}, 1);

test('a topic list that is requested again and again is refused and lowers the score; a new list is sent at once', async (t) => {
  const { sim, a, guest } = await visit(t.context);
  const before = a.peers.get(guest.nodeId)!.score;
  const ask = (question = new Uint8Array(16)) =>
    guest.talk.send(guest.remote, 'pull', question).then(
      ({ buffer, byteOffset }) => new DataView(buffer, byteOffset).getUint32(0),
      ({ code }) => code as string,
    );
  const answers = await sim.settle(Promise.all(Array.from({ length: 300 }, ask)));
  const told = answers.filter((answer) => answer !== 'resource_exhausted');
  t.true(told.length >= 9 && told.length <= 11, `${told.length} answers`);
  t.true(a.peers.get(guest.nodeId)!.score < before);
  const other = a.gossip.topic('other', words);
  t.is(await sim.settle(ask()), Number(told[0]) + 1);
  other.close();
  t.is(await sim.settle(ask(new Uint8Array(15))), 'invalid_argument');
}, 1);

test('a peer that changes its topics all the time is asked only now and then; its last list counts', async (t) => {
  const { sim, subscriber, guest } = await visit(t.context);
  const [from, before] = [sim.now, guest.pulls()];
  let seq = 2;
  for (let i = 0; i < 2_000; i++) {
    guest.say(seq++, i % 2 === 0 ? [] : ['news']);
    await sim.run(5);
  }
  const most = 64 + Math.ceil((sim.now - from) / 250);
  t.true(guest.pulls() - before <= most, `${guest.pulls() - before} pulls, ${most} at most`);
  guest.say(seq++, ['other']);
  await sim.until(() => areMet([subscriber], 1), 5_000);
  guest.say(seq++, ['news']);
  await sim.until(() => areMet([subscriber], 2), 5_000);
}, 1);

test('the number of topics of a node is limited', async (t) => {
  const { sim, node } = await meet(t.context, ['a', 'b'], { topic: () => undefined });
  const [a, b] = [node('a'), node('b')];
  await sim.until(() => a.peers.list().length === 1);
  const topics = Array.from({ length: 1_024 }, (_, i) => a.gossip.topic(String(i), words));
  t.throws(() => a.gossip.topic('one more', words), { code: 'resource_exhausted' });
  const last = b.gossip.topic('1023', words);
  await sim.until(() => last.neighbors.length === 1, 3_000);
  topics[0]!.close();
  a.gossip.topic('one more', words);
}, 1);

test('a peer that never sends its topics delays only callers that wait for it, and only once', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a', 'b']);
  const transport = sim.client(idle, { name: 'mute' });
  transport.mount(gossipProtocol);
  const peers = createPeers({
    transport,
    identity: { nodeId: idOf('mute') },
    maxOutbound: 0,
    persistent: ['a'],
  });
  await sim.settle(peers.start());
  const { topic } = subscriber('a');
  for (const wait of [1_000, 50]) {
    await sim.until(() => node('a').peers.list().length === 2, 10_000);
    const before = sim.now;
    const published = topic.publish('x');
    await sim.until(() => subscriber('b').words.length > 0, 50);
    t.deepEqual(await sim.settle(published), { queued: 1 });
    t.true(sim.now - before <= wait + 50, `${sim.now - before}`);
    subscriber('b').words.length = 0;
    await sim.settle(transport.closeStreams());
  }
  await sim.settle(peers.close());
}, 1);

test('many malformed messages of a distrusted peer make the overlays look for neighbors once', async (t) => {
  let told = 0;
  const real = fullMesh();
  const overlay: typeof real = {
    ...real,
    create(setup) {
      const made = real.create(setup);
      const handle = made.handle.bind(made);
      made.handle = (now, input) => {
        if (input.type === 'distrusted') told++;
        handle(now, input);
      };
      return made;
    },
  };
  const { sim } = await meet(t.context, ['a'], { gossip: () => ({ overlay }) });
  const guest = await rawPeer(sim);
  await sim.run(1_000);
  guest.push(...Array.from({ length: 50 }, () => new Uint8Array(3)));
  await sim.run(1_000);
  t.is(told, 1);
});
