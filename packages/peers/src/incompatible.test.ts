// Tests of nodes that speak another version of the transport's protocol, or lack a required one:
// they take no peer's place.

import type { Simulation } from '@trunkline/simulation';
import { bytes, defineProtocol, type Protocol, type Transport } from '@trunkline/transport-core';
import type { PeersOptions } from './options.ts';
import { createPeers, type Peers } from './peers.ts';
import { idOf } from './testing/cluster.ts';
import { rejections, test } from './testing/runs.ts';
import type { PeerEvent } from './types.ts';

const protocol = (name: string, version: number, channel: number, accepts: number[] = []) =>
  defineProtocol({
    name,
    version,
    accepts,
    channel,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
const [v1, v2, both] = [
  protocol('shop', 1, 0x20),
  protocol('shop', 2, 0x20),
  protocol('shop', 2, 0x20, [1]),
];
const moved = protocol('shop', 1, 0x22);
const other = protocol('other', 1, 0x21);

interface Member {
  readonly transport: Transport<Protocol>;
  readonly peers: Peers;
  readonly events: PeerEvent[];
}

/** Declares a node; returns it once it is up. */
function member(
  sim: Simulation,
  name: string,
  spoken: Protocol,
  options: Partial<PeersOptions> = {},
): () => Member {
  let up: Member | undefined;
  sim.node(name, async ({ transport: make }) => {
    const transport = make(spoken) as Transport<Protocol>;
    const peers = createPeers({
      transport,
      identity: { nodeId: idOf(name) },
      maxOutbound: 0,
      ...options,
    });
    const events: PeerEvent[] = [];
    up = { transport, peers, events };
    void (async () => {
      for await (const event of peers.events()) events.push(event);
    })();
    await transport.listen();
    await peers.start();
    return async () => {
      await peers.close();
      await transport.close();
    };
  });
  return () => up!;
}

const has = ({ peers }: Member, name: string) => peers.get(idOf(name)) !== undefined;

test('a node without a common version of the protocol is rejected by both ends and takes no place', async (t, sim) => {
  const persistent = ['a'];
  const a = member(sim, 'a', v1, { maxInbound: 2 });
  const strangers = [
    member(sim, 'newer', v2, { persistent }),
    member(sim, 'channel', moved, { persistent }),
  ];
  await sim.run(5_000);
  const friends = [
    member(sim, 'same', v1, { persistent }),
    member(sim, 'both', both, { persistent }),
  ];
  await sim.run(5_000);
  t.deepEqual(
    a()
      .peers.list()
      .map(({ nodeId }) => nodeId)
      .sort(),
    ['same', 'both'].map(idOf).sort(),
  );
  t.true(friends.every((friend) => has(friend(), 'a')));
  for (const stranger of strangers) {
    t.deepEqual(stranger().peers.list(), []);
    t.deepEqual(rejections(stranger()), ['incompatible out']);
  }
  const [first] = a().events.flatMap((event) =>
    event.type === 'rejected' && event.nodeId === idOf('newer') ? [event] : [],
  );
  t.deepEqual(
    [first!.error.code, first!.error.reason],
    ['failed_precondition', 'version_mismatch'],
  );
  t.regex(first!.error.message, /'shop': one end speaks version 1, the other 2; they share none/);
  t.deepEqual(rejections(a()), ['incompatible in']);
  t.is(a().transport.remotes().length, 2);
});

test('a protocol that only one end has is no reason, unless it is required', async (t, sim) => {
  const a = member(sim, 'a', v1);
  const strict = member(sim, 'strict', v1, { require: [v1] });
  const b = member(sim, 'b', other, { persistent: ['a', 'strict'] });
  await sim.run(5_000);
  t.true(has(a(), 'b') && has(b(), 'a'));
  t.false(has(b(), 'strict'));
  t.deepEqual(rejections(strict()), ['incompatible in']);
  t.deepEqual(rejections(b()), ['incompatible out']);
  const [event] = b().events.flatMap((one) => (one.type === 'rejected' ? [one] : []));
  t.regex(event!.error.message, /'shop'.*require/);
  t.deepEqual([event!.error.code, event!.error.reason], ['failed_precondition', 'refused']);
  strict().peers.add('a');
  await sim.run(1_000);
  t.true(has(strict(), 'a'));
});

test('a peer that unmounts a required protocol is disconnected until it is back', async (t, sim) => {
  const a = member(sim, 'a', v1, { require: [other] });
  const b = member(sim, 'b', v1, { persistent: ['a'] });
  await sim.run(1_000);
  t.false(has(a(), 'b'));
  const mount = b().peers.transport(other);
  await sim.until(() => has(a(), 'b'), 60_000);
  await sim.settle(mount.close());
  await sim.until(() => !has(a(), 'b') && !has(b(), 'a'), 1_000);
  const down = a().events.findLast((event) => event.type === 'down');
  t.is(down?.type === 'down' && down.cause.reason, 'no_shared_protocol');
  b().peers.transport(other);
  await sim.until(() => has(a(), 'b') && has(b(), 'a'), 120_000);
});

test('a list of required protocols that is none is a TypeError', async (t, sim) => {
  const transport = sim.client(v1, { name: 'a' });
  for (const require of ['shop', ['shop'], [{ ...v1 }]])
    t.throws(() => createPeers({ transport, require: require as never }), {
      instanceOf: TypeError,
      message: /^createPeers: require: must be a list of protocols made by defineProtocol/,
    });
});
