// Tests of signed messages between complete nodes, also over several hops.

import { fullMesh } from './overlay/full-mesh.ts';
import { areMet, blameOf, dropsOf } from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import { network, visit } from './testing/signed-network.ts';

const NAMES = ['a', 'b', 'c'];

test('signed messages arrive at all, some or any nodes, and are marked as signed, with keys of both types', async (t) => {
  const { sim, nodes, subscribers, subscriber, identity } = await network(t.context, NAMES, {
    type: (name) => (name === 'b' ? 'p256' : 'ed25519'),
  });
  const list = [identity('c').nodeId];
  const audiences = { all: {}, any: { any: 2 }, 'all but c': { except: list }, c: { to: list } };
  for (const name of ['a', 'b'])
    for (const [audience, options] of Object.entries(audiences))
      await sim.settle(subscriber(name).topic.publish(`${name} to ${audience}`, options));
  await sim.run(500);
  const received = NAMES.map((name) => subscriber(name).words.toSorted());
  t.deepEqual(received, [
    ['b to all', 'b to all but c', 'b to any'],
    ['a to all', 'a to all but c', 'a to any'],
    ['a to all', 'a to any', 'a to c', 'b to all', 'b to any', 'b to c'],
  ]);
  for (const { heard } of subscribers.values()) t.true(heard.every(({ meta }) => meta.signed));
  for (const node of nodes.values()) t.deepEqual(blameOf(node), []);
});

test('publish() rejects with the error of the signer, and nothing is sent', async (t) => {
  const { nodeId, publicKey, verify } = identityOf('a');
  const sign = () => {
    throw new Error('the token was unplugged');
  };
  const { sim, subscriber } = await network(t.context, ['a', 'b'], {
    signing: (name) =>
      name === 'a' ? { identity: { nodeId, publicKey, sign, verify } } : { verify },
  });
  for (const options of [{}, { any: 1 }])
    await t.throwsAsync(sim.settle(subscriber('a').topic.publish('x', options)), {
      message: 'the token was unplugged',
    });
  await sim.run(200);
  t.deepEqual(subscriber('b').words, []);
}, 1);

test('along the links of a full mesh, a signed message is verified at each node, and a forgery stops at the first', async (t) => {
  const names = ['a', 'b', 'c', 'd'];
  const { sim, subscriber, node, identity } = await network(t.context, names, {
    gossip: { overlay: fullMesh({ hops: 3 }) },
    peers: (name) => ({ persistent: names.slice(names.indexOf(name) - 1, names.indexOf(name)) }),
    neighbors: 1,
  });
  await sim.until(() => areMet(['b', 'c'].map(subscriber), 2), 20_000);
  const guest = await rawPeer(sim, { nodeId: identity('stranger').nodeId });
  await sim.until(() => areMet([subscriber('a')], 2), 5_000);
  const { nodeId: origin, publicKey } = identity('author');
  guest.push(frame({ origin, signature: { publicKey, bytes: new Uint8Array(64) } }));
  await sim.settle(subscriber('a').topic.publish('hello'));
  await sim.run(1_000);
  const heard = names.map((name) =>
    subscriber(name).heard.map(({ message, meta }) => [message, meta.signed, meta.hops]),
  );
  t.deepEqual(heard, [[], [['hello', true, 1]], [['hello', true, 2]], [['hello', true, 3]]]);
  const forged = names.map(
    (name) => dropsOf(node(name)).filter((reason) => reason === 'forged').length,
  );
  t.deepEqual(forged, [1, 0, 0, 0]);
}, 1);

test('a signed message counts as a duplicate until ten minutes after the last message of its publisher', async (t) => {
  t.timeout(60_000);
  const { sim, push, heard, author } = await visit(t.context);
  await push({ signer: author });
  for (const wait of [80_000, 200_000, 300_000]) {
    await sim.run(wait);
    await push({ signer: author });
    t.deepEqual(heard(), [['said'], ['said']], `${wait}`);
  }
  await sim.run(620_000);
  await push({ signer: author });
  t.deepEqual(heard(), Array(2).fill(['said', 'said']));
}, 1);
