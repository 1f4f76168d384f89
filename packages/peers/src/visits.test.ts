// Tests of visits: a full node sends addresses to newcomers, without making them peers.

import { bytes, TransportError } from '@trunkline/transport-core';
import { defineProjectProtocol, manage } from '@trunkline/transport-core/internal';
import test from 'ava';
import type { PeersOptions } from './options.ts';
import { peersProtocol, VISIT } from './protocol.ts';
import { cluster, connected, idOf, isLinked, passive } from './testing/cluster.ts';
import { countReceived, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

const entry = (name: string) => ({ nodeId: idOf(name), address: name });
const NOTHING = new Uint8Array();
/** Options by node name; a is full once b1 and b2 are its peers. */
const full = (name: string): Partial<PeersOptions> =>
  name === 'a' ? { ...passive, maxInbound: 2 } : { ...passive, persistent: ['a'] };

test.serial(
  'a newcomer whose only seed is full learns of other nodes at once, and neither becomes a peer of the other',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a', 'b1', 'b2'], { peers: full });
      await sim.until(() => nodes.get('a')?.peers.list().length === 2);
      const late = cluster(sim, ['late'], { peers: () => ({ seeds: ['a'] }) });
      await sim.until(
        () => isLinked(late.get('late'), 'b1') && isLinked(late.get('late'), 'b2'),
        1_000,
      );
      const [a, newcomer] = [nodes.get('a')!, late.get('late')!];
      await sim.until(() => a.transport.remotes().length === 2, 1_000);
      await sim.run(20_000);
      t.deepEqual(connected(a, ['b1', 'b2', 'late']), ['b1', 'b2'], run.name);
      t.deepEqual(connected(newcomer, ['a', 'b1', 'b2']), ['b1', 'b2']);
      for (const [node, other, direction] of [
        [a, 'late', 'in'],
        [newcomer, 'a', 'out'],
      ] as const) {
        t.false(eventsOf(node, 'up').some(({ peer }) => peer.nodeId === idOf(other)));
        const told = eventsOf(node, 'rejected').filter(
          (event) => event.nodeId === idOf(other) || event.addr === other,
        );
        t.true(
          told.length > 0 &&
            told.every(
              (event) =>
                event.reason === 'full' &&
                event.direction === direction &&
                event.error.reason === 'full',
            ),
        );
        t.is(told[0]!.error.origin, direction === 'out' ? 'remote' : 'local');
      }
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a visitor is answered once and disconnected in order; for the next ten seconds it is refused',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a', 'b1', 'b2'], { peers: full });
      await sim.until(() => nodes.get('a')?.peers.list().length === 2);
      const guest = rawPeer(sim, 'guest');
      const visit = async () => {
        const remote = await sim.settle(guest.transport.dial('a'));
        for (let i = 0; i < 3; i++) guest.words.trySend(remote, 'request', NOTHING);
        await sim.until(() => remote.closed, 2_000);
      };
      await visit();
      t.is(countReceived(guest, 'addresses'), 1, run.name);
      t.deepEqual([guest.downs[0]!.code, guest.downs[0]!.reason], ['unavailable', 'disconnected']);
      const [answer] = guest.heard.filter(({ method }) => method === 'addresses');
      const { addresses } = answer!.request as { addresses: { address: string }[] };
      t.deepEqual(addresses.map(({ address }) => address).sort(), ['b1', 'b2']);
      t.is(
        (await t.throwsAsync(sim.settle(guest.transport.dial('a')), { instanceOf: TransportError }))
          .reason,
        'full',
      );
      await sim.run(10_000);
      await visit();
      t.is(countReceived(guest, 'addresses'), 2);
      t.is(eventsOf(nodes.get('a')!, 'up').length, 2, 'it was never a peer');
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a visitor that requests nothing is disconnected after three seconds', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a', 'b1', 'b2'], { peers: full });
    await sim.until(() => nodes.get('a')?.peers.list().length === 2);
    const guest = rawPeer(sim, 'guest');
    const since = sim.now;
    await sim.settle(guest.transport.dial('a'));
    await sim.until(() => guest.downs.length === 1, 5_000);
    t.is(guest.downs[0]!.reason, 'disconnected', run.name);
    t.true(sim.now - since >= 3_000 && sim.now - since < 3_500, String(sim.now - since));
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a full node that shares no addresses refuses at once, and so does one that takes no inbound peers',
  async (t) => {
    for (const run of runs(1)) {
      for (const options of [{ maxInbound: 2, exchange: { enabled: false } }, { maxInbound: 0 }]) {
        const sim = simulationOf(run);
        const nodes = cluster(sim, ['a', 'b1', 'b2'], {
          peers: (name) => ({ ...full(name), ...(name === 'a' ? options : {}) }),
        });
        await sim.until(() => nodes.get('a')?.peers.list().length === options.maxInbound);
        const guest = rawPeer(sim, 'guest');
        t.is(
          (
            await t.throwsAsync(sim.settle(guest.transport.dial('a')), {
              instanceOf: TransportError,
            })
          ).reason,
          'full',
          run.name,
        );
        t.deepEqual(await sim.close(), []);
      }
    }
  },
);

