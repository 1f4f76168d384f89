// Tests of signed messages sent through relays, which pass them on before they have read them.

import { relay } from './driver/relay-driver.ts';
import { topicKey } from './protocol.ts';
import { FORGERIES } from './signatures/signatures.ts';
import { areMet, dropsOf, eventsOf, runs } from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { type Forgery, frame, rawPeer } from './testing/raw-peer.ts';
import { blob, heardOnce, othersThan, relayMesh } from './testing/relay-mesh.ts';
import test from './testing/serial.ts';
import { network } from './testing/signed-network.ts';
import { encodeHead } from './wire/frame.ts';

const OPTIONS = {
  relay: () => ({ above: 10_000, fanout: 2, stall: 2_000 }),
  isSigned: true,
};

test('a relayed long message has its publisher’s signature', async (t) => {
  const mesh = await relayMesh(t.context, 8, OPTIONS);
  const { sim } = mesh;
  const message = blob(200_000);
  await sim.settle(mesh.at('n00').topic.publish(message));
  await sim.run(5_000);
  const others = othersThan(mesh, 'n00');
  heardOnce(t, mesh, others, [message]);
  const metas = others.map((name) => mesh.at(name).heard[0]!.meta);
  t.true(metas.every(({ signed, origin }) => signed && origin === identityOf('n00').nodeId));
  t.true(metas.some(({ from, origin }) => from !== origin));
  for (const name of mesh.names) t.deepEqual(eventsOf(mesh.node(name), 'misbehaved'), []);
}, 1);

test(
  'a message that a relay modified is not delivered, nobody is blamed, and the publisher sends it again directly',
  async (t) => {
    const mesh = await relayMesh(t.context, 8, OPTIONS);
    const { sim } = mesh;
    let changed = 0;
    const remove = sim.intercept(({ from, kind, method, value }) => {
      if (from === 'n00' || kind !== 'item' || method !== 'relay') return 'pass';
      const chunk = (value as Uint8Array).slice();
      chunk[chunk.length - 1]! ^= 1;
      changed++;
      return { mutate: chunk };
    });
    const message = blob(200_000);
    await sim.settle(mesh.at('n00').topic.publish(message));
    await sim.run(30_000);
    remove();
    t.true(changed > 0);
    heardOnce(t, mesh, othersThan(mesh, 'n00'), [message], 'as it was published');
    const drops = mesh.names.flatMap((name) => dropsOf(mesh.node(name)));
    t.true(drops.length > 0 && drops.every((reason) => reason === 'forged'));
    for (const name of mesh.names) t.deepEqual(eventsOf(mesh.node(name), 'misbehaved'), []);
  },
  runs(1, ['message']),
);

test('only a few forgeries from a relay are verified per second; its own messages still arrive', async (t) => {
  const { sim, node, subscriber } = await network(t.context, ['a', 'b'], {
    gossip: { relay: relay(OPTIONS.relay()) },
  });
  const [liar, author] = [identityOf('stranger'), identityOf('author')];
  const guest = await rawPeer(sim, { nodeId: liar.nodeId });
  await sim.until(() => areMet([subscriber('a')], 2), 5_000);
  const { nodeId: origin, publicKey } = author;
  const { hex: topic } = topicKey('news');
  const bring = async (forgery: Forgery, sequence: number) => {
    const bytes = frame({ ...forgery, origin, sequence });
    const id = { origin, epoch: 1, sequence };
    const head = encodeHead({ topic, id, hops: 1, size: bytes.length, rest: [] });
    async function* upload() {
      yield bytes;
    }
    await guest.talk.send(guest.remote, 'relay', head, { upload: upload() }).catch(() => {});
  };
  const signature = { publicKey, bytes: new Uint8Array(64) };
  const from = sim.now;
  for (let i = 0; i < 200; i += 10) {
    const ten = Array.from({ length: 10 }, (_, j) => bring({ signature }, i + j));
    await sim.settle(Promise.all(ten));
  }
  guest.push(frame({ signer: liar }));
  await sim.run(200);
  const { forged, refused } = node('a').gossip.snapshot().topics[0]!.dropped;
  t.is(forged! + refused!, 200);
  t.true(forged! <= FORGERIES * (1 + Math.ceil((sim.now - from) / 1_000)), `${forged}`);
  t.deepEqual(subscriber('a').words, ['said']);
  t.deepEqual(eventsOf(node('a'), 'misbehaved'), []);
  // The true message is still accepted from the same relay, in the next second.
  await sim.run(1_000);
  await sim.settle(bring({ signer: author }, 0));
  t.deepEqual(subscriber('a').words, ['said', 'said']);
}, 1);
