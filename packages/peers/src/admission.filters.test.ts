// Tests of the filters of a user, which refuse peers and requests.

import { defineProtocol, json } from '@trunkline/transport-core';
import test from 'ava';
import * as z from 'zod/mini';
import type { PeerMessageSource } from './options.ts';
import { cluster, idOf, isLinked, passive } from './testing/cluster.ts';
import { rawPeer } from './testing/raw-peer.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

test.serial(
  'a filter by id or by address refuses a peer, whoever dialed, and both ends get an event',
  async (t) => {
    for (const run of runs(2)) {
      for (const [which, side] of [
        ['nodeId', 'in'],
        ['nodeId', 'out'],
        ['address', 'in'],
        ['address', 'out'],
      ] as const) {
        const sim = simulationOf(run);
        const asked: unknown[][] = [];
        const filter = (what: string) => {
          asked.push([which, what]);
          throw new Error('not today');
        };
        const [dialer, target] = side === 'in' ? ['b', 'a'] : ['a', 'b'];
        const nodes = cluster(sim, ['a', 'b'], {
          peers: (name) => ({
            ...passive,
            persistent: name === dialer ? [target] : [],
            ...(name === 'a' ? { filters: { [which]: filter } } : {}),
          }),
        });
        await sim.run(500);
        const label = `${run.name}, ${which} ${side}`;
        const [a, b] = [nodes.get('a')!, nodes.get('b')!];
        const what = which === 'nodeId' ? idOf('b') : side === 'out' ? 'b' : asked[0]?.[1];
        t.deepEqual(asked, [[which, what]], label);
        if (which === 'address' && side === 'in')
          t.regex(String(what), /^b:/, 'the endpoint that the peer comes from');
        for (const node of [a, b]) {
          const told = eventsOf(node, 'rejected');
          const isDialer = node.name === dialer;
          // A dialer that refuses is not yet a peer of the other end, which only sees a hello that
          // failed.
          if (node === b && side === 'out' && told.length === 0) continue;
          t.deepEqual(
            told.map(({ reason, direction }) => [reason, direction]),
            [['filtered', isDialer ? 'out' : 'in']],
            `${label}: at ${node.name}`,
          );
          t.is(told[0]!.error.code, 'permission_denied');
          t.regex(told[0]!.error.message, /not today/);
        }
        t.deepEqual(
          [a.peers.list(), b.peers.list(), a.transport.remotes(), b.transport.remotes()],
          [[], [], [], []],
          label,
        );
        t.deepEqual([eventsOf(a, 'up'), eventsOf(b, 'up')], [[], []], `${label}: it was never up`);
        t.deepEqual(await sim.close(), []);
      }
    }
  },
);

test.serial(
  'a filter that hangs refuses its peer after the filter timeout, and does not delay other peers',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const filters = {
        timeout: 2_000,
        nodeId: (nodeId: string) =>
          nodeId === idOf('b') ? new Promise(() => {}) : Promise.resolve(),
      };
      const nodes = cluster(sim, ['a', 'b', 'c'], {
        peers: (name) =>
          name === 'a' ? { ...passive, filters } : { ...passive, persistent: ['a'] },
      });
      await sim.until(() => isLinked(nodes.get('a'), 'c'), 1_500);
      const a = nodes.get('a')!;
      t.is(eventsOf(a, 'rejected').length, 0);
      await sim.until(() => eventsOf(a, 'rejected').length === 1, 2_500);
      const [told] = eventsOf(a, 'rejected');
      t.deepEqual(
        [told!.reason, told!.nodeId, told!.error.reason],
        ['filtered', idOf('b'), 'refused'],
        run.name,
      );
      t.true(sim.now >= 2_000 && sim.now < 2_200);
      await sim.until(() => eventsOf(nodes.get('b')!, 'rejected').length === 1);
      t.is(eventsOf(nodes.get('b')!, 'rejected')[0]!.reason, 'filtered');
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('by default, a filter that hangs refuses before the dialer times out', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    const filters = { address: () => new Promise(() => {}) };
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) => (name === 'a' ? { ...passive, filters } : { ...passive, persistent: ['a'] }),
    });
    await sim.until(
      () =>
        nodes.size === 2 &&
        [...nodes.values()].every((node) => eventsOf(node, 'rejected').length > 0),
      6_000,
    );
    for (const node of nodes.values())
      t.is(eventsOf(node, 'rejected')[0]!.reason, 'filtered', `${run.name}: at ${node.name}`);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a filter that accepts after the link is gone admits nobody', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    const open: (() => void)[] = [];
    const filters = {
      nodeId: () => new Promise<void>((resolve) => open.push(resolve)),
      timeout: 4_000,
    };
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) =>
        name === 'a' ? { ...passive, filters, maxInbound: 1 } : { ...passive, persistent: ['a'] },
    });
    await sim.until(() => open.length === 1, 1_000);
    sim.crash('b');
    await sim.run(1_000);
    open[0]!();
    await sim.run(1_000);
    const a = nodes.get('a')!;
    t.deepEqual(a.peers.list(), []);
    sim.restart('b');
    await sim.until(() => open.length === 2, 10_000);
    open[1]!();
    await sim.until(() => isLinked(a, 'b'), 5_000);
    t.deepEqual(await sim.close(), [], run.name);
  }
});