test.serial('filters apply to visitors, too', async (t) => {
  for (const run of runs(1)) {
    const sim = simulationOf(run);
    const filters = {
      nodeId: (nodeId: string) => {
        if (nodeId === idOf('guest')) throw new Error('not you');
      },
    };
    const nodes = cluster(sim, ['a', 'b1', 'b2'], {
      peers: (name) => ({ ...full(name), ...(name === 'a' ? { filters } : {}) }),
    });
    await sim.until(() => nodes.get('a')?.peers.list().length === 2);
    const guest = rawPeer(sim, 'guest');
    const error = await t.throwsAsync(sim.settle(guest.transport.dial('a')), {
      instanceOf: TransportError,
    });
    t.is(error.reason, 'refused', run.name);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a host that answers with garbage, or repeatedly, does a visitor no harm',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const host = sim.client(
        defineProjectProtocol({
          name: 'none',
          version: 1,
          channel: 0x0f,
          methods: { no: { id: 1, request: bytes } },
        }),
        { name: 'host' },
      );
      manage(host, {
        nodeId: idOf('host'),
        admit: (pendingConnection) => {
          pendingConnection.answer = [VISIT];
        },
        up() {},
        down() {},
        links: () => [],
        reach: () =>
          Promise.reject(new TransportError('unavailable', 'a host knows nobody by an id')),
        closed() {},
      });
      const words = host.mount(peersProtocol);
      void (async () => {
        for await (const rpc of words.consumer()) {
          if (rpc.method !== 'request') continue;
          const junk = Array.from({ length: 300 }, (_, i) =>
            i % 2 === 0 ? i : { nodeId: 'x', address: 7 },
          );
          words.trySend(rpc.from, 'addresses', { addresses: [entry('b'), ...junk, entry('c')] });
          for (let i = 0; i < 10; i++)
            words.trySend(rpc.from, 'addresses', { addresses: [entry(`more${i}`)] });
        }
      })();
      await sim.settle(host.listen());
      const nodes = cluster(sim, ['late', 'b'], {
        peers: (name) => (name === 'late' ? { seeds: ['host'] } : passive),
      });
      await sim.until(() => isLinked(nodes.get('late'), 'b'), 5_000);
      const late = nodes.get('late')!;
      t.is(
        late.peers.snapshot().book.size,
        1,
        `${run.name}: the first answer, with 250 of its entries`,
      );
      t.false(isLinked(late, 'host'));
      await sim.until(() => late.transport.remotes().length === 1, 10_000);
      t.deepEqual(await sim.close(), []);
    }
  },
);
