// Tests of ready(), of the events of peers, and of listeners and stores that fail.

import { type Transport, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { createPeers } from './peers.ts';
import { bare, failureOf, nothingIsLeft, storeOf } from './testing/bare.ts';
import { boot, cluster, echo, idOf, isLinked, passive } from './testing/cluster.ts';
import { test } from './testing/runs.ts';
import type { PeerEvent } from './types.ts';

test('ready() resolves when enough peers are connected, and otherwise reports how many are', async (t, sim) => {
  const [{ peers }] = await boot(sim, ['a', 'b', 'c'], {
    peers: (name) => (name === 'a' ? { persistent: ['b', 'c', 'd'] } : passive),
  });
  sim.refuse('c');
  await sim.settle(peers.ready(), 5_000);
  t.is(peers.list().length, 1);
  await sim.settle(peers.ready({ peers: 1, timeout: 1 }));
  const began = sim.now;
  const late = await sim.settle(failureOf(peers.ready({ peers: 3, timeout: 7_000 })));
  t.true(late instanceof TransportError);
  t.is(late.code, 'deadline_exceeded');
  t.regex(late.message, /1 of 3 peers/);
  t.is(sim.now - began, 7_000);
  const both = peers.ready({ peers: 2, timeout: 60_000 });
  sim.heal();
  await sim.settle(both);
  t.is(peers.list().length, 2);
});

test('ready() rejects when its signal aborts, even if it aborted before, and when the peers are closed', async (t, sim) => {
  const { peers, transport } = await bare(sim, 'a');
  await peers.start();
  const reason = new Error('enough');
  const early = AbortSignal.abort(reason);
  t.is(await sim.settle(failureOf(peers.ready({ signal: early }))), reason as never);
  const later = new AbortController();
  const waits = failureOf(peers.ready({ signal: later.signal }));
  await sim.run(1_000);
  later.abort(reason);
  t.is(await sim.settle(waits), reason as never);
  const last = failureOf(peers.ready({ timeout: 60_000 }));
  await sim.settle(peers.close());
  t.is((await sim.settle(last)).code, 'shutdown');
  t.is((await sim.settle(failureOf(peers.ready()))).code, 'shutdown');
  await sim.settle(transport.close());
  await nothingIsLeft(t, sim, 'no timer of any of them');
});

test('each reader of events gets all of them at its own pace, from the connected peers to the end', async (t, sim) => {
  const nodes = cluster(sim, ['a', 'b', 'c'], {
    peers: (name) => (name === 'a' ? { maxOutbound: 0, persistent: ['b', 'c'] } : passive),
  });
  await sim.until(() => nodes.get('a')?.peers.list().length === 2);
  const a = nodes.get('a')!;
  const [quick, slow] = [a.peers.events(), a.peers.events()];
  const read = async () => (await sim.settle(quick.next())).value as PeerEvent;
  const first = [await read(), await read()];
  const ids = first.map((event) => event.type === 'up' && event.peer.nodeId);
  t.deepEqual(ids.sort(), [idOf('b'), idOf('c')].sort(), 'the connected peers come first');
  const next = read();
  sim.crash('b');
  t.is((await next).type, 'down');
  await quick.return!();
  t.true((await quick.next()).done, 'a reader that left gets no more events');
  sim.restart('b');
  await sim.until(() => isLinked(a, 'b'), 60_000);
  const pending = a.peers.events();
  for (let i = 0; i < 2; i++) await pending.next();
  const end = pending.next();
  await sim.settle(a.peers.close());
  t.true((await end).done, 'a waiting reader gets the end');
  const heard: string[] = [];
  for await (const { type } of slow) if (type !== 'rejected') heard.push(type);
  t.deepEqual(heard, ['up', 'up', 'down', 'up'], 'the unread events, then the end');
  for await (const { type } of a.peers.events()) t.is(type, 'up');
});

test(
  'a slow reader misses the oldest events and learns how many; other readers miss none',
  async (t, sim) => {
    const { peers, transport } = await bare(sim, 'a', {
      persistent: ['nobody'],
      reconnect: { initialBackoff: 1, maxBackoff: 1, jitter: 0 },
    });
    const lazy = peers.events();
    let heard = 0;
    void (async () => {
      for await (const event of peers.events()) if (event.type === 'rejected') heard++;
    })();
    await peers.start();
    await sim.until(() => heard >= 5_000, 60_000);
    const missed = heard - 4_096;
    t.deepEqual((await lazy.next()).value, { type: 'lagged', missed });
    let rest = 0;
    await sim.settle(peers.close());
    for await (const event of lazy) if (event.type === 'rejected') rest++;
    t.is(rest + missed, heard);
    await sim.settle(transport.close());
  },
  { levels: ['message'], link: { latency: 1 } },
);

test('listening on an address in use fails; once it is free listening succeeds, and peers dial it', async (t, sim) => {
  await boot(sim, ['b'], { peers: { ...passive, persistent: ['a'] } });
  let made: { first: Transport<typeof echo>; second: Transport<typeof echo> } | undefined;
  sim.node('a', ({ transport }) => {
    made = { first: transport(echo), second: transport(echo) };
  });
  await sim.until(() => made !== undefined);
  const { first, second } = made!;
  const peers = createPeers({ transport: second, identity: { nodeId: idOf('a') }, maxOutbound: 0 });
  await sim.settle(first.listen());
  await sim.settle(peers.start());
  t.is((await sim.settle(failureOf(second.listen()))).reason, 'address_in_use');
  t.deepEqual(peers.list(), []);
  await sim.settle(first.close());
  await sim.settle(second.listen());
  await sim.until(() => peers.list().length === 1, 60_000);
  await sim.settle(peers.close());
  await sim.settle(second.close());
});

test('a store that cannot save is reported once, the peers continue, and they save when it works again', async (t, sim) => {
  let broken = true;
  let saved = 0;
  const save = async () => {
    if (broken) throw reasonError('reset', 'the disk is gone');
    saved++;
  };
  const { peers, transport } = await bare(sim, 'a', { addressBook: storeOf({ save }) });
  let warnings = 0;
  void (async () => {
    for await (const event of peers.events()) if (event.type === 'warning') warnings++;
  })();
  await sim.settle(peers.start());
  await sim.run(600_000);
  t.is(warnings, 1);
  broken = false;
  await sim.run(121_000);
  t.is(saved, 1);
  broken = true;
  await sim.run(300_000);
  t.is(warnings, 2);
  broken = false;
  await sim.settle(peers.close());
  t.is(saved, 2);
  await sim.settle(transport.close());
});
