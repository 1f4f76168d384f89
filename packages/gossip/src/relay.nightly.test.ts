// Tests of long messages sent through relays: which nodes get them, and how much each node sends
// for that.

import { eventsOf, idOf } from './testing/cluster.ts';
import {
  blob,
  heardOnce,
  NOTHING,
  othersThan,
  RELAYING,
  relayMesh,
  sentBy,
} from './testing/relay-mesh.ts';
import test from './testing/serial.ts';

const MIB = 1024 * 1024;
/** The snapshot of a node that relays nothing, and had to repair nothing. */
const IDLE = { own: NOTHING, others: NOTHING, repaired: 0 };

test('each of 40 nodes gets one MiB exactly once, and no node sends more than its fanout of it', async (t) => {
  t.timeout(120_000);
  const mesh = await relayMesh(t.context, 40);
  const { sim, node, names } = mesh;
  const message = blob(MIB);
  const before = names.map((name) => sentBy(node(name)));
  t.deepEqual(await sim.settle(mesh.at('n00').topic.publish(message)), { queued: 39 });
  await sim.run(4_000);
  heardOnce(t, mesh, othersThan(mesh, 'n00'), [message]);
  t.is(mesh.at('n00').heard.length, 0, 'its own');
  const sent = names.map((name, i) => sentBy(node(name)) - before[i]!);
  t.true(sent[0]! > 3 * MIB && sent[0]! < 3.1 * MIB, `the origin sent ${sent[0]}`);
  t.true(Math.max(...sent) < 3.1 * MIB, `${sent.join(' ')}`);
  const metas = othersThan(mesh, 'n00').map((name) => mesh.at(name).heard[0]!.meta);
  t.true(metas.every(({ origin }) => origin === idOf('n00')));
  t.deepEqual([...new Set(metas.map(({ hops }) => hops))].sort(), [1, 2, 3]);
  t.true(metas.every(({ from, hops }) => (from === idOf('n00')) === (hops === 1)));
  for (const name of names) {
    t.deepEqual(node(name).gossip.snapshot().relay, IDLE, name);
    t.deepEqual(eventsOf(node(name), 'misbehaved'), []);
  }
}, 1);

test('relays are used only above the configured size, up to the limit, with recipient lists and without', async (t) => {
  const limit = 200_000;
  const mesh = await relayMesh(t.context, 9, { topic: { limit } });
  const { sim } = mesh;
  const all = othersThan(mesh, 'n00');
  const five = ['n01', 'n02', 'n04', 'n06', 'n08'];
  // As many as the fanout.
  const three = five.slice(0, 3);
  const ids = (...names: readonly string[]) => names.map(idOf);
  for (const [size, options, receivers, isRelayed] of [
    [RELAYING.above, {}, all, false],
    [RELAYING.above + 1, {}, all, true],
    [limit, {}, all, true],
    [50_000, { except: ids('n03', 'n05') }, othersThan(mesh, 'n00', 'n03', 'n05'), true],
    [50_000, { to: ids(...five) }, five, true],
    [50_000, { to: ids(...three) }, three, false],
    [50_000, { to: ids('n00', 'n01') }, ['n01'], false],
  ] as const) {
    const message = blob(size, size);
    const queued = receivers.length;
    t.deepEqual(await sim.settle(mesh.at('n00').topic.publish(message, options)), { queued });
    await sim.run(1_000);
    const got = mesh.names.filter((name) => mesh.at(name).heard.length > 0);
    t.deepEqual(got, receivers);
    heardOnce(t, mesh, got, [message], `${size} bytes`);
    const hops = got.map((name) => mesh.at(name).heard[0]!.meta.hops);
    t.is(hops.includes(2), isRelayed);
    for (const name of mesh.names) mesh.at(name).heard.length = 0;
  }
  const tooLong = mesh.at('n00').topic.publish(blob(limit + 1));
  await t.throwsAsync(tooLong, { code: 'resource_exhausted' });
}, 1);

test('if a relay dies, hangs or is cut off while it forwards a message, the others still get it', async (t) => {
  t.timeout(120_000);
  for (const trouble of ['crash', 'pause', 'cut'] as const) {
    const mesh = await relayMesh(t.context, 14);
    const { sim } = mesh;
    const message = blob(MIB);
    const relays = (name: string) => mesh.node(name).gossip.snapshot().relay!.others.bytes > 0;
    void mesh.at('n00').topic.publish(message);
    await sim.until(() => mesh.names.some(relays), 1_000);
    const victim = mesh.names.find(relays)!;
    if (trouble === 'crash') sim.crash(victim);
    else if (trouble === 'pause') sim.pause(victim, 60_000);
    else for (const name of othersThan(mesh, victim)) sim.cut(victim, name);
    await sim.run(20_000);
    heardOnce(t, mesh, othersThan(mesh, 'n00', victim), [message], `${trouble} of ${victim}`);
    for (const name of othersThan(mesh, victim)) {
      const { own, others } = mesh.node(name).gossip.snapshot().relay!;
      t.deepEqual([own, others], [NOTHING, NOTHING], `${trouble}: ${name}`);
    }
    // A node that has crashed leaves an operation of its store.
    await t.context.simulations.pop()!.close();
  }
});

test('nodes that do not relay get messages directly, and are asked once', async (t) => {
  const off = ['n02', 'n03', 'n05', 'n07'];
  const mesh = await relayMesh(t.context, 10, {
    relay: (name) => (off.includes(name) ? undefined : RELAYING),
  });
  const blobs = [blob(50_000, 1), blob(50_000, 2), blob(50_000, 3)];
  for (const each of blobs) {
    void mesh.at('n00').topic.publish(each);
    await mesh.sim.run(2_000);
  }
  heardOnce(t, mesh, othersThan(mesh, 'n00'), blobs);
  for (const name of off) {
    for (const { meta } of mesh.at(name).heard)
      t.deepEqual([meta.from, meta.hops], [idOf('n00'), 1]);
    t.is(mesh.node(name).gossip.snapshot().relay, undefined);
  }
  t.is(mesh.node('n00').gossip.snapshot().relay!.repaired, 12);
  // A publisher that relays nothing sends to each node directly.
  void mesh.at('n02').topic.publish(blob(50_000, 4));
  await mesh.sim.run(2_000);
  for (const name of othersThan(mesh, 'n02'))
    t.is(mesh.at(name).heard.at(-1)!.meta.from, idOf('n02'), name);
}, 1);

test('with memory for one message at a time, many messages all arrive, directly if there is no room', async (t) => {
  const mesh = await relayMesh(t.context, 10, { relay: () => ({ ...RELAYING, memory: 120_000 }) });
  const blobs = Array.from({ length: 8 }, (_, i) => blob(100_000, i + 1));
  let most = 0;
  mesh.sim.always('no more memory than was said', () => {
    for (const name of mesh.names) {
      const { own, others } = mesh.node(name)?.gossip.snapshot().relay ?? IDLE;
      most = Math.max(most, own.bytes, others.bytes);
    }
    return most <= 120_000;
  });
  for (const [i, each] of blobs.entries()) void mesh.at(`n0${i}`).topic.publish(each);
  await mesh.sim.run(15_000);
  for (const [i, name] of mesh.names.entries()) heardOnce(t, mesh, [name], blobs.toSpliced(i, 1));
  t.true(most > 100_000);
}, 1);
