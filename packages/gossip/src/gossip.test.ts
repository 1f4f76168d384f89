// Topics over a full mesh: who gets what, and who does not.

import { isNodeId, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { areMet, cluster, type Ear, eventsOf, idOf, listen, runs, simulationOf, type TestNode, words } from './testing/cluster.ts';

const NAMES = ['a', 'b', 'c', 'd'];

/** Nodes on one topic that have all met. */
async function meet(run: ReturnType<typeof runs>[number], names = NAMES, options: Parameters<typeof cluster>[2] = {}) {
  const sim = simulationOf(run);
  const ears = new Map<string, Ear>();
  const nodes = cluster(sim, names, { ...options, setup: (node) => ears.set(node.name, listen(node)) });
  await sim.until(() => nodes.size === names.length && areMet(ears.values(), names.length - 1), 20_000);
  const node = (name: string) => nodes.get(name)!;
  const ear = (name: string) => ears.get(name)!;
  return { sim, nodes, ears, node, ear };
}

test.serial('a message reaches all on its topic but its publisher, once, with where it came from', async (t) => {
  for (const run of runs(3)) {
    const { sim, node, ear } = await meet(run);
    t.deepEqual(await sim.settle(ear('a').topic.publish('hello')), { handed: 3 });
    await sim.run(200);
    t.regex(String(node('b').gossip), /: 1 topics, 3 peers\n.*\nnews +fullMesh +3 +3 +1 +0 +1 +0/u);
    for (const name of ['b', 'c', 'd']) {
      t.deepEqual(ear(name).words, ['hello'], `${run.name}, ${name}`);
      const { id, ...meta } = ear(name).heard[0]!.meta;
      t.deepEqual(meta, { origin: idOf('a'), from: idOf('a'), hops: 1, missed: 0 });
      t.true(isNodeId(meta.origin) && id.length > 0);
    }
    t.deepEqual(ear('a').words, [], 'its own');
    t.is(new Set(['b', 'c', 'd'].map((name) => ear(name).heard[0]!.meta.id)).size, 1, 'one id everywhere');
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('equal contents are two messages, and those of one publisher keep their order', async (t) => {
  for (const run of runs(3)) {
    const { sim, ear } = await meet(run);
    const sent = Array.from({ length: 300 }, (_, i) => String(i % 7));
    for (const word of sent) void ear('a').topic.publish(word);
    await sim.run(2_000);
    for (const name of ['b', 'c', 'd']) t.deepEqual(ear(name).words, sent, run.name);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a list of recipients, and all but a list; the others do not get it', async (t) => {
  for (const run of runs()) {
    const { sim, ear } = await meet(run);
    t.deepEqual(await sim.settle(ear('a').topic.publish('to', { to: [idOf('b'), idOf('c'), idOf('b'), idOf('a')] })), { handed: 2 });
    t.deepEqual(await sim.settle(ear('a').topic.publish('except', { except: [idOf('b')] })), { handed: 2 });
    await sim.run(200);
    t.deepEqual([ear('b').words, ear('c').words, ear('d').words], [['to'], ['to', 'except'], ['except']], run.name);
    t.deepEqual(ear('c').heard[0]!.meta, { ...ear('b').heard[0]!.meta });
    await t.throwsAsync(ear('a').topic.publish('both', { to: [], except: [] }), { instanceOf: TypeError, message: /exclude each other/ });
    await t.throwsAsync(ear('a').topic.publish('no id', { to: ['nobody'] }), { instanceOf: TypeError, message: /to: must be a list/ });
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a recipient that nobody knows, and one that is not on the topic, are reported; the rest get it', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const ears = new Map<string, Ear>();
    const nodes = cluster(sim, NAMES, { setup: (node) => node.name !== 'd' && ears.set(node.name, listen(node)) });
    await sim.until(() => nodes.size === 4 && areMet(ears.values(), 2) && nodes.get('a')!.peers.list().length === 3, 20_000);
    await sim.run(1_000);
    const { handed, failed } = await sim.settle(ears.get('a')!.topic.publish('x', { to: [idOf('nobody'), idOf('b'), idOf('d'), idOf('c')] }));
    t.is(handed, 2);
    t.deepEqual(
      failed!.map(({ nodeId, error }) => [nodeId, error.code]).sort(),
      [
        [idOf('nobody'), 'unavailable'],
        [idOf('d'), 'not_found'],
      ].sort(),
      run.name,
    );
    await sim.run(200);
    t.deepEqual([ears.get('b')!.words, ears.get('c')!.words], [['x'], ['x']]);
    await t.throwsAsync(sim.settle(ears.get('a')!.topic.publish('y', { to: [idOf('d')], min: 1 })), { code: 'unavailable' });
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('so many of those on the topic, chosen at random', async (t) => {
  for (const run of runs()) {
    const { sim, ear } = await meet(run);
    for (let i = 0; i < 60; i++) t.deepEqual(await sim.settle(ear('a').topic.publish(String(i), { any: 1 })), { handed: 1 });
    await sim.run(500);
    const heard = ['b', 'c', 'd'].map((name) => ear(name).words.length);
    t.is(
      heard.reduce((sum, count) => sum + count, 0),
      60,
      run.name,
    );
    t.true(
      heard.every((count) => count > 5),
      `${run.name}: ${heard.join(', ')}`,
    );
    t.deepEqual(await sim.settle(ear('a').topic.publish('two', { any: 2 })), { handed: 2 });
    t.deepEqual(await sim.settle(ear('a').topic.publish('all', { any: 9 })), { handed: 3 });
    await t.throwsAsync(sim.settle(ear('a').topic.publish('four', { any: 4, min: 4 })), { code: 'unavailable' });
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('publishing never waits: with nobody there, nobody who listens, and one who does not take what comes', async (t) => {
  for (const run of runs(1)) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a', 'b', 'c']);
    await sim.until(() => nodes.size === 3 && nodes.get('a')!.peers.list().length === 2, 20_000);
    const topic = nodes.get('a')!.gossip.topic('news', words);
    await sim.run(2_000);
    const started = sim.now;
    t.deepEqual(await sim.settle(topic.publish('nobody is on it')), { handed: 0 });
    const deaf = nodes.get('b')!.gossip.topic('news', words);
    const stuck = nodes.get('c')!.gossip.topic('news', words);
    const heard: string[] = [];
    stuck.subscribe(() => new Promise(() => {}));
    await sim.until(() => topic.neighbors.length === 2, 3_000);
    for (let i = 0; i < 3_000; i++) void topic.publish(String(i));
    t.deepEqual(await sim.settle(topic.publish('last'), 1_000), { handed: 2 });
    await sim.run(3_000);
    t.is(nodes.get('b')!.gossip.snapshot().topics[0]!.delivered, 3_001, run.name);
    deaf.subscribe((message) => heard.push(message));
    void topic.publish('heard');
    await sim.run(500);
    t.deepEqual(heard, ['heard'], 'nothing from before');
    t.true(sim.now - started < 10_000);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('every size up to the limit is delivered; a byte more is an error of the publisher, and nobody gets any of it', async (t) => {
  for (const run of runs(1)) {
    const sim = simulationOf(run);
    const ears = new Map<string, Ear>();
    const limit = 150_000;
    const nodes = cluster(sim, ['a', 'b'], { setup: (node) => ears.set(node.name, listen(node, 'big', { limit })) });
    await sim.until(() => nodes.size === 2 && areMet(ears.values(), 1), 20_000);
    const sizes = [2, 3, 4_000, 4_058, 4_096, 65_400, 65_457, 65_458, 65_536, 65_537, 100_000, limit - 1, limit];
    for (const size of sizes) t.is((await sim.settle(ears.get('a')!.topic.publish('x'.repeat(size - 2)))).handed, 1);
    await sim.until(() => ears.get('b')!.words.length === sizes.length, 5_000);
    t.deepEqual(
      ears
        .get('b')!
        .words.map((word) => word.length + 2)
        .sort((x, y) => x - y),
      sizes,
      run.name,
    );
    const error = await t.throwsAsync(ears.get('a')!.topic.publish('x'.repeat(limit - 1)), { instanceOf: TransportError, code: 'resource_exhausted' });
    t.is((error as TransportError).reason, 'too_large');
    await sim.run(1_000);
    t.is(ears.get('b')!.words.length, sizes.length);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('what is published right after the start, or before it, is not lost', async (t) => {
  for (const run of runs(3)) {
    const sim = simulationOf(run);
    const ears = new Map<string, Ear>();
    const results: Promise<unknown>[] = [];
    const nodes = cluster(sim, ['a', 'b', 'c'], {
      start: false,
      setup: (node) => {
        if (node.name !== 'c') ears.set(node.name, listen(node));
      },
    });
    await sim.until(() => nodes.size === 3 && [...nodes.values()].every((node) => node.peers.list().length === 2), 20_000);
    await nodes.get('a')!.gossip.start();
    await nodes.get('b')!.gossip.start();
    await sim.run(3_000);
    // The last one subscribes, publishes and starts in one go.
    const c = nodes.get('c')!;
    ears.set('c', listen(c));
    results.push(ears.get('c')!.topic.publish('before'));
    void c.gossip.start();
    results.push(ears.get('c')!.topic.publish('after'));
    t.deepEqual(await sim.settle(Promise.all(results)), [{ handed: 2 }, { handed: 2 }], run.name);
    await sim.run(200);
    for (const name of ['a', 'b']) t.deepEqual(ears.get(name)!.words, ['before', 'after'], run.name);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('publish waits for a minimum of peers, and gives up in time', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const ears = new Map<string, Ear>();
    const nodes = cluster(sim, ['a', 'b'], { setup: (node) => node.name === 'a' && ears.set('a', listen(node)) });
    await sim.until(() => nodes.size === 2 && nodes.get('a')!.peers.list().length === 1, 20_000);
    await sim.run(2_000);
    t.deepEqual(await sim.settle(ears.get('a')!.topic.publish('nobody')), { handed: 0 });
    const late = ears.get('a')!.topic.publish('late', { min: 1, timeout: 5_000 });
    await sim.run(1_000);
    ears.set('b', listen(nodes.get('b')!));
    t.deepEqual(await sim.settle(late), { handed: 1 });
    await sim.run(200);
    t.deepEqual(ears.get('b')!.words, ['late'], run.name);
    const before = sim.now;
    await t.throwsAsync(sim.settle(ears.get('a')!.topic.publish('two', { min: 2, timeout: 3_000 })), { code: 'deadline_exceeded', message: /1 of 2/ });
    t.true(sim.now - before >= 3_000);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a node taken off the peers gets and gives nothing; put back, it does', async (t) => {
  for (const run of runs()) {
    const { sim, node, ear } = await meet(run, ['a', 'b', 'c']);
    node('c').peers.remove('a');
    node('c').peers.remove('b');
    await sim.until(() => areMet([ear('a'), ear('b')], 1) && areMet([ear('c')], 0), 5_000);
    t.deepEqual(await sim.settle(ear('a').topic.publish('without')), { handed: 1 });
    t.deepEqual(await sim.settle(ear('c').topic.publish('alone')), { handed: 0 });
    await sim.run(1_000);
    t.deepEqual([ear('b').words, ear('c').words, ear('a').words], [['without'], [], []], run.name);
    t.like(eventsOf(node('a'), 'neighborDown').at(-1), { nodeId: idOf('c'), cause: 'lost' });
    node('c').peers.add('a');
    node('c').peers.add('b');
    await sim.until(() => areMet([ear('a'), ear('b'), ear('c')], 2), 20_000);
    t.deepEqual(await sim.settle(ear('a').topic.publish('again')), { handed: 2 });
    t.deepEqual(await sim.settle(ear('c').topic.publish('back')), { handed: 2 });
    await sim.run(200);
    t.deepEqual([ear('c').words, ear('a').words], [['again'], ['back']]);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a node that crashes and comes back with the same id is on the topic again, and its new messages are new', async (t) => {
  for (const run of runs(3)) {
    const { sim, nodes, ear } = await meet(run, ['a', 'b', 'c']);
    for (const word of ['1', '2', '3']) void ear('c').topic.publish(word);
    await sim.run(500);
    sim.crash('c');
    await sim.run(1_000);
    void ear('a').topic.publish('while it is away');
    await sim.run(1_000);
    sim.restart('c');
    await sim.until(() => nodes.has('c') && areMet([ear('a'), ear('b'), ear('c')], 2), 60_000);
    for (const word of ['4', '5']) void ear('c').topic.publish(word);
    void ear('a').topic.publish('back');
    await sim.run(1_000);
    t.deepEqual(
      ear('b').words.filter((word) => word.length === 1),
      ['1', '2', '3', '4', '5'],
      run.name,
    );
    t.deepEqual(ear('c').words, ['back'], 'what it missed is not repeated');
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a topic is left with its last handle and its last reader, and joined again', async (t) => {
  for (const run of runs()) {
    const { sim, node, ear } = await meet(run, ['a', 'b']);
    const b = node('b');
    const second = b.gossip.topic('news', words);
    const heard: string[] = [];
    const subscription = second.subscribe((message) => heard.push(message));
    second.close();
    ear('b').topic.close();
    await t.throwsAsync(second.publish('closed'), { code: 'shutdown' });
    t.throws(() => second.subscribe(() => {}), { code: 'shutdown' });
    void ear('a').topic.publish('still on it');
    await sim.run(500);
    t.deepEqual(heard, ['still on it'], 'readers keep it');
    subscription.close();
    subscription.close();
    await sim.run(500);
    t.deepEqual(eventsOf(b, 'left'), [], 'the reader of the first handle is there');
    t.deepEqual(ear('b').words, ['still on it']);
    t.is(b.gossip.snapshot().topics[0]!.readers.length, 1);
    t.is(b.gossip.snapshot().topics[0]!.handles, 0);
    ear('b').subscription.close();
    t.deepEqual(b.gossip.snapshot().topics, []);
    await sim.until(() => areMet([ear('a')], 0), 3_000);
    t.is(eventsOf(b, 'left').length, 1);
    const again = listen(b);
    await sim.until(() => areMet([ear('a'), again], 1), 3_000);
    void again.topic.publish('in another life');
    void ear('a').topic.publish('welcome');
    await sim.run(500);
    t.deepEqual([ear('a').words, again.words], [['in another life'], ['welcome']], run.name);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('joined, neighbours, left: in this order, with their causes, for each who leaves and comes again', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a', 'b']);
    await sim.until(() => nodes.size === 2 && nodes.get('a')!.peers.list().length === 1, 20_000);
    const [a, b] = [nodes.get('a')!, nodes.get('b')!];
    const one = a.gossip.topic('x', words);
    await sim.run(1_000);
    for (let i = 0; i < 2; i++) {
      const two = b.gossip.topic('x', words);
      await sim.until(() => one.neighbors.length === 1 && two.neighbors.length === 1, 3_000);
      two.close();
      await sim.until(() => one.neighbors.length === 0, 3_000);
    }
    one.close();
    await sim.run(100);
    const told = (node: TestNode) => node.events.map(({ type, ...rest }) => ('cause' in rest ? `${type} ${String(rest.cause)}` : type));
    const round = ['neighborUp', 'neighborDown left'];
    t.deepEqual(told(a), ['joined', ...round, ...round, 'left'], run.name);
    const own = ['joined', 'neighborUp', 'neighborDown closed', 'left'];
    t.deepEqual(told(b), [...own, ...own], run.name);
    t.deepEqual(a.gossip.snapshot().topics, []);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a topic opened again is the same; with another codec, limit or validator it is a TypeError', async (t) => {
  const sim = simulationOf(runs(1)[0]!);
  const nodes = cluster(sim, ['a']);
  await sim.until(() => nodes.size === 1);
  const { gossip } = nodes.get('a')!;
  gossip.topic('x', words, { limit: 100 });
  gossip.topic('x', words);
  t.is(gossip.snapshot().topics[0]!.handles, 2);
  t.throws(() => gossip.topic('x', { ...words }), { instanceOf: TypeError, message: /codec/ });
  t.throws(() => gossip.topic('x', words, { limit: 101 }), { instanceOf: TypeError, message: /limit/ });
  t.throws(() => gossip.topic('x', words, { validate: () => 'accept' }), { instanceOf: TypeError, message: /validate/ });
  t.throws(() => gossip.topic(new Uint8Array(31), words), { instanceOf: TypeError, message: /32 bytes/ });
  t.throws(() => gossip.topic('\ud800', words), { instanceOf: TypeError, message: /surrogate/ });
  t.throws(() => gossip.topic('y', words, { queue: { policy: 'wait' as never } }), { instanceOf: TypeError, message: /queue.policy/ });
  t.throws(() => gossip.topic('y', undefined as never), { instanceOf: TypeError, message: /codec/ });
  await t.throwsAsync(gossip.start(), { code: 'failed_precondition' });
  t.deepEqual(await sim.close(), []);
});

test.serial('a topic may be 32 bytes, and have any name', async (t) => {
  for (const run of runs(1)) {
    const sim = simulationOf(run);
    const names = ['', ' ', 'ü\u0000/#', 'x'.repeat(100_000), new Uint8Array(32).fill(7)];
    const ears = new Map<string, Ear[]>();
    const nodes = cluster(sim, ['a', 'b'], {
      setup: (node) =>
        ears.set(
          node.name,
          names.map((name) => listen(node, name)),
        ),
    });
    await sim.until(() => nodes.size === 2 && [...ears.values()].every((each) => areMet(each, 1)), 20_000);
    ears.get('a')!.forEach(({ topic }, i) => void topic.publish(String(i)));
    await sim.run(500);
    t.deepEqual(
      ears.get('b')!.map((ear) => ear.words),
      names.map((_, i) => [String(i)]),
      run.name,
    );
    t.is(ears.get('b')!.at(-1)!.topic.name, '07'.repeat(32));
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('closing ends loops, fails what waits, and tells the others', async (t) => {
  for (const run of runs()) {
    const { sim, node, ear } = await meet(run, ['a', 'b']);
    const heard: string[] = [];
    const loop = (async () => {
      for await (const { message } of ear('b').topic) heard.push(message);
      return 'over';
    })();
    void ear('a').topic.publish('x');
    await sim.run(500);
    const waiting = ear('b').topic.publish('y', { min: 5 });
    const closing = node('b').gossip.close();
    await t.throwsAsync(sim.settle(waiting), { code: 'shutdown' });
    await sim.settle(closing);
    t.is(await sim.settle(loop), 'over');
    t.deepEqual(heard, ['x'], run.name);
    await sim.until(() => areMet([ear('a')], 0), 3_000);
    t.is(eventsOf(node('a'), 'neighborDown').at(-1)!.cause, 'left');
    t.throws(() => node('b').gossip.topic('z', words), { code: 'shutdown' });
    t.deepEqual(await sim.close(), []);
  }
});
