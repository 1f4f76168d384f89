// Tests of peer exchange between nodes: the treatment of nodes that ask too often, send bad lists
// or report bad addresses, and the addresses that are sent.

import type { Simulation } from '@trunkline/simulation';
import { bytes, type TransportError } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import { peersProtocol } from './protocol.ts';
import { boot, cluster, connected, idOf, isLinked, passive, star } from './testing/cluster.ts';
import { countReceived, entry, pose, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

const alone = (sim: Simulation) => boot(sim, ['a'], { peers: passive });

/** Creates a node that speaks another protocol on the channel of peers. */
function stranger<P extends Parameters<Simulation['client']>[0]>(sim: Simulation, protocol: P) {
  const transport = sim.client(protocol, { name: 'evil' });
  const downs: TransportError[] = [];
  pose(transport, idOf('evil'), { down: (_, cause) => void downs.push(cause) });
  return { transport, downs };
}

test('a third request that comes too early ends the link; requests at the configured interval never do', async (t, sim) => {
  const [a] = await alone(sim);
  const guest = rawPeer(sim, 'guest');
  let remote = await sim.settle(guest.transport.dial('a'));
  const ask = () => guest.ask(remote);
  ask();
  ask();
  for (let i = 0; i < 10; i++) {
    await sim.run(10_500);
    ask();
  }
  await sim.run(1_000);
  t.is(countReceived(guest, 'addresses'), 12, 'all are answered');
  const before = a.peers.get(guest.nodeId)!.score;
  ask();
  await sim.until(() => guest.downs.length === 1 && !isLinked(a, 'guest'), 2_000);
  t.is(countReceived(guest, 'addresses'), 12);
  t.deepEqual([eventsOf(a, 'down')[0]!.cause.reason, guest.downs[0]!.reason], ['flood', 'flood']);
  remote = await sim.settle(guest.transport.dial('a'));
  await sim.until(() => isLinked(a, 'guest'));
  t.true(a.peers.get(guest.nodeId)!.score < before - 10, 'it may reconnect, with a lower score');
});

test('an address list that was not requested ends the link and is discarded, and an id that is only asserted is not banned', async (t, sim) => {
  const [a] = await alone(sim);
  const evil = rawPeer(sim, 'evil', { answer: () => [entry('w')] });
  await sim.settle(evil.transport.listen());
  const remote = await sim.settle(evil.transport.dial('a'));
  await sim.run(5_000);
  const { size } = a.peers.snapshot().book;
  t.deepEqual([countReceived(evil, 'request'), size], [1, 2], 'it was asked once, and answered');
  evil.words.trySend(remote, 'addresses', { addresses: [entry('x'), entry('y')] });
  await sim.until(() => evil.downs.length === 1 && !isLinked(a, 'evil'), 2_000);
  t.is(evil.downs[0]!.reason, 'flood');
  t.is(a.peers.snapshot().book.size, size, 'the list is discarded');
  t.true(a.peers.scoreOf(evil.nodeId) < 100);
  await t.notThrowsAsync(sim.settle(evil.transport.dial('a')));
  await sim.until(() => isLinked(a, 'evil'), 2_000);
});

const raw = defineProjectProtocol({
  name: peersProtocol.name,
  version: 1,
  channel: peersProtocol.channel,
  methods: { request: { id: 1, request: bytes }, addresses: { id: 2, request: bytes } },
});
for (const [isAsked, length] of [
  [false, 0],
  [false, 100_000],
  [true, 100_000],
] as const)
  test(`a list is decoded only if it was requested: unrequested garbage counts as unrequested, requested garbage as a bad answer: ${length} bytes, ${isAsked ? '' : 'not '}requested`, async (t, sim) => {
    const [a] = await alone(sim);
    const { transport, downs } = stranger(sim, raw);
    let asked = 0;
    void (async () => {
      for await (const rpc of transport.consumer()) if (rpc.method === 'request') asked++;
    })();
    const remote = await sim.settle(transport.dial('a'));
    await sim.until(() => asked === 1, 120_000);
    if (!isAsked) {
      // The requested list, well-formed.
      transport.trySend(remote, 'addresses', new TextEncoder().encode('{"addresses":[]}'));
      await sim.run(5_000);
    }
    const before = a.peers.get(idOf('evil'))!.score;
    transport.trySend(remote, 'addresses', new Uint8Array(length).fill(0xff));
    await sim.run(1_000);
    const peer = a.peers.get(idOf('evil'));
    if (isAsked) t.true(peer!.score < before);
    else t.deepEqual([downs[0]?.reason, peer], ['flood', undefined]);
  });

test(
  'if links deliver messages twice, peers that exchange addresses are not accused of abuse',
  async (t, sim) => {
    const names = ['a', 'b', 'c', 'd'];
    const nodes = await boot(sim, names, {
      peers: (name) => ({ persistent: name === 'a' ? [] : ['a'], exchange: { interval: 10_000 } }),
    });
    await sim.until(() => nodes.every((node) => connected(node, names).length === 3), 30_000);
    await sim.run(120_000);
    for (const node of nodes) {
      t.is(connected(node, names).length, 3);
      t.false(rejections(node).join().includes('denied'), `${node.name}: nobody is banned`);
    }
  },
  { levels: ['message'], link: { latency: [1, 20], duplicate: 0.5 } },
);

test('of a list of twenty thousand entries, mostly garbage, the good ones are kept, and the rest has no cost', async (t, sim) => {
  const bad = ['', '0.0.0.0:80', '1.2.3.4:0', '1.2.3.4:99999', `${idOf('x')}@x`, 'a\nb'];
  const garbage: unknown[] = [
    ...[null, 7, 'x', [], {}, { nodeId: idOf('g') }, { nodeId: 'short', address: 'g' }],
    ...[...bad, 'y'.repeat(10_000), '169.254.169.254:80', '224.0.0.1:80', 7].map((address, i) => ({
      nodeId: idOf(`g${i}`),
      address,
    })),
    ...[entry('b'), entry('b'), entry('b', 'other'), { ...entry('c'), extra: 1 }],
  ];
  const list = [...garbage, ...Array.from({ length: 18_000 - garbage.length }, (_, i) => i)];
  const teller = rawPeer(sim, 'teller', { answer: () => list });
  await sim.settle(teller.transport.listen());
  const [a] = await boot(sim, ['a', 'b', 'c'], {
    peers: (name) => (name === 'a' ? { seeds: ['teller'] } : passive),
  });
  await sim.until(() => isLinked(a, 'b') && isLinked(a, 'c'), 10_000);
  t.true(isLinked(a, 'teller'), 'it may be a newer version');
  t.is(a.peers.snapshot().book.size, 3, 'the seed, b and c');
  t.deepEqual(eventsOf(a, 'warning'), []);
});

test('private ids are sent to nobody, even if the book had them before they became private', async (t, sim) => {
  let privateIds: string[] = [];
  const nodes = cluster(sim, ['a', 'open', 'secret'], {
    peers: (name) => (name === 'a' ? { privateIds, persistent: ['secret', 'open'] } : passive),
  });
  const spy = rawPeer(sim, 'spy');
  const told = async () => {
    await sim.until(() => nodes.get('a')?.peers.list().length === 2, 20_000);
    const from = spy.heard.length;
    const remote = await sim.settle(spy.transport.dial('a'));
    for (let i = 0; i < 20; i++) {
      spy.ask(remote);
      await sim.run(11_000);
    }
    return JSON.stringify(spy.heard.slice(from).map(({ request }) => request));
  };
  t.true((await told()).includes(idOf('secret')));
  await sim.settle(nodes.get('a')!.peers.close());
  nodes.delete('a');
  sim.crash('a');
  privateIds = [idOf('secret')];
  sim.restart('a');
  const text = await told();
  t.true(text.includes(idOf('open')));
  t.false(text.includes(idOf('secret')) || text.includes('"secret"'));
});

for (const mode of ['any', 'public'] as const)
  test(`a hundred thousand ports of one victim are dialed at a bounded rate, and more rarely still in public mode: ${mode}`, async (t, sim) => {
    let dials = 0;
    let atOnce = 0;
    let most = 0;
    const resolve = async (target: string) => {
      if (!target.startsWith('9.9.9.9')) return target;
      dials++;
      most = Math.max(most, ++atOnce);
      await nodes.get('a')!.transport.clock.sleep(50);
      atOnce--;
      return 'nobody';
    };
    let port = 0;
    const ghosts = () =>
      Array.from({ length: 250 }, () => entry(`ghost ${++port}`, `9.9.9.9:${1 + (port % 65_535)}`));
    const falseReporter = rawPeer(sim, 'liar', { answer: ghosts });
    await sim.settle(falseReporter.transport.listen());
    const nodes = cluster(sim, ['a'], {
      transport: { resolve },
      peers: { persistent: ['liar'], addresses: mode },
    });
    await sim.run(600_000);
    t.true(port >= 250, 'it was asked');
    const [limit, limitAtOnce] = mode === 'any' ? [20 * 601, 10] : [300, 1];
    t.true(dials > 0 && dials <= limit && most <= limitAtOnce, `${dials} dials, ${most} at once`);
  });

test('a node that uses the channel of peers for another protocol is a client, gets no addresses, and does no harm', async (t, sim) => {
  const [a] = await star(sim, ['b']);
  const other = defineProjectProtocol({
    name: 'other',
    version: 1,
    channel: peersProtocol.channel,
    methods: { say: { id: 1, request: bytes } },
  });
  const { transport } = stranger(sim, other);
  await t.throwsAsync(sim.settle(transport.dial('a')), { message: /channel 1 is 'other'/ });
  await sim.until(() => a.transport.remotes().length === 2, 1_000);
  await sim.run(120_000);
  t.deepEqual([isLinked(a, 'b'), isLinked(a, 'evil')], [true, false]);
});