test.serial(
  'a message filter sees the bytes of each request before it is decoded; if it refuses, the request is dropped and the link ends',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const seen: { text: string; from: PeerMessageSource }[] = [];
      const filters = {
        message: (bytes: Uint8Array, from: PeerMessageSource) => {
          const text = new TextDecoder().decode(bytes);
          seen.push({ text, from });
          if (text.includes('poison')) throw new Error('no poison here');
        },
      };
      const nodes = cluster(sim, ['a', 'b'], {
        peers: (name) =>
          name === 'a' ? { ...passive, filters } : { ...passive, persistent: ['a'] },
      });
      await sim.until(() => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('b'), 'a'));
      const [a, b] = [nodes.get('a')!, nodes.get('b')!];
      t.is(await sim.settle(b.transport.send(`node:${idOf('a')}`, 'say', 'food')), 'a: food');
      t.is(
        await sim.settle(a.transport.send(`node:${idOf('b')}`, 'say', 'poison')),
        'b: poison',
        'answers are not filtered',
      );
      t.deepEqual(
        seen.map(({ text, from }) => [text, from.nodeId, from.protocol, from.method]),
        [['"food"', idOf('b'), 'echo', 'say']],
        'encoded, and only messages of others',
      );
      t.is(seen[0]!.from.remote, a.peers.get(idOf('b'))!.remote);
      const before = a.peers.get(idOf('b'))!.score;
      t.true(b.transport.trySend(`node:${idOf('a')}`, 'hint', 'poison'));
      t.true(b.transport.trySend(`node:${idOf('a')}`, 'hint', 'after'));
      await sim.until(
        () => eventsOf(a, 'down').length === 1 && eventsOf(b, 'down').length === 1,
        1_000,
      );
      for (const node of [a, b]) {
        const { cause } = eventsOf(node, 'down')[0]!;
        t.deepEqual([cause.code, cause.reason], ['permission_denied', 'refused'], run.name);
        t.regex(cause.message, /no poison here/);
      }
      await sim.until(() => isLinked(a, 'b'), 20_000);
      t.true(a.peers.get(idOf('b'))!.score < before, 'and the refusal is recorded');
      await sim.run(5_000);
      t.false(a.hints.includes('poison'));
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a message filter runs before bytes that no codec can decode are decoded, and not for nodes that are not peers',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const seen: Uint8Array[] = [];
      const filters = { message: (bytes: Uint8Array) => void seen.push(bytes) };
      const nodes = cluster(sim, ['a'], { peers: () => ({ ...passive, filters }) });
      const loose = defineProtocol({
        name: 'echo',
        version: 1,
        channel: 0x20,
        methods: { say: { id: 1, request: json(z.any()), response: json(z.any()) } },
      });
      await sim.until(() => nodes.size === 1);
      const peer = rawPeer(sim, 'peer');
      const wild = peer.transport as unknown as {
        send(target: string, method: 'say', request: string): Promise<unknown>;
      };
      await sim.settle(wild.send('a', 'say', 'fine'));
      t.is(seen.length, 1);
      const client = sim.client(loose);
      await t.throwsAsync(sim.settle(client.send('a', 'say', { no: 'string' })), {
        code: 'invalid_argument',
      } as never);
      t.is(seen.length, 1, `${run.name}: a client is not a peer`);
      t.deepEqual(await sim.close(), []);
    }
  },
);
