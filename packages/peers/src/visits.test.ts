// Tests of visits: a full node sends addresses to newcomers, without making them peers.

import type { Simulation } from '@trunkline/simulation';
import { bytes } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import { encodeList } from './exchange/address-list.ts';
import type { PeersOptions } from './options.ts';
import { peersProtocol, VISIT } from './protocol.ts';
import { failureOf } from './testing/bare.ts';
import { boot, connected, hub, idOf, isLinked, passive } from './testing/cluster.ts';
import { countReceived, entriesTold, entry, pose, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

/** Starts a node that is full because two others are its peers. */
async function full(sim: Simulation, own: Partial<PeersOptions> = {}) {
  const { maxInbound = 2 } = own;
  const [a] = await hub(sim, ['b1', 'b2'], { maxInbound, ...own });
  await sim.until(() => a.peers.list().length === maxInbound);
  return a;
}

test('a newcomer whose only seed is full learns of other nodes at once, and neither becomes a peer of the other', async (t, sim) => {
  const a = await full(sim);
  const [newcomer] = await boot(sim, ['late'], { peers: { seeds: ['a'] } });
  await sim.until(() => isLinked(newcomer, 'b1') && isLinked(newcomer, 'b2'), 1_000);
  await sim.until(() => a.transport.remotes().length === 2, 1_000);
  await sim.run(20_000);
  for (const [node, other, expected, origin] of [
    [a, 'late', 'full in', 'local'],
    [newcomer, 'a', 'full out', 'remote'],
  ] as const) {
    t.deepEqual(connected(node, ['a', 'b1', 'b2', 'late']), ['b1', 'b2']);
    t.false(eventsOf(node, 'up').some(({ peer }) => peer.nodeId === idOf(other)));
    t.deepEqual(rejections(node), [expected]);
    const { error } = eventsOf(node, 'rejected')[0]!;
    t.deepEqual([error.reason, error.origin], ['full', origin]);
  }
});

test('a visitor is answered once and disconnected in order; for the next ten seconds it is refused', async (t, sim) => {
  const a = await full(sim);
  const guest = rawPeer(sim, 'guest');
  const visit = async () => {
    const remote = await sim.settle(guest.transport.dial('a'));
    for (let i = 0; i < 3; i++) guest.ask(remote);
    await sim.until(() => remote.closed, 2_000);
  };
  await visit();
  t.is(countReceived(guest, 'addresses'), 1);
  t.deepEqual([guest.downs[0]!.code, guest.downs[0]!.reason], ['unavailable', 'disconnected']);
  const told = entriesTold(guest).map(({ address }) => address);
  t.deepEqual(told.sort(), ['b1', 'b2']);
  t.is((await failureOf(sim.settle(guest.transport.dial('a')))).reason, 'full');
  await sim.run(10_000);
  await visit();
  t.is(countReceived(guest, 'addresses'), 2);
  t.is(eventsOf(a, 'up').length, 2, 'it was never a peer');
});

test('a visitor that requests nothing is disconnected after three seconds', async (t, sim) => {
  await full(sim);
  const guest = rawPeer(sim, 'guest');
  const since = sim.now;
  await sim.settle(guest.transport.dial('a'));
  await sim.until(() => guest.downs.length === 1, 5_000);
  t.is(guest.downs[0]!.reason, 'disconnected');
  t.true(sim.now - since >= 3_000 && sim.now - since < 3_500, String(sim.now - since));
});

const notYou = (nodeId: string) => {
  if (nodeId === idOf('guest')) throw new Error('not you');
};
for (const [what, own, reason] of [
  ['that shares no addresses', { exchange: { enabled: false } }, 'full'],
  ['that takes no inbound peers', { maxInbound: 0 }, 'full'],
  ['whose filter rejects the visitor', { filters: { nodeId: notYou } }, 'refused'],
] as const)
  test(`a full node ${what} refuses at once`, async (t, sim) => {
    await full(sim, own);
    const guest = rawPeer(sim, 'guest');
    t.is((await failureOf(sim.settle(guest.transport.dial('a')))).reason, reason);
  });

test('a host that answers with garbage, or repeatedly, does a visitor no harm', async (t, sim) => {
  const none = defineProjectProtocol({
    name: 'none',
    version: 1,
    channel: 0x0f,
    methods: { no: { id: 1, request: bytes } },
  });
  const host = sim.client(none, { name: 'host' });
  pose(host, idOf('host'), {
    admit: (pendingConnection) => {
      pendingConnection.answer = [VISIT];
    },
  });
  const words = host.mount(peersProtocol);
  void (async () => {
    for await (const rpc of words.consumer()) {
      if (rpc.method !== 'request') continue;
      const junk = Array.from({ length: 300 }, (_, i) =>
        i % 2 === 0 ? i : { nodeId: 'x', address: 7 },
      );
      words.trySend(rpc.from, 'addresses', encodeList([entry('b'), ...junk, entry('c')]));
      for (let i = 0; i < 10; i++)
        words.trySend(rpc.from, 'addresses', encodeList([entry(`more${i}`)]));
    }
  })();
  await sim.settle(host.listen());
  const [late] = await boot(sim, ['late', 'b'], {
    peers: (name) => (name === 'late' ? { seeds: ['host'] } : passive),
  });
  await sim.until(() => isLinked(late, 'b'), 5_000);
  t.is(late.peers.snapshot().book.size, 1, 'the first answer, with 250 of its entries');
  t.false(isLinked(late, 'host'));
  await sim.until(() => late.transport.remotes().length === 1, 10_000);
});
