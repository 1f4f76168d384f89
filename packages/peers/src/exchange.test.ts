// Tests of peer exchange between nodes: the treatment of nodes that ask too often, send bad lists
// or report bad addresses, and the addresses that are sent.

import { bytes, TransportError } from '@trunkline/transport-core';
import { defineProjectProtocol, manage } from '@trunkline/transport-core/internal';
import test from 'ava';
import { peersProtocol } from './protocol.ts';
import { cluster, connected, idOf, isLinked, passive } from './testing/cluster.ts';
import { countReceived, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

const entry = (name: string, address = name) => ({ nodeId: idOf(name), address });
const NOTHING = new Uint8Array();

test.serial(
  'a third request that comes too early ends the link; requests at the configured interval never do',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a'], { peers: () => passive });
      await sim.until(() => nodes.size === 1);
      const a = nodes.get('a')!;
      const guest = rawPeer(sim, 'guest');
      let remote = await sim.settle(guest.transport.dial('a'));
      for (let i = 0; i < 2; i++) guest.words.trySend(remote, 'request', NOTHING);
      for (let i = 0; i < 10; i++) {
        await sim.run(10_500);
        guest.words.trySend(remote, 'request', NOTHING);
      }
      await sim.run(1_000);
      t.is(countReceived(guest, 'addresses'), 12, `${run.name}: all are answered`);
      const before = a.peers.get(guest.nodeId)!.score;
      guest.words.trySend(remote, 'request', NOTHING);
      await sim.until(() => guest.downs.length === 1 && !isLinked(a, 'guest'), 2_000);
      t.is(countReceived(guest, 'addresses'), 12);
      t.is(eventsOf(a, 'down')[0]!.cause.reason, 'flood');
      t.is(guest.downs[0]!.reason, 'flood');
      remote = await sim.settle(guest.transport.dial('a'));
      await sim.until(() => isLinked(a, 'guest'));
      t.true(
        a.peers.get(guest.nodeId)!.score < before - 10,
        'it may reconnect, with a lower score',
      );
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'an address list that was not requested ends the link, is discarded, and bans its sender',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a'], { peers: () => passive });
      await sim.until(() => nodes.size === 1);
      const a = nodes.get('a')!;
      const evil = rawPeer(sim, 'evil', { answer: () => [entry('w')] });
      await sim.settle(evil.transport.listen());
      const remote = await sim.settle(evil.transport.dial('a'));
      await sim.run(5_000);
      t.deepEqual(
        [countReceived(evil, 'request'), a.peers.snapshot().book.size],
        [1, 2],
        'it was asked once, and answered',
      );
      evil.words.trySend(remote, 'addresses', { addresses: [entry('x'), entry('y')] });
      await sim.until(() => evil.downs.length === 1 && !isLinked(a, 'evil'), 2_000);
      t.is(evil.downs[0]!.reason, 'flood');
      t.is(a.peers.snapshot().book.size, 1, `${run.name}: its own address is removed, too`);
      await sim.run(3_600_000);
      const error = (await t.throwsAsync(sim.settle(evil.transport.dial('a')))) as {
        reason?: string;
      };
      t.is(error.reason, 'denied');
      const friend = rawPeer(sim, 'friend');
      await t.notThrowsAsync(sim.settle(friend.transport.dial('a')));
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a list is decoded only if it was requested: unrequested garbage counts as unrequested, requested garbage as a bad answer',
  async (t) => {
    const raw = defineProjectProtocol({
      name: peersProtocol.name,
      version: 1,
      channel: peersProtocol.channel,
      methods: { request: { id: 1, request: bytes }, addresses: { id: 2, request: bytes } },
    });
    for (const run of runs(1)) {
      for (const [isAsked, length] of [
        [false, 0],
        [false, 100_000],
        [true, 100_000],
      ] as const) {
        const sim = simulationOf(run);
        const nodes = cluster(sim, ['a'], { peers: () => passive });
        await sim.until(() => nodes.size === 1);
        const a = nodes.get('a')!;
        const transport = sim.client(raw, { name: 'evil' });
        const downs: TransportError[] = [];
        manage(transport, {
          nodeId: idOf('evil'),
          admit() {},
          up() {},
          down: (_, cause) => void downs.push(cause),
          links: () => [],
          reach: () => Promise.reject(new TransportError('unavailable', 'nobody is known here')),
          closed() {},
        });
        let asked = 0;
        void (async () => {
          for await (const rpc of transport.consumer()) if (rpc.method === 'request') asked++;
        })();
        const remote = await sim.settle(transport.dial('a'));
        await sim.until(() => asked === 1, 120_000);
        const say = () => transport.trySend(remote, 'addresses', new Uint8Array(length).fill(0xff));
        if (!isAsked) {
          // The requested list, well-formed.
          transport.trySend(remote, 'addresses', new TextEncoder().encode('{"addresses":[]}'));
          await sim.run(5_000);
        }
        const before = a.peers.get(idOf('evil'))!.score;
        say();
        await sim.run(1_000);
        const name = `${run.name}, ${isAsked}, ${length}`;
        if (isAsked) t.true(a.peers.get(idOf('evil'))!.score < before, name);
        else t.deepEqual([downs[0]?.reason, a.peers.get(idOf('evil'))], ['flood', undefined], name);
        await sim.close();
      }
    }
  },
);

test.serial(
  'if links deliver messages twice, peers that exchange addresses are not accused of abuse',
  async (t) => {
    for (const run of runs(3, ['message'])) {
      const sim = simulationOf(run, { link: { latency: [1, 20], duplicate: 0.5 } });
      const names = ['a', 'b', 'c', 'd'];
      const nodes = cluster(sim, names, {
        peers: (name) => ({
          persistent: name === 'a' ? [] : ['a'],
          exchange: { interval: 10_000 },
        }),
      });
      await sim.until(
        () =>
          nodes.size === 4 &&
          names.every((name) => connected(nodes.get(name)!, names).length === 3),
        30_000,
      );
      await sim.run(120_000);
      for (const node of nodes.values()) {
        t.is(connected(node, names).length, 3, run.name);
        t.deepEqual(
          eventsOf(node, 'rejected').filter(({ reason }) => reason === 'denied'),
          [],
          `${run.name}, ${node.name}: nobody is banned`,
        );
      }
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'of a list of twenty thousand entries, mostly garbage, the good ones are kept, and the rest has no cost',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const garbage: unknown[] = [
        null,
        7,
        'x',
        [],
        {},
        { nodeId: idOf('g') },
        { nodeId: 'short', address: 'g' },
        { nodeId: idOf('g1'), address: 7 },
        entry('g2', ''),
        entry('g3', '0.0.0.0:80'),
        entry('g4', '1.2.3.4:0'),
        entry('g5', '1.2.3.4:99999'),
        entry('g6', `${idOf('x')}@x`),
        entry('g7', 'y'.repeat(10_000)),
        entry('g8', '169.254.169.254:80'),
        entry('g9', '224.0.0.1:80'),
        entry('g10', 'a\nb'),
        entry('b'),
        entry('b'),
        { nodeId: idOf('b'), address: 'other' },
        { nodeId: idOf('c'), address: 'c', extra: 1 },
      ];
      const list = [...garbage, ...Array.from({ length: 18_000 - garbage.length }, (_, i) => i)];
      const teller = rawPeer(sim, 'teller', { answer: () => list });
      await sim.settle(teller.transport.listen());
      const nodes = cluster(sim, ['a', 'b', 'c'], {
        peers: (name) => (name === 'a' ? { seeds: ['teller'] } : passive),
      });
      await sim.until(() => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('a'), 'c'), 10_000);
      const a = nodes.get('a')!;
      t.true(isLinked(a, 'teller'), `${run.name}: it may be a newer version`);
      t.is(a.peers.snapshot().book.size, 3, 'the seed, b and c');
      t.deepEqual(eventsOf(a, 'warning'), []);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'private ids are sent to nobody, even if the book had them before they became private',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const privateIds = [idOf('secret')];
      let isPrivate = false;
      const names = ['a', 'open', 'secret'];
      const nodes = cluster(sim, names, {
        peers: (name) =>
          name === 'a'
            ? { privateIds: isPrivate ? privateIds : [], persistent: ['secret', 'open'] }
            : passive,
      });
      const isComplete = () =>
        isLinked(nodes.get('a'), 'secret') && isLinked(nodes.get('a'), 'open');
      const spy = rawPeer(sim, 'spy');
      const told = async () => {
        await sim.until(isComplete, 20_000);
        const from = spy.heard.length;
        const remote = await sim.settle(spy.transport.dial('a'));
        for (let i = 0; i < 20; i++) {
          spy.words.trySend(remote, 'request', NOTHING);
          await sim.run(11_000);
        }
        return JSON.stringify(spy.heard.slice(from).map(({ request }) => request));
      };
      t.true((await told()).includes(idOf('secret')), run.name);
      await sim.settle(nodes.get('a')!.peers.close());
      nodes.delete('a');
      sim.crash('a');
      isPrivate = true;
      sim.restart('a');
      const text = await told();
      t.true(text.includes(idOf('open')), run.name);
      t.false(text.includes(idOf('secret')) || text.includes('"secret"'));
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a hundred thousand ports of one victim are dialed at a bounded rate, and more rarely still in public mode',
  async (t) => {
    for (const mode of ['any', 'public'] as const) {
      const sim = simulationOf({ seed: 5, level: 'message', name: '' });
      let dials = 0;
      let atOnce = 0;
      let most = 0;
      const resolve = async (target: string) => {
        if (!target.startsWith('9.9.9.9')) return target;
        dials++;
        most = Math.max(most, ++atOnce);
        await clock().sleep(50);
        atOnce--;
        return 'nobody';
      };
      let port = 0;
      const ghosts = () =>
        Array.from({ length: 250 }, () =>
          entry(`ghost ${++port}`, `9.9.9.9:${1 + (port % 65_535)}`),
        );
      const falseReporter = rawPeer(sim, 'liar', { answer: ghosts });
      await sim.settle(falseReporter.transport.listen());
      const nodes = cluster(sim, ['a'], {
        transport: { resolve },
        peers: () => ({ persistent: ['liar'], addresses: mode }),
      });
      const clock = () => nodes.get('a')!.transport.clock;
      await sim.run(600_000);
      t.true(port >= 250, 'it was asked');
      t.true(dials > 0);
      if (mode === 'any')
        t.true(dials <= 20 * 601 && most <= 10, `${dials} dials, ${most} at once`);
      else t.true(dials <= 300 && most === 1, `${dials} dials, ${most} at once`);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a node that uses the channel of peers for another protocol is a client, gets no addresses, and does no harm',
  async (t) => {
    for (const run of runs(1)) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a', 'b'], { peers: () => ({ persistent: ['b'] }) });
      const channel = peersProtocol.channel;
      const other = defineProjectProtocol({
        name: 'other',
        version: 1,
        channel,
        methods: { say: { id: 1, request: bytes } },
      });
      const transport = sim.client(other, { name: 'other' });
      manage(transport, {
        nodeId: idOf('other'),
        admit() {},
        up() {},
        down() {},
        links: () => [],
        reach: () => Promise.reject(new TransportError('unavailable', 'nobody is known here')),
        closed() {},
      });
      await sim.until(() => isLinked(nodes.get('a'), 'b'), 10_000);
      await t.throwsAsync(
        sim.settle(transport.dial('a')),
        { message: /channel 1 is 'other'/ },
        run.name,
      );
      const a = nodes.get('a')!;
      await sim.until(() => a.transport.remotes().length === 2, 1_000);
      await sim.run(120_000);
      t.deepEqual([isLinked(a, 'b'), isLinked(a, 'other')], [true, false], run.name);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a connected node is not sent to others while it is banned, and is again after the ban ends',
  async (t) => {
    const sim = simulationOf({ seed: 2, level: 'message', name: '' });
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) => (name === 'a' ? { persistent: ['b'] } : passive),
    });
    await sim.until(() => isLinked(nodes.get('a'), 'b'));
    const a = nodes.get('a')!;
    const spy = rawPeer(sim, 'spy');
    const remote = await sim.settle(spy.transport.dial('a'));
    const told = async () => {
      spy.words.trySend(remote, 'request', NOTHING);
      await sim.run(11_000);
      return JSON.stringify(spy.heard.at(-1)!.request).includes(idOf('b'));
    };
    t.true(await told());
    a.peers.setTopology([]);
    nodes.get('b')!.peers.add('a');
    await sim.run(2_000);
    t.true(await told());
    a.peers.ban(idOf('b'), 60_000);
    t.false(await told());
    await sim.run(60_000);
    t.true(await told());
    t.deepEqual(await sim.close(), []);
  },
);
