// Tests of nodes that speak another version of the transport's protocol, or lack a required one:
// they take no peer's place.

import type { Simulation } from '@trunkline/simulation';
import { bytes, defineProtocol, type Protocol } from '@trunkline/transport-core';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { boot, connected, idOf, isLinked, passive } from './testing/cluster.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

const protocol = (name: string, version: number, channel: number, accepts: number[] = []) =>
  defineProtocol({
    name,
    version,
    accepts,
    channel,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
const [v1, v2] = [protocol('shop', 1, 0x20), protocol('shop', 2, 0x20)];
const both = protocol('shop', 2, 0x20, [1]);
const moved = protocol('shop', 1, 0x22);
const other = protocol('other', 1, 0x21);

/** Starts a node. */
async function member(
  sim: Simulation,
  name: string,
  protocol: Protocol,
  options: Partial<PeersOptions> = {},
) {
  const [node] = await boot(sim, [name], { protocol, peers: { ...passive, ...options } });
  return node;
}

test('a node without a common version of the protocol is rejected by both ends and takes no place', async (t, sim) => {
  const persistent = ['a'];
  const a = await member(sim, 'a', v1, { maxInbound: 2 });
  const newer = await member(sim, 'newer', v2, { persistent });
  const channel = await member(sim, 'channel', moved, { persistent });
  await sim.run(5_000);
  for (const [name, spoken] of Object.entries({ same: v1, both })) {
    const friend = await member(sim, name, spoken, { persistent });
    await sim.until(() => isLinked(friend, 'a') && isLinked(a, name), 5_000);
  }
  t.deepEqual(connected(a, ['same', 'both']), ['both', 'same']);
  for (const stranger of [newer, channel]) {
    t.deepEqual(stranger.peers.list(), []);
    t.deepEqual(rejections(stranger), ['incompatible out']);
  }
  const { error } = eventsOf(a, 'rejected').find(({ nodeId }) => nodeId === idOf('newer'))!;
  t.deepEqual([error.code, error.reason], ['failed_precondition', 'version_mismatch']);
  t.regex(error.message, /'shop': one end speaks version 1, the other 2; they share none/);
  t.deepEqual(rejections(a), ['incompatible in']);
  t.is(a.transport.remotes().length, 2);
});

test('a protocol that only one end has is no reason, unless it is required', async (t, sim) => {
  const a = await member(sim, 'a', v1);
  const strict = await member(sim, 'strict', v1, { require: [v1] });
  const b = await member(sim, 'b', other, { persistent: ['a', 'strict'] });
  await sim.run(5_000);
  t.deepEqual([isLinked(a, 'b'), isLinked(b, 'a'), isLinked(b, 'strict')], [true, true, false]);
  t.deepEqual([rejections(strict), rejections(b)], [['incompatible in'], ['incompatible out']]);
  const { error } = eventsOf(b, 'rejected')[0]!;
  t.regex(error.message, /'shop'.*require/);
  t.deepEqual([error.code, error.reason], ['failed_precondition', 'refused']);
  strict.peers.add('a');
  await sim.until(() => isLinked(strict, 'a'), 1_000);
});

test('a peer that unmounts a required protocol is disconnected until it is back', async (t, sim) => {
  const a = await member(sim, 'a', v1, { require: [other] });
  const b = await member(sim, 'b', v1, { persistent: ['a'] });
  await sim.run(1_000);
  t.false(isLinked(a, 'b'));
  const mount = b.peers.transport(other);
  await sim.until(() => isLinked(a, 'b'), 60_000);
  await sim.settle(mount.close());
  await sim.until(() => !isLinked(a, 'b') && !isLinked(b, 'a'), 1_000);
  t.is(eventsOf(a, 'down').at(-1)!.cause.reason, 'no_shared_protocol');
  b.peers.transport(other);
  await sim.until(() => isLinked(a, 'b') && isLinked(b, 'a'), 120_000);
});

test('a list of required protocols that is none is a TypeError', async (t, sim) => {
  const transport = sim.client(v1, { name: 'a' });
  for (const require of ['shop', ['shop'], [{ ...v1 }]])
    t.throws(() => createPeers({ transport, require: require as never }), {
      instanceOf: TypeError,
      message: /^createPeers: require: must be a list of protocols made by defineProtocol/,
    });
});
