// Tests of nodes whose addresses change: while they run, or while they are down; in the second case
// only a node that kept its address can inform the others.

import type { Simulation } from '@trunkline/simulation';
import { seededRandom } from '@trunkline/transport-core/testing';
import type { PeersOptions } from './options.ts';
import type { AddressBookStore } from './store/address-book-store.ts';
import { cluster, connected, idOf, passive, star, type TestNode } from './testing/cluster.ts';
import { prefilled } from './testing/prefilled.ts';
import { entry, rawPeer, toldAddresses } from './testing/raw-peer.ts';
import { test } from './testing/runs.ts';

/** Returns a node's id, regardless of its address: 'b2' is b's new address. */
const nodeOf = (name: string) => idOf(name[0]!);
const isLinked = (node: TestNode | undefined, name: string) =>
  node?.peers.get(nodeOf(name)) !== undefined;

/** Creates a book that has reached some nodes at their first addresses. */
const bookOf = (...names: string[]) => prefilled(names, seededRandom(7));

/** Starts nodes at their current addresses, each with the book from its former address. */
function nodesAt(
  sim: Simulation,
  names: readonly string[],
  books: Readonly<Record<string, AddressBookStore>>,
  given: (name: string) => Partial<PeersOptions>,
) {
  return cluster(sim, names, {
    peers: (name) => {
      const identity = { nodeId: nodeOf(name) };
      return { identity, addressBook: books[name[0]!]!, ...given(name) };
    },
    durable: false,
  });
}

const ways: Record<string, (name: string) => Partial<PeersOptions>> = {
  'from the book': () => ({}),
  'as persistent peers, that are listed where they were': (name) => {
    const others = ['a', 'b', 'c'].filter((other) => other !== name[0]);
    return { persistent: others.map((other) => `${idOf(other)}@${other}`), maxOutbound: 0 };
  },
};

test('a node that changes its address while it runs is known by the new one', async (t, sim) => {
  const [a, b] = await star(sim, ['b'], { maxOutbound: 0 });
  a.transport.advertise('elsewhere,a');
  await sim.until(() => b.peers.get(idOf('a'))!.addr === 'elsewhere', 1_000);
  const told = await toldAddresses(sim, 'b');
  t.deepEqual(told, [entry('a', 'elsewhere')], 'others are told the first of its addresses');
  t.true(isLinked(b, 'a'));
});

for (const [way, given] of Object.entries(ways))
  test(`two nodes that both moved while down reconnect within a minute and a half through a third node: dialed ${way}`, async (t, sim) => {
    t.timeout(120_000);
    const [a, b, c] = [await bookOf('b', 'c'), await bookOf('a', 'c'), await bookOf('a', 'b')];
    const books = { a, b, c };
    const before = nodesAt(sim, ['a', 'b', 'c'], books, given);
    const isMesh = () => [...before.values()].every(({ peers }) => peers.list().length === 2);
    await sim.until(() => before.size === 3 && isMesh(), 60_000);
    await sim.settle(Promise.all(['a', 'b'].map((name) => before.get(name)!.peers.close())));
    sim.crash('a');
    sim.crash('b');
    await sim.run(60_000);
    const after = nodesAt(sim, ['a2', 'b2'], books, given);
    await sim.until(() => isLinked(after.get('a2'), 'b') && isLinked(after.get('b2'), 'a'), 90_000);
    t.is(before.get('c')!.peers.list().length, 2);
  });

for (const [place, home] of Object.entries({
  'its old address': 'b',
  'a new one, which an honest node tells': 'b2',
}))
  test(`a falseReporter that sends false addresses of a node that is down delays finding it by at most a quarter of an hour at ${place}`, async (t, sim) => {
    t.timeout(120_000);
    const books = { a: await bookOf('b', 'c', 'l'), b: await bookOf('c'), c: await bookOf('a') };
    let told = 0;
    const falseReporter = rawPeer(sim, 'l', { answer: () => [entry('b', `nowhere${++told}`)] });
    await sim.settle(falseReporter.transport.listen());
    const dialed: string[] = [];
    const resolve = (target: string) => {
      dialed.push(target);
      return target;
    };
    const nodes = cluster(sim, ['a', 'c'], {
      // b does not dial, so a has to find it.
      transport: (name) => (name === 'a' ? { resolve } : {}),
      peers: (name) => ({
        addressBook: books[name as 'a' | 'c'],
        ...(name === 'c' ? { maxOutbound: 0 } : {}),
      }),
      durable: false,
    });
    await sim.until(() => isLinked(nodes.get('a'), 'c') && isLinked(nodes.get('a'), 'l'), 60_000);
    await sim.run(600_000);
    const places = dialed.filter((target) => target === 'b' || target.startsWith('nowhere'));
    t.true(new Set(places).size > 1, 'the false address is believed');
    const isInTurn = places.every((target, i) => [target, places[i - 1] ?? 'b'].includes('b'));
    t.true(isInTurn, 'at least every other dial goes to the old address');
    nodesAt(sim, [home], books, () => ({ persistent: ['c'], maxOutbound: 0 }));
    // After 16 failures in a row, an address is not dialed for ten minutes.
    await sim.until(() => isLinked(nodes.get('a'), 'b'), 900_000);
    t.deepEqual(connected(nodes.get('a')!, ['b', 'c', 'l']), ['b', 'c', 'l']);
  });

test('a peer that connects while the book loads is found at its new address', async (t, sim) => {
  const store = await bookOf('b');
  let load = () => {};
  const gate = new Promise<void>((resolve) => void (load = resolve));
  const addressBook: AddressBookStore = {
    load: (read) => gate.then(() => store.load(read)),
    save: (text) => store.save(text),
    close: () => store.close(),
  };
  const peers = (name: string) =>
    name === 'a'
      ? { ...passive, addressBook }
      : { persistent: ['a'], identity: { nodeId: nodeOf(name) } };
  const nodes = cluster(sim, ['a', 'b2'], { peers, durable: false });
  await sim.until(() => isLinked(nodes.get('a'), 'b2'));
  load();
  await sim.run(1);
  t.is(nodes.get('a')!.peers.addressOf(idOf('b')), 'b2');
});
